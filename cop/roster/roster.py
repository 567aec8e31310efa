"""The roster: the people registered for a meeting, and their counts."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import Select, inspect, select
from sqlalchemy.orm import Session, contains_eager

from cop.changes.changes import RESTORABLE_FOR
from cop.meetings.schedule import Listing
from cop.members.members import WAITING_POSITION, MemberRegistration
from cop.models.audit import AuditEntry
from cop.models.coordinator import Coordinator
from cop.models.meeting import Meeting
from cop.models.registration import Member, Registration, RegistrationStatus
from cop.registration.answers import HAS_ACCESS_NEEDS
from cop.roster.places import HAS_LIVE_REGISTRATION

STATUSES = tuple(RegistrationStatus)

# Selecting columns instead of ORM objects reads a page of 1,000 people in half the time.
OF_REGISTRATION, OF_MEMBER = inspect(Registration).columns, inspect(Member).columns
OF_MEETING = inspect(Meeting).columns


class Attendee(NamedTuple):
    """One line of the roster, without what the access needs are."""

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
    has_access_needs: bool


_OF_MEMBER: dict[str, Any] = {
    "email": OF_MEMBER.email,
    "undeliverable_at": OF_MEMBER.undeliverable_at,
    "has_access_needs": HAS_ACCESS_NEEDS.label("has_access_needs"),
}
_ATTENDEES: Select[Any] = (
    select(*[_OF_MEMBER[n] if n in _OF_MEMBER else OF_REGISTRATION[n] for n in Attendee._fields])
    .join(OF_MEMBER.id.table, OF_MEMBER.id == OF_REGISTRATION.member_id)
    .order_by(OF_REGISTRATION.registered_at, OF_REGISTRATION.id)
)
RANK: dict[str, int] = {status: rank for rank, status in enumerate(STATUSES)}


def attendees(db_session: Session, meeting_id: int) -> list[Attendee]:
    """Read the roster: held, waiting, then canceled, each by time of registration."""
    rows = db_session.execute(_ATTENDEES.where(OF_REGISTRATION.meeting_id == meeting_id))
    people = [Attendee(*row) for row in rows]
    return sorted(people, key=lambda person: RANK[person.status])


def addresses(db_session: Session, meeting_id: int, *, status: str) -> list[str]:
    """The deliverable addresses of the registrations with this status."""
    query = _ATTENDEES.with_only_columns(OF_MEMBER.email).where(
        OF_REGISTRATION.meeting_id == meeting_id,
        OF_REGISTRATION.status == status,
        OF_MEMBER.undeliverable_at.is_(None),
    )
    return list(db_session.scalars(query))


class PersonDetails(NamedTuple):
    """One person on a roster, and audit entries with their coordinators' names."""

    place: MemberRegistration
    member: Member
    is_live_again: bool
    actions: list[tuple[AuditEntry, str | None]]

    @property
    def restorable_until(self) -> datetime | None:
        """Until when the registration can be restored; None if it cannot be."""
        cancelled_at = self.place.row.cancelled_at
        if self.place.is_live or self.is_live_again or cancelled_at is None:
            return None
        return cancelled_at + RESTORABLE_FOR


def find_person(
    db_session: Session, registration_id: int, meeting: Listing
) -> PersonDetails | None:
    """Read one person on a meeting's roster, with the audit entries about them."""
    query = (
        select(Registration, WAITING_POSITION, HAS_LIVE_REGISTRATION, AuditEntry, Coordinator.name)
        .join(Registration.member)
        .options(contains_eager(Registration.member))
        .outerjoin(AuditEntry, AuditEntry.registration_id == Registration.id)
        .outerjoin(Coordinator, Coordinator.id == AuditEntry.coordinator_id)
        .where(Registration.id == registration_id, Registration.meeting_id == meeting.id)
        .order_by(AuditEntry.id)
    )
    rows = db_session.execute(query).all()
    if not rows:
        return None
    row, position, is_live_again, _, _ = rows[0]
    place = MemberRegistration(row, meeting, position)
    actions = [(entry, name) for *_, entry, name in rows if entry]
    return PersonDetails(place, row.member, is_live_again, actions)


def member_of(db_session: Session, registration_id: int, *, meeting_id: int) -> int | None:
    """The member of a registration, if it is one for this meeting."""
    query = select(Registration.member_id).where(
        Registration.id == registration_id, Registration.meeting_id == meeting_id
    )
    return db_session.scalar(query)


@dataclass(frozen=True)
class Counts:
    """The counts of one meeting."""

    held: int = 0
    waiting: int = 0
    cancelled: int = 0
    first_time: int = 0
    access: int = 0
    attended: int | None = None  # None while nobody's attendance is marked


def count_statuses(people: Sequence[Attendee]) -> Counts:
    """Count the people of a roster."""
    statuses = Counter(person.status for person in people)
    live = [person for person in people if person.status != RegistrationStatus.CANCELLED]
    marks = [person.attended for person in people if person.attended is not None]
    return Counts(
        **{status.value: statuses[status] for status in STATUSES},
        first_time=sum(person.first_time for person in live),
        access=sum(person.has_access_needs for person in live),
        attended=sum(marks) if marks else None,
    )
