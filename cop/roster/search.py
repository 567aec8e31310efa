"""Searching a roster: whom of it somebody wants to see, and in which order.

Among the people of one meeting, as they were read: no database knows that é is an É, or an e.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from cop.models.registration import RegistrationStatus
from cop.person_names import fold_without_pronouns
from cop.roster.roster import RANK, Attendee

SORTS = ("registered", "name", "organization")
CAME = {"yes": True, "no": False, "unknown": None}


@dataclass(frozen=True)
class RosterFilter:
    """Whom somebody wants to see; where nothing is said, everybody."""

    text: str = ""
    status: str = ""
    hat: str = ""
    came: str = ""
    first_time: bool = False
    access: bool = False
    sort: str = SORTS[0]

    def is_met_by(self, person: Attendee) -> bool:
        """Whether this is somebody whom they want to see, whatever they typed."""
        return (
            self.status in {"", person.status}
            and (not self.hat or self.hat in person.hats)
            and (not self.came or CAME[self.came] is person.attended)
            and (person.first_time or not self.first_time)
            and (person.asks_for_access or not self.access)
        )


def filter_attendees(people: Iterable[Attendee], wanted: RosterFilter) -> list[Attendee]:
    """The people who are wanted: those with a place first, and the waiting in their turn."""
    words = fold_without_pronouns(wanted.text).split()
    found = [person for person in people if wanted.is_met_by(person) and _has(person, words)]
    return sorted(found, key=lambda person: _order(person, wanted.sort))


def _has(person: Attendee, words: list[str]) -> bool:
    if not words:
        return True
    said = fold_without_pronouns(f"{person.name} {person.email} {person.organization}")
    return all(word in said for word in words)


def _order(person: Attendee, sort: str) -> tuple[Any, ...]:
    group = RANK[person.status]
    if sort == "name":
        return group, fold_without_pronouns(person.name), person.id
    if sort == "organization":  # who comes as themself, behind all others
        of = (not person.organization, fold_without_pronouns(person.organization))
        return group, *of, fold_without_pronouns(person.name), person.id
    if person.status == RegistrationStatus.WAITING:
        return group, person.id
    return group, person.registered_at, person.id
