"""The roster: who is coming to a meeting, on screen and as the attendee CSV."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import Select, inspect, select
from sqlalchemy.orm import Session

from cop.models.meeting import Meeting
from cop.models.registration import Member, Registration, RegistrationStatus
from cop.registration.answers import HAS_ACCESS_NEEDS

STATUSES = tuple(RegistrationStatus)

# Columns instead of attributes: rows are made twice as fast without a look at what they are of.
OF_REGISTRATION, OF_MEMBER, OF_MEETING = (
    inspect(Registration).columns,
    inspect(Member).columns,
    inspect(Meeting).columns,
)


class Attendee(NamedTuple):
    """One line of a roster on the screen; what would help somebody take part is not on it."""

    id: int
    status: str
    name: str
    email: str
    organization: str
    pronouns: str
    hats: tuple[str, ...]
    hats_other: str
    first_time: bool
    prep_answer: str
    registered_at: datetime
    attended: bool | None
    joined_at: datetime | None
    undeliverable_at: datetime | None
    asks_for_access: bool


_OF_MEMBER: dict[str, Any] = {
    "email": OF_MEMBER.email,
    "undeliverable_at": OF_MEMBER.undeliverable_at,
    "asks_for_access": HAS_ACCESS_NEEDS.label("asks_for_access"),
}
_LINE: Select[Any] = (
    select(*[_OF_MEMBER[n] if n in _OF_MEMBER else OF_REGISTRATION[n] for n in Attendee._fields])
    .join(OF_MEMBER.id.table, OF_MEMBER.id == OF_REGISTRATION.member_id)
    .order_by(OF_REGISTRATION.registered_at, OF_REGISTRATION.id)
)
RANK: dict[str, int] = {status: rank for rank, status in enumerate(STATUSES)}


def attendees(db_session: Session, meeting_id: int) -> list[Attendee]:
    """Who holds a place, who waits, and who cancelled, each by time of registration."""
    rows = db_session.execute(_LINE.where(OF_REGISTRATION.meeting_id == meeting_id))
    people = [Attendee(*row) for row in rows]
    return sorted(people, key=lambda person: RANK[person.status])


def addresses(db_session: Session, meeting_id: int, *, status: str) -> list[str]:
    """The addresses of those who hold a place, or wait; not those from which mail comes back."""
    query = _LINE.with_only_columns(OF_MEMBER.email).where(
        OF_REGISTRATION.meeting_id == meeting_id,
        OF_REGISTRATION.status == status,
        OF_MEMBER.undeliverable_at.is_(None),
    )
    return list(db_session.scalars(query))


def member_of(db_session: Session, registration_id: int, *, meeting_id: int) -> int | None:
    """The member whose registration it is, if it is one for this meeting."""
    query = select(Registration.member_id).where(
        Registration.id == registration_id, Registration.meeting_id == meeting_id
    )
    return db_session.scalar(query)


@dataclass(frozen=True)
class Counts:
    """How many, at one meeting."""

    held: int = 0
    waiting: int = 0
    cancelled: int = 0
    first_time: int = 0
    access: int = 0
    came: int | None = None  # not known before somebody notes it


def count_statuses(people: Sequence[Attendee]) -> Counts:
    """The counts of a roster that has been read."""
    statuses = Counter(person.status for person in people)
    live = [person for person in people if person.status != RegistrationStatus.CANCELLED]
    noted = [person.attended for person in people if person.attended is not None]
    return Counts(
        **{status.value: statuses[status] for status in STATUSES},
        first_time=sum(person.first_time for person in live),
        access=sum(person.asks_for_access for person in live),
        came=sum(noted) if noted else None,
    )
