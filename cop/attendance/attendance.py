"""Attendance: marked from a Zoom report or by hand.

Marks from a report carry minutes, 0 for people who are not in it; marks by hand carry none. So a
report leaves alone what a coordinator decided, also when it is imported again.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from functools import cached_property
from typing import NamedTuple
from zoneinfo import ZoneInfo

from sqlalchemy import delete, func, select, update
from sqlalchemy.orm import Session

from cop.attendance.matching import Match, match_participants
from cop.attendance.zoom_report import Participant
from cop.db.expiry import Expiry
from cop.errors import Refused, ReportGone
from cop.i18n import N_
from cop.meetings import locking
from cop.meetings.locking import MeetingFacts
from cop.models.audit import AttendanceImport
from cop.models.meeting import Meeting
from cop.models.registration import Member, Registration
from cop.registration.people import live_registrations

MIN_MINUTES_ATTENDED = 1
REPORT_RETENTION = timedelta(days=1)


@dataclass(frozen=True)
class AttendanceSheet:
    """The people of a meeting by name, and the pending report, if any."""

    people: tuple[Registration, ...]
    report: AttendanceImport | None

    @cached_property
    def matches(self) -> list[Match]:
        """The participants of the report, matched to the people."""
        participants = self.report.participants if self.report else ()
        return match_participants([Participant(**each) for each in participants], self.people)


class ReportResult(NamedTuple):
    """How many a report marked as attended and absent; manual marks left alone."""

    attended: int
    absent: int
    marked_by_hand: int


def read_sheet(db_session: Session, meeting_id: int) -> AttendanceSheet:
    """Read people and pending report at once; only one row has the report."""
    first = live_registrations(meeting_id).with_only_columns(func.min(Registration.id))
    is_first = Registration.id == first.scalar_subquery()
    has_report = is_first & (AttendanceImport.meeting_id == meeting_id)
    query = live_registrations(meeting_id).add_columns(AttendanceImport)
    rows = db_session.execute(query.outerjoin(AttendanceImport, has_report)).all()
    people = sorted((person for person, _ in rows), key=lambda p: (p.name.casefold(), p.id))
    return AttendanceSheet(tuple(people), next((report for _, report in rows if report), None))


def store_report(
    db_session: Session, meeting_id: int, participants: Sequence[Participant], *, now: datetime
) -> None:
    """Store a report until a coordinator applies it; it replaces a pending one."""
    locking.lock(db_session, [meeting_id])
    if db_session.scalar(live_registrations(meeting_id).limit(1)) is None:
        raise Refused(N_("Nobody is registered for this session, so there is nobody to recognize."))
    people = [asdict(participant) for participant in participants]
    db_session.merge(AttendanceImport(meeting_id=meeting_id, participants=people, created_at=now))
    db_session.flush()


def discard_report(db_session: Session, meeting_id: int) -> None:
    """Delete the pending report."""
    db_session.execute(delete(AttendanceImport).where(AttendanceImport.meeting_id == meeting_id))


def expired_reports(*, now: datetime) -> Expiry:
    """The reports that nobody applied within a day."""
    is_old = AttendanceImport.created_at <= now - REPORT_RETENTION
    return Expiry(AttendanceImport.meeting_id, is_old)


def apply_report(
    db_session: Session,
    meeting_id: int,
    chosen: Mapping[int, int | None],
    *,
    version: str,
    zone: ZoneInfo,
    overwrite: bool = False,
) -> ReportResult:
    """Mark attendance from the pending report, and delete it.

    `chosen`: registration ids that a coordinator chose, by participant number (None: nobody);
    `version`: that of the report they saw; `overwrite`: replace marks made by hand.

    Raises:
        ReportGone: the report was applied, deleted or replaced meanwhile.
    """
    meeting = locking.lock_one(db_session, meeting_id)
    sheet = read_sheet(db_session, meeting_id)
    if sheet.report is None or sheet.report.version != version:
        raise ReportGone
    minutes = _minutes(sheet, chosen)
    marked = [person for person in sheet.people if overwrite or not person.is_marked_by_hand]
    for person in marked:
        _mark(person, minutes.get(person.id, 0))
    _update_first_days(db_session, meeting, zone)
    discard_report(db_session, meeting_id)
    marks = [person.attended for person in marked]
    return ReportResult(marks.count(True), marks.count(False), len(sheet.people) - len(marked))


def _minutes(sheet: AttendanceSheet, chosen: Mapping[int, int | None]) -> dict[int, int]:
    """Sum minutes by registration id, capped at the report's longest stay."""
    longest = max((match.participant.minutes for match in sheet.matches), default=0)
    minutes: dict[int, int] = {}
    for match in sheet.matches:
        person_id = chosen.get(match.number, match.person_id)
        if person_id is not None:
            total = minutes.get(person_id, 0) + match.participant.minutes
            minutes[person_id] = min(total, longest)
    return minutes


def _mark(person: Registration, minutes: int) -> None:
    """Mark attendance by minutes; absent people on the waiting list get no mark."""
    attended = minutes >= MIN_MINUTES_ATTENDED
    has_mark = attended or person.is_held
    person.attended, person.minutes_present = (attended, minutes) if has_mark else (None, None)


def mark(
    db_session: Session, meeting_id: int, marks: Mapping[int, bool | None], *, zone: ZoneInfo
) -> int:
    """Mark attendance by hand, by registration id; return how many marks changed."""
    meeting = locking.lock_one(db_session, meeting_id)
    people = read_sheet(db_session, meeting_id).people
    changed = [p for p in people if p.id in marks and marks[p.id] is not p.attended]
    for person in changed:
        person.attended, person.minutes_present = marks[person.id], None
    _update_first_days(db_session, meeting, zone)
    return len(changed)


def _update_first_days(db_session: Session, meeting: MeetingFacts, zone: ZoneInfo) -> None:
    """Update the day on which each member first attended, after marks of a meeting changed."""
    db_session.flush()
    meeting_day = meeting.starts_at.astimezone(zone).date()
    registered = select(Registration.member_id).where(Registration.meeting_id == meeting.id)
    attended = registered.where(Registration.attended.is_(True))
    is_later = Member.first_attended_on.is_(None) | (Member.first_attended_on > meeting_day)
    first = update(Member).where(Member.id.in_(attended), is_later)
    db_session.execute(first.values(first_attended_on=meeting_day))
    is_undone = Member.id.in_(registered) & Member.id.not_in(attended)
    is_mark = (Registration.member_id == Member.id) & Registration.attended.is_(True)
    remaining = (
        select(Member.id, func.min(Meeting.starts_at))
        .outerjoin(Registration, is_mark)
        .outerjoin(Meeting, Meeting.id == Registration.meeting_id)
        .where(is_undone, Member.first_attended_on == meeting_day)
        .group_by(Member.id)
    )
    rows = [
        {"id": id_, "first_attended_on": starts_at and starts_at.astimezone(zone).date()}
        for id_, starts_at in db_session.execute(remaining)
    ]
    if rows:
        db_session.execute(update(Member), rows)
