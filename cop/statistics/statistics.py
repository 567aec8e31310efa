"""Count registrations and attendance, also for storing before deletion."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from sqlalchemy import Row, Select, Text, exists, func, select
from sqlalchemy.orm import Session

from cop.models.email import MailState, OutboxEmail
from cop.models.meeting import Meeting, MeetingStatus
from cop.models.registration import Member, Registration, RegistrationStatus
from cop.outbox.outbox import EmailKind
from cop.questions import registry
from cop.registration.answers import HAS_ACCESS_NEEDS
from cop.statistics import suppression

# The counts that outlive the registrations, each in a column `<name>_count` of the meeting.
_STORED = ("registered", "attended", "new", "returning", "promoted")
HATS = tuple(choice.value for choice in registry.HATS.choices)
_IS_HELD = Registration.status == RegistrationStatus.HELD
_IS_LIVE = Registration.status != RegistrationStatus.CANCELLED
_IS_REMINDED = (
    _IS_HELD & Member.undeliverable_at.is_(None) & ~Member.opt_outs.cast(Text).contains("reminders")
)
_CONDITIONS = {
    "held": _IS_HELD,
    "waiting": Registration.status == RegistrationStatus.WAITING,
    "cancelled": ~_IS_LIVE,
    "access": _IS_LIVE & HAS_ACCESS_NEEDS,
    "expected_new": _IS_HELD & Registration.first_time,
    "marked": Registration.attended.is_not(None),
    "present": Registration.attended.is_(True),
    "promoted": _IS_LIVE & Registration.promoted_at.is_not(None),
    "to_remind": _IS_REMINDED,
    "verified_to_remind": _IS_REMINDED & Member.verified_at.is_not(None),
}
_IS_CONFIRMED = exists().where(
    OutboxEmail.member_id == Registration.member_id,
    OutboxEmail.kind == EmailKind.CONFIRMATION,
    OutboxEmail.state == MailState.SENT,
    OutboxEmail.created_at >= Registration.registered_at,
)


@dataclass(frozen=True)
class Tally:
    """Counts of the registrations of one meeting."""

    held: int = 0
    waiting: int = 0
    cancelled: int = 0
    access: int = 0
    expected_new: int = 0  # with a spot, new by their own answer, and have never attended
    marked: int = 0  # attendance is marked, as present or absent
    present: int = 0
    first_visits: int = 0
    return_visits: int = 0
    promoted: int = 0
    confirmed: int = 0  # a confirmation was sent; only counted for the meeting `confirmed_for`
    to_remind: int = 0
    verified_to_remind: int = 0

    @property
    def registered(self) -> int:
        return self.held + self.waiting

    @property
    def attended(self) -> int | None:
        """How many attended; None while nobody's attendance is marked."""
        return self.present if self.marked else None

    @property
    def new(self) -> int | None:
        """How many attended for the first time; None if no first dates are stored."""
        return self.first_visits if self._knows_first_visits else None

    @property
    def returning(self) -> int | None:
        """How many had attended before; None if no first dates are stored."""
        return self.return_visits if self._knows_first_visits else None

    @property
    def _knows_first_visits(self) -> bool:
        # Nobody attended, so both numbers are 0; else they need the dates of first visits.
        return self.attended == 0 or self.first_visits + self.return_visits > 0


def tallies(
    db_session: Session, *, zone: ZoneInfo, ids: Iterable[int] | None = None, confirmed_for: int = 0
) -> defaultdict[int, Tally]:
    """Count the registrations of all meetings, or of the given ones, by id.

    `confirmed_for`: the one meeting whose sent confirmations are counted as well.
    """
    query = _counts_query(confirmed_for)
    if ids is not None:
        query = query.where(Registration.meeting_id.in_(list(ids)))
    counted = defaultdict[int, Tally](Tally)
    for row in db_session.execute(query):
        counted[row.meeting_id] = _add(counted[row.meeting_id], row, zone)
    return counted


