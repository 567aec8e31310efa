"""The roster: read, search and count the people registered for a meeting.

Searches run in Python: databases do not match é with É, or with e.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from sqlalchemy import Row, inspect, select
from sqlalchemy.orm import Session, contains_eager

from cop.mail.recipients import LIVE_STATUSES
from cop.meetings.schedule import Listing
from cop.members.members import MemberRegistration
from cop.models.audit import AuditEntry
from cop.models.coordinator import Coordinator
from cop.models.meeting import Meeting
from cop.models.registration import Member, Registration, RegistrationStatus
from cop.person_names import fold_letters
from cop.registration import waiting_list
from cop.registration.answers import HAS_ACCESS_NEEDS
from cop.roster.places import HAS_LIVE_REGISTRATION

# Selecting columns instead of ORM objects reads a page of 1,000 people in half the time.
OF_REGISTRATION, OF_MEMBER = inspect(Registration).columns, inspect(Member).columns
OF_MEETING = inspect(Meeting).columns

Attendee = Row[*tuple[Any, ...]]  # with the columns of `_SELECT_ATTENDEES`
_SELECT_ATTENDEES = (
    select(
        OF_REGISTRATION.id,
        OF_REGISTRATION.status,
        OF_REGISTRATION.name,
        OF_MEMBER.email,
        OF_REGISTRATION.organization,
        OF_REGISTRATION.pronouns,
        OF_REGISTRATION.hats,
        OF_REGISTRATION.hats_other,
        OF_REGISTRATION.first_time,
        OF_REGISTRATION.prep_answer,
        OF_REGISTRATION.registered_at,
        OF_REGISTRATION.attended,
        OF_REGISTRATION.joined_at,
        OF_MEMBER.undeliverable_at,
        HAS_ACCESS_NEEDS.label("has_access_needs"),  # without saying which
    )
    .join(OF_MEMBER.id.table)
    .order_by(OF_REGISTRATION.registered_at, OF_REGISTRATION.id)
)
_RANK: dict[str, int] = {status: rank for rank, status in enumerate(RegistrationStatus)}
_ATTENDED = {"yes": True, "no": False, "unknown": None}


def attendees(db_session: Session, meeting_id: int) -> Sequence[Attendee]:
    """Read everybody registered for a meeting, by time of registration."""
    query = _SELECT_ATTENDEES.where(OF_REGISTRATION.meeting_id == meeting_id)
    return db_session.execute(query).all()


@dataclass(frozen=True)
class RosterFilter:
    """Whom to show; an empty value does not filter."""

    text: str = ""
    status: str = ""
    hat: str = ""
    attended: str = ""
    first_time: bool = False
    access: bool = False
    sort: str = ""  # by time of registration

    def matches(self, person: Attendee) -> bool:
        """Whether a person passes all filters."""
        return (
            self.status in {"", person.status}
            and (not self.hat or self.hat in person.hats)
            and (not self.attended or _ATTENDED[self.attended] is person.attended)
            and (person.first_time or not self.first_time)
            and (person.has_access_needs or not self.access)
            and self.has_words(person)
        )

    def has_words(self, person: Attendee) -> bool:
        """Whether a person has all words of the search."""
        if not self.text:
            return True
        text = fold_letters(f"{person.name} {person.email} {person.organization}")
        return all(word in text for word in fold_letters(self.text).split())


def filter_attendees(people: Iterable[Attendee], criteria: RosterFilter) -> list[Attendee]:
    """Filter and sort people: with a spot, on the waiting list, then canceled."""
    found = filter(criteria.matches, people)
    return sorted(found, key=lambda person: _sort_key(person, criteria.sort))


def _sort_key(person: Attendee, sort: str) -> tuple[Any, ...]:
    group = _RANK[person.status]
    if sort == "name":
        return group, fold_letters(person.name), person.id
    if sort == "organization":  # people without one last
        organization = (not person.organization, fold_letters(person.organization))
        return group, *organization, fold_letters(person.name), person.id
    if person.status == RegistrationStatus.WAITING:
        return group, person.id
    return group, person.registered_at, person.id


def search_all(db_session: Session, text: str) -> list[list[Attendee]]:
    """Read everybody with a live registration who matches all words, sorted by name.

    Each person is the list of their live registrations, the latest session first.
    """
    columns = (
        *(OF_REGISTRATION[name] for name in ("id", "member_id", "status", "name", "organization")),
        *(OF_MEMBER.email, OF_MEMBER.undeliverable_at, OF_MEETING.slug, OF_MEETING.starts_at),
    )
    query = (
        select(*columns)
        .select_from(OF_REGISTRATION.id.table)
        .join(OF_MEMBER.id.table)
        .join(OF_MEETING.id.table)
        .where(OF_REGISTRATION.status.in_(LIVE_STATUSES))
        .order_by(OF_MEETING.starts_at.desc(), OF_REGISTRATION.id)
    )
    by_member = defaultdict(list)
    for row in db_session.execute(query):
        by_member[row.member_id].append(row)
    has_words = RosterFilter(text).has_words
    found = [rows for rows in by_member.values() if any(map(has_words, rows))]
    return sorted(found, key=lambda rows: (fold_letters(rows[0].name), rows[0].member_id))


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
        **statuses,
        first_time=sum(person.first_time for person in live),
        access=sum(person.has_access_needs for person in live),
        attended=sum(marks) if marks else None,
    )


class PersonDetails(NamedTuple):
    """One person on a roster, and the audit entries about them."""

    place: MemberRegistration
    is_live_again: bool  # canceled, and registered again
    actions: list[tuple[AuditEntry, str | None]]  # with the coordinator's name


def find_person(
    db_session: Session, registration_id: int, meeting: Listing
) -> PersonDetails | None:
    """Read one person on a meeting's roster, with the audit entries about them."""
    query = (
        select(
            Registration, waiting_list.POSITION, HAS_LIVE_REGISTRATION, AuditEntry, Coordinator.name
        )
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
    actions = [(entry, name) for *_, entry, name in rows if entry]
    return PersonDetails(MemberRegistration(row, meeting, position), is_live_again, actions)


def member_of(db_session: Session, registration_id: int, *, meeting_id: int) -> int | None:
    """The member id of a registration, if it is for this meeting."""
    query = select(Registration.member_id).where(
        Registration.id == registration_id, Registration.meeting_id == meeting_id
    )
    return db_session.scalar(query)
