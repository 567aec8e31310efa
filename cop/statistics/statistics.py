"""How many signed up, came, were new: counted from the registrations, or what is left of them."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Row, Select, Text, exists, func, select
from sqlalchemy.orm import Session

from cop.models.email import MailState, OutboxEmail
from cop.models.meeting import Meeting, MeetingStatus
from cop.models.registration import Member, Registration, RegistrationStatus
from cop.outbox.outbox import EmailKind
from cop.questions import registry
from cop.registration.access import HAS_ACCESS_NEEDS
from cop.statistics import suppression

StoredCounts = dict[str, int | dict[str, str] | None]

_SUMMED = ("registered", "attended", "new", "returning", "promoted")
HATS = tuple(choice.value for choice in registry.HATS.choices)
_IS_HELD = Registration.status == RegistrationStatus.HELD
_IS_LIVE = Registration.status != RegistrationStatus.CANCELLED
_TO_REMIND = (
    _IS_HELD & Member.undeliverable_at.is_(None) & ~Member.opt_outs.cast(Text).contains("reminders")
)
_COUNTED = {
    "held": _IS_HELD,
    "waiting": Registration.status == RegistrationStatus.WAITING,
    "cancelled": ~_IS_LIVE,
    "access": _IS_LIVE & HAS_ACCESS_NEEDS,
    "expects_new": _IS_HELD & Registration.first_time,
    "noted": Registration.attended.is_not(None),
    "present": Registration.attended.is_(True),
    "promoted": _IS_LIVE & Registration.promoted_at.is_not(None),
    "to_remind": _TO_REMIND,
    "verified_to_remind": _TO_REMIND & Member.verified_at.is_not(None),
}
_IS_CONFIRMED = exists().where(
    OutboxEmail.member_id == Registration.member_id,
    OutboxEmail.kind == EmailKind.CONFIRMATION,
    OutboxEmail.state == MailState.SENT,
    OutboxEmail.created_at >= Registration.registered_at,
)


@dataclass(frozen=True)
class Tally:
    """How many, at one meeting, counted from its registrations."""

    held: int = 0
    waiting: int = 0
    cancelled: int = 0
    access: int = 0
    expects_new: int = 0  # hold a place and say it is their first time, and nobody saw them before
    noted: int = 0  # of how many it was written down whether they came
    present: int = 0
    first: int = 0  # came, and never before
    again: int = 0  # came, and on an earlier day as well
    promoted: int = 0
    confirmed: int = 0  # only for the meeting that this was asked of
    to_remind: int = 0
    verified_to_remind: int = 0

    @property
    def registered(self) -> int:
        return self.held + self.waiting

    @property
    def attended(self) -> int | None:
        """How many came; where nobody noted it, that is not nought but unknown."""
        return self.present if self.noted else None

    @property
    def new(self) -> int | None:
        """How many came for the first time; unknown where nobody's first day is known."""
        return self.first if self.attended == 0 or self.first + self.again else None

    @property
    def returning(self) -> int | None:
        """How many had come before; unknown where nobody's first day is known."""
        return self.again if self.attended == 0 or self.first + self.again else None


def tallies(
    db_session: Session, *, zone: ZoneInfo, of: Iterable[int] | None = None, mailed: int = 0
) -> dict[int, Tally]:
    """Count the registrations of all meetings, or of some, by the meeting's id.

    `mailed`: the meeting whose confirmations are to be counted, too.
    """
    query = _counted(mailed)
    query = query if of is None else query.where(Registration.meeting_id.in_(list(of)))
    found: dict[int, Tally] = {}
    for row in db_session.execute(query):
        so_far = found.get(row.meeting_id, Tally())
        found[row.meeting_id] = _with(so_far, row, zone)
    return found


def _counted(mailed: int) -> Select[*tuple[Any, ...]]:
    """One row for each meeting and each day on which some of its people first came."""
    conditions = _COUNTED | {"confirmed": _IS_LIVE & (Meeting.id == mailed) & _IS_CONFIRMED}
    by = (Registration.meeting_id, Meeting.starts_at, Member.first_attended_on)
    counts = [func.count().filter(is_so).label(name) for name, is_so in conditions.items()]
    query = select(*by, *counts).join(Member, Member.id == Registration.member_id)
    return query.join(Meeting, Meeting.id == Registration.meeting_id).group_by(*by)