def _counts_query(confirmed_for: int) -> Select[*tuple[Any, ...]]:
    """Select counts, one row for each meeting and first attendance date."""
    is_confirmed = _IS_LIVE & (Meeting.id == confirmed_for) & _IS_CONFIRMED
    conditions = _CONDITIONS | {"confirmed": is_confirmed}
    group_columns = (Registration.meeting_id, Meeting.starts_at, Member.first_attended_on)
    counts = [func.count().filter(each).label(name) for name, each in conditions.items()]
    query = select(*group_columns, *counts).join(Member, Member.id == Registration.member_id)
    return query.join(Meeting, Meeting.id == Registration.meeting_id).group_by(*group_columns)


def _add(tally: Tally, row: Row[*tuple[Any, ...]], zone: ZoneInfo) -> Tally:
    """Add a row's counts; its people first attended on the same day, or never."""
    counts = {
        name: getattr(tally, name) + getattr(row, name) for name in (*_CONDITIONS, "confirmed")
    }
    first_day, meeting_day = row.first_attended_on, row.starts_at.astimezone(zone).date()
    if first_day == meeting_day:
        counts["first_visits"] = tally.first_visits + row.present
    elif first_day and first_day < meeting_day:
        counts["return_visits"] = tally.return_visits + row.present
        counts["expected_new"] = tally.expected_new  # whatever they answered, they are not new
    return replace(tally, **counts)


class SessionStats(NamedTuple):
    """The numbers of one session that took place."""

    meeting: Meeting
    registered: int
    attended: int | None
    new: int | None
    returning: int | None
    promoted: int | None


def session_stats(db_session: Session, *, zone: ZoneInfo, now: datetime) -> list[SessionStats]:
    """Read the numbers of each session that took place, latest first."""
    took_place = (Meeting.ends_at <= now) & (Meeting.status == MeetingStatus.PLANNED)
    query = select(Meeting).where(took_place).order_by(Meeting.starts_at.desc(), Meeting.id.desc())
    counted = tallies(db_session, zone=zone)
    return [_stats(meeting, counted[meeting.id]) for meeting in db_session.scalars(query)]


def _stats(meeting: Meeting, tally: Tally) -> SessionStats:
    if meeting.registered_count is not None:  # the registrations are deleted
        return SessionStats(meeting, *(getattr(meeting, f"{name}_count") for name in _STORED))
    return SessionStats(meeting, *(getattr(tally, name) for name in _STORED))


def yearly_stats(
    sessions: Sequence[SessionStats], *, zone: ZoneInfo
) -> dict[int, tuple[list[SessionStats], dict[str, int | None]]]:
    """Group sessions by year, each year with totals of the known numbers."""
    by_year = defaultdict[int, list[SessionStats]](list)
    for each in sessions:
        by_year[each.meeting.starts_at.astimezone(zone).year].append(each)
    return {
        year: (group, {name: _sum_known(getattr(each, name) for each in group) for name in _STORED})
        for year, group in by_year.items()
    }


def _sum_known(numbers: Iterable[int | None]) -> int | None:
    known = [number for number in numbers if number is not None]
    return sum(known) if known else None


def hat_counts(db_session: Session, ids: Iterable[int]) -> dict[int, dict[str, str]]:
    """Count the hats by meeting id, with small counts suppressed."""
    query = select(Registration.meeting_id, Registration.hats, Registration.hats_other)
    answers = defaultdict[int, list[tuple[list[str], str]]](list)
    is_counted = Registration.meeting_id.in_(list(ids)) & _IS_LIVE
    for row in db_session.execute(query.where(is_counted)):
        answers[row.meeting_id].append((row.hats, row.hats_other))
    return {id_: suppression.suppressed_counts(given, HATS) for id_, given in answers.items()}


def hat_counts_of(db_session: Session, meeting: Meeting) -> dict[str, str] | None:
    """Count the hats at one meeting, or return its stored counts, if there are any."""
    if meeting.registered_count is not None:
        return meeting.hat_counts
    return hat_counts(db_session, [meeting.id]).get(meeting.id)


def final_counts(
    db_session: Session, ids: Sequence[int], *, zone: ZoneInfo
) -> dict[int, dict[str, int | dict[str, str] | None]]:
    """Compute the counts to store before deletion, by meeting id and column."""
    counted = tallies(db_session, zone=zone, ids=ids)
    hats = hat_counts(db_session, ids)
    return {
        id_: {"hat_counts": hats.get(id_)}
        | {f"{name}_count": getattr(tally, name) for name in _STORED}
        for id_, tally in counted.items()
    }
