"""Searching a roster: whom of it somebody wants to see, and in which order.

Among the people of one meeting, as they were read: no database knows that é is an É, or an e.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from cop.domain.names import folded
from cop.domain.roster import RANK, Attendee
from cop.models import RegistrationStatus

SORTS = ("registered", "name", "organization")
CAME = {"yes": True, "no": False, "unknown": None}


@dataclass(frozen=True)
class Wanted:
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


def among(people: Iterable[Attendee], wanted: Wanted) -> list[Attendee]:
    """The people who are wanted: those with a place first, and the waiting in their turn."""
    words = folded(wanted.text).split()
    found = [person for person in people if wanted.is_met_by(person) and _has(person, words)]
    return sorted(found, key=lambda person: _order(person, wanted.sort))


def _has(person: Attendee, words: list[str]) -> bool:
    if not words:
        return True
    said = folded(f"{person.name} {person.email} {person.organization}")
    return all(word in said for word in words)


def _order(person: Attendee, sort: str) -> tuple[Any, ...]:
    group = RANK[person.status]
    if sort == "name":
        return group, folded(person.name), person.id
    if sort == "organization":  # who comes as themself, behind all others
        of = (not person.organization, folded(person.organization))
        return group, *of, folded(person.name), person.id
    if person.status == RegistrationStatus.WAITING:
        return group, person.id
    return group, person.registered_at, person.id