def _with(so_far: Tally, row: Row[*tuple[Any, ...]], zone: ZoneInfo) -> Tally:
    """Add those who first came on one day, which makes them new, returning, or neither."""
    added = {name: getattr(so_far, name) + getattr(row, name) for name in (*_COUNTED, "confirmed")}
    tally = replace(so_far, **added)
    on, first = row.starts_at.astimezone(zone).date(), row.first_attended_on
    if first and first < on:
        again = tally.again + row.present
        return replace(tally, again=again, expects_new=so_far.expects_new)
    return replace(tally, first=tally.first + row.present) if first == on else tally


@dataclass(frozen=True)
class SessionStats:
    """The numbers of one session that took place."""

    id: int
    slug: str
    starts_at: datetime
    topic: str | None
    registered: int
    attended: int | None
    new: int | None
    returning: int | None
    promoted: int | None
    hat_counts: Mapping[str, str] | None
    is_kept: bool  # its registrations are gone, and these numbers are what is left


def session_stats(db_session: Session, *, zone: ZoneInfo, now: datetime) -> list[SessionStats]:
    """The numbers of each session that took place, the latest first."""
    took_place = (Meeting.ends_at <= now) & (Meeting.status == MeetingStatus.PLANNED)
    left = [getattr(Meeting, f"{name}_count") for name in _SUMMED]
    about = (Meeting.id, Meeting.slug, Meeting.starts_at, Meeting.topic, Meeting.hat_counts)
    query = select(*about, *left).where(took_place)
    query = query.order_by(Meeting.starts_at.desc(), Meeting.id.desc())
    rows = db_session.execute(query).all()
    counted = tallies(db_session, zone=zone)
    return [_line(row, counted.get(row.id, Tally())) for row in rows]


def _line(row: Row[*tuple[Any, ...]], tally: Tally) -> SessionStats:
    is_kept = row.registered_count is not None
    told = {
        name: getattr(row, f"{name}_count") if is_kept else getattr(tally, name) for name in _SUMMED
    }
    about = (row.id, row.slug, row.starts_at, row.topic)
    return SessionStats(*about, hat_counts=row.hat_counts, is_kept=is_kept, **told)


def yearly_stats(
    lines: Sequence[SessionStats], *, zone: ZoneInfo
) -> dict[int, tuple[list[SessionStats], dict[str, int | None]]]:
    """The sessions of each year and their sums, the latest first; what is unknown adds nothing."""
    by_year: dict[int, list[SessionStats]] = {}
    for line in lines:
        by_year.setdefault(line.starts_at.astimezone(zone).year, []).append(line)
    return {
        year: (of, {name: _added(getattr(line, name) for line in of) for name in _SUMMED})
        for year, of in by_year.items()
    }


def _added(numbers: Iterable[int | None]) -> int | None:
    known = [number for number in numbers if number is not None]
    return sum(known) if known else None


def hat_counts(db_session: Session, ids: Iterable[int]) -> dict[int, dict[str, str]]:
    """What may be said of the hats at these meetings, in bands, by the meeting's id."""
    query = select(Registration.meeting_id, Registration.hats, Registration.hats_other)
    of_meeting: dict[int, list[tuple[list[str], str]]] = {}
    for row in db_session.execute(query.where(Registration.meeting_id.in_(list(ids)), _IS_LIVE)):
        of_meeting.setdefault(row.meeting_id, []).append((row.hats, row.hats_other))
    return {id_: suppression.suppressed_counts(given, HATS) for id_, given in of_meeting.items()}


def final_counts(
    db_session: Session, ids: Sequence[int], *, zone: ZoneInfo
) -> dict[int, StoredCounts]:
    """Count what is to stay of meetings whose registrations are about to go, by column."""
    counted, worn = tallies(db_session, zone=zone, of=ids), hat_counts(db_session, ids)
    return {
        id_: {f"{name}_count": getattr(tally, name) for name in _SUMMED}
        | {"hat_counts": worn.get(id_)}
        for id_, tally in counted.items()
    }
