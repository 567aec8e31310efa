"""Attendance: who came, as a report of Zoom says it or as coordinators mark it by hand.

Marks of a report carry minutes, 0 for who is not in it; marks by hand carry none. So a report can
leave alone what somebody decided, also when it is read a second time.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, delete, func, select, update
from sqlalchemy.orm import Session

from cop.attendance.matching import match_participants
from cop.attendance.zoom_report import Participant
from cop.db.expiry import Expiry
from cop.errors import Refused, ReportGone
from cop.i18n import N_
from cop.mail.recipients import LIVE_STATUSES
from cop.meetings import locking
from cop.models.audit import AttendanceImport
from cop.models.meeting import Meeting
from cop.models.registration import Member, Registration, RegistrationStatus

MIN_MINUTES_ATTENDED = 1
REPORT_RETENTION = timedelta(days=1)


@dataclass(frozen=True)
class ExpectedAttendee:
    """Somebody who holds a place or waits for one, and what is known of their coming."""

    id: int
    status: str
    name: str
    email: str
    email_key: str
    organization: str
    attended: bool | None
    minutes_present: int | None
    joined_at: datetime | None

    @property
    def is_held(self) -> bool:
        return self.status == RegistrationStatus.HELD

    @property
    def is_marked_by_hand(self) -> bool:
        return self.attended is not None and self.minutes_present is None

    @property
    def suggested(self) -> bool | None:
        """The mark to begin with: who used their link to the session is taken to have come."""
        return True if self.attended is None and self.joined_at else self.attended


@dataclass(frozen=True)
class Report:
    """A report that waits to be looked at; the stamp tells it from the one that comes after."""

    participants: tuple[Participant, ...]
    stamp: str


@dataclass(frozen=True)
class AttendanceSheet:
    """The people of a meeting by name, and the report that waits, if there is one."""

    people: tuple[ExpectedAttendee, ...]
    report: Report | None


@dataclass(frozen=True)
class ReportResult:
    """What became of a report: how many came and did not, and how many marks by hand stayed."""

    came: int
    did_not_come: int
    by_hand: int


_PERSON = [
    getattr(Member if name.startswith("email") else Registration, name)
    for name in ExpectedAttendee.__dataclass_fields__
]


def read_sheet(db_session: Session, meeting_id: int) -> AttendanceSheet:
    """Read who was expected, and the report that waits: one statement, the report in one row."""
    is_theirs = (Registration.meeting_id == meeting_id) & Registration.status.in_(LIVE_STATUSES)
    first = select(func.min(Registration.id)).where(is_theirs).scalar_subquery()
    waits = (AttendanceImport.meeting_id == meeting_id) & (Registration.id == first)
    query = select(*_PERSON, AttendanceImport.participants, AttendanceImport.created_at)
    rows = db_session.execute(
        query.join(Member, Member.id == Registration.member_id)
        .outerjoin(AttendanceImport, waits)
        .where(is_theirs)
    ).all()
    people = [ExpectedAttendee(*row[: len(_PERSON)]) for row in rows]
    return AttendanceSheet(
        tuple(sorted(people, key=lambda person: (person.name.casefold(), person.id))),
        next((_report(row.participants, row.created_at) for row in rows if row.created_at), None),
    )


def _report(people: Iterable[Mapping[str, str | int]], created_at: datetime) -> Report:
    participants = (
        Participant(str(each["name"]), str(each["email"]), int(each["minutes"])) for each in people
    )
    return Report(tuple(participants), created_at.isoformat())


def store_report(
    db_session: Session, meeting_id: int, participants: Sequence[Participant], *, now: datetime
) -> None:
    """Put a report aside to be looked at; another one that waits is forgotten."""
    locking.lock(db_session, [meeting_id])
    is_theirs = (Registration.meeting_id == meeting_id) & Registration.status.in_(LIVE_STATUSES)
    if db_session.scalar(select(Registration.id).where(is_theirs).limit(1)) is None:
        raise Refused(
            N_("Nobody is registered for this session, so there is nobody to recognize."),
            field="report",
        )
    people = [asdict(participant) for participant in participants]
    db_session.merge(AttendanceImport(meeting_id=meeting_id, participants=people, created_at=now))
    db_session.flush()


def discard_report(db_session: Session, meeting_id: int) -> None:
    """Delete the report that waits."""
    db_session.execute(delete(AttendanceImport).where(AttendanceImport.meeting_id == meeting_id))


def expired_reports(*, now: datetime) -> Expiry:
    """The reports that nobody came back to for a day."""
    return Expiry(
        AttendanceImport.meeting_id, AttendanceImport.created_at <= now - REPORT_RETENTION
    )


def apply_report(
    db_session: Session, meeting_id: int, chosen: Mapping[int, int | None], *,
    stamp: str, zone: ZoneInfo, overrules: bool = False,
) -> ReportResult:  # fmt: skip
    """Mark who came by the report that waits, and delete it.

    What a coordinator chose is the registration of a line, by the line's number; the stamp is that
    of the report which they saw. Marks by hand stay, unless the report overrules them.

    Raises:
        ReportGone: it is not there any more, or another one is.
    """
    [meeting] = locking.lock(db_session, [meeting_id])
    sheet = read_sheet(db_session, meeting_id)
    if sheet.report is None or sheet.report.stamp != stamp:
        raise ReportGone
    minutes = _minutes(sheet, chosen)
    by_hand = {p.id for p in sheet.people if p.is_marked_by_hand and not overrules}
    marks = [_mark(p, minutes.get(p.id, 0)) for p in sheet.people if p.id not in by_hand]
    _write(db_session, meeting_id, marks, on=meeting.starts_at.astimezone(zone).date(), zone=zone)
    discard_report(db_session, meeting_id)
    came = [mark["attended"] for mark in marks]
    return ReportResult(came.count(True), came.count(False), len(by_hand))


def _minutes(sheet: AttendanceSheet, chosen: Mapping[int, int | None]) -> dict[int, int]:
    """How long each was there; who came under two names, no longer than anybody did under one."""
    participants = sheet.report.participants if sheet.report else ()
    longest = max((participant.minutes for participant in participants), default=0)
    minutes: dict[int, int] = {}
    for line in match_participants(participants, sheet.people):
        person_id = chosen.get(line.number, line.person_id)
        if person_id is not None:
            minutes[person_id] = min(minutes.get(person_id, 0) + line.who.minutes, longest)
    return minutes


def _mark(person: ExpectedAttendee, minutes: int) -> dict[str, int | None]:
    """What the report says of somebody; of who waited it says nothing unless they came."""
    came = minutes >= MIN_MINUTES_ATTENDED
    if not (came or person.is_held):
        return {"id": person.id, "attended": None, "minutes_present": None}
    return {"id": person.id, "attended": came, "minutes_present": minutes}


def mark(
    db_session: Session, meeting_id: int, marks: Mapping[int, bool | None], *, zone: ZoneInfo
) -> int:
    """Mark by hand who came, by registration; return how many were marked differently before."""
    [meeting] = locking.lock(db_session, [meeting_id])
    changed: list[dict[str, int | None]] = [
        {"id": person.id, "attended": marks[person.id], "minutes_present": None}
        for person in read_sheet(db_session, meeting_id).people
        if person.id in marks and marks[person.id] is not person.attended
    ]
    on = meeting.starts_at.astimezone(zone).date()
    _write(db_session, meeting_id, changed, on=on, zone=zone)
    return len(changed)


def _write(
    db_session: Session, meeting_id: int, marks: Sequence[Mapping[str, int | None]], *,
    on: date, zone: ZoneInfo,
) -> None:  # fmt: skip
    """Store marks, and with them the day on which each of those people first came."""
    if marks:
        db_session.execute(update(Registration), marks)
    here = select(Registration.member_id).where(Registration.meeting_id == meeting_id)
    came = here.where(Registration.attended.is_(True))
    is_later = Member.first_attended_on.is_(None) | (Member.first_attended_on > on)
    first = update(Member).where(Member.id.in_(came), is_later).values(first_attended_on=on)
    db_session.execute(first)
    is_taken_back = Member.id.in_(here) & Member.id.not_in(came) & (Member.first_attended_on == on)
    for member_id, day in _first_attendance_dates(db_session, is_taken_back, zone=zone).items():
        again = update(Member).where(Member.id == member_id).values(first_attended_on=day)
        db_session.execute(again)


def _first_attendance_dates(
    db_session: Session, which: ColumnElement[bool], *, zone: ZoneInfo
) -> dict[int, date | None]:
    """The day on which members first came, by the marks that are there."""
    marked = (Registration.member_id == Member.id) & Registration.attended.is_(True)
    query = (
        select(Member.id, Meeting.starts_at)
        .outerjoin(Registration, marked)
        .outerjoin(Meeting, Meeting.id == Registration.meeting_id)
        .where(which)
        .order_by(Meeting.starts_at)
    )
    days: dict[int, date | None] = {}
    for member_id, starts_at in db_session.execute(query):
        days.setdefault(member_id, starts_at and starts_at.astimezone(zone).date())
    return days
