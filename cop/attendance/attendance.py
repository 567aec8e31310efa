"""Attendance: marked from a Zoom report or by hand.

Marks from a report have minutes (0 for people who are not in it), and marks made by hand have none.
So a report that is imported again can keep the marks made by hand.
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
from cop.registration.people import select_live_registrations

MIN_MINUTES_ATTENDED = 1
REPORT_RETENTION = timedelta(days=1)


@dataclass(frozen=True)
class AttendanceSheet:
    """The people of a meeting, sorted by name, and the pending report, if any."""

    people: tuple[Registration, ...]
    report: AttendanceImport | None

    @cached_property
    def matches(self) -> list[Match]:
        """The participants of the report, matched to the people."""
        participants = self.report.participants if self.report else ()
        return match_participants([Participant(**each) for each in participants], self.people)


class ReportResult(NamedTuple):
    """How many people a report marked, and how many marks made by hand were kept."""

    attended: int
    absent: int
    manual_marks_kept: int


def read_sheet(db_session: Session, meeting_id: int) -> AttendanceSheet:
    """Read the people and the pending report in one statement.

    Only the row with the lowest id is joined with the report, so that its JSON is read once.
    """
    min_id = select_live_registrations(meeting_id).with_only_columns(func.min(Registration.id))
    is_first = Registration.id == min_id.scalar_subquery()
    has_report = is_first & (AttendanceImport.meeting_id == meeting_id)
    query = select_live_registrations(meeting_id).add_columns(AttendanceImport)
    rows = db_session.execute(query.outerjoin(AttendanceImport, has_report)).all()
    people = sorted((person for person, _ in rows), key=lambda p: (p.name.casefold(), p.id))
    return AttendanceSheet(tuple(people), next((report for _, report in rows if report), None))


def store_report(
    db_session: Session, meeting_id: int, participants: Sequence[Participant], *, now: datetime
) -> None:
    """Store a report until a coordinator applies it; it replaces a pending one."""
    locking.lock(db_session, [meeting_id])
    if db_session.scalar(select_live_registrations(meeting_id).limit(1)) is None:
        raise Refused(N_("Nobody is registered for this session, so there's nobody to match."))
    rows = [asdict(participant) for participant in participants]
    db_session.merge(AttendanceImport(meeting_id=meeting_id, participants=rows, created_at=now))
    db_session.flush()


def discard_report(db_session: Session, meeting_id: int) -> None:
    """Delete the pending report."""
    db_session.execute(delete(AttendanceImport).where(AttendanceImport.meeting_id == meeting_id))


def expired_reports(*, now: datetime) -> Expiry:
    """The reports that nobody applied within `REPORT_RETENTION`."""
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

    `chosen`: registration ids that a coordinator chose, by participant number (None for nobody);
    `version`: of the report that they saw; `overwrite`: replace marks made by hand as well.

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
    """Sum minutes by registration id.

    A person on two devices is two participants, so the sum is capped at the report's longest stay.
    """
    longest = max((match.participant.minutes for match in sheet.matches), default=0)
    minutes: dict[int, int] = {}
    for match in sheet.matches:
        person_id = chosen.get(match.number, match.person_id)
        if person_id is not None:
            total = minutes.get(person_id, 0) + match.participant.minutes
            minutes[person_id] = min(total, longest)
    return minutes


def _mark(person: Registration, minutes: int) -> None:
    """Mark attendance by minutes; people on the waiting list are never marked absent."""
    attended = minutes >= MIN_MINUTES_ATTENDED
    is_marked = attended or person.is_held
    person.attended, person.minutes_present = (attended, minutes) if is_marked else (None, None)


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
    """Update the date on which members first attended, after marks have changed."""
    db_session.flush()
    meeting_day = meeting.starts_at.astimezone(zone).date()
    select_members = select(Registration.member_id).where(Registration.meeting_id == meeting.id)
    select_attended = select_members.where(Registration.attended.is_(True))
    first_day = Member.first_attended_on
    is_unset_or_later = first_day.is_(None) | (first_day > meeting_day)
    update_first_day = update(Member).where(Member.id.in_(select_attended), is_unset_or_later)
    db_session.execute(update_first_day.values(first_attended_on=meeting_day))
    # Members whose mark was removed: find the first other meeting that they attended.
    has_not_attended = Member.id.in_(select_members) & Member.id.not_in(select_attended)
    attended_any = (Registration.member_id == Member.id) & Registration.attended.is_(True)
    select_first_starts = (
        select(Member.id, func.min(Meeting.starts_at))
        .outerjoin(Registration, attended_any)
        .outerjoin(Meeting, Meeting.id == Registration.meeting_id)
        .where(has_not_attended, first_day == meeting_day)
        .group_by(Member.id)
    )
    rows = [
        {"id": id_, "first_attended_on": starts_at and starts_at.astimezone(zone).date()}
        for id_, starts_at in db_session.execute(select_first_starts)
    ]
    if rows:
        db_session.execute(update(Member), rows)
