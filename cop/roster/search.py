"""Search, filter and sort a roster.

It runs in Python, on the people of one meeting: databases do not match é with É, or with e.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from cop.models.registration import RegistrationStatus
from cop.person_names import fold_without_pronouns
from cop.roster.roster import RANK, Attendee

SORTS = ("registered", "name", "organization")
ATTENDED = {"yes": True, "no": False, "unknown": None}


@dataclass(frozen=True)
class RosterFilter:
    """Whom to show; an empty value shows everybody."""

    text: str = ""
    status: str = ""
    hat: str = ""
    attended: str = ""
    first_time: bool = False
    access: bool = False
    sort: str = SORTS[0]

    def matches(self, person: Attendee) -> bool:
        """Whether a person passes all filters but the text."""
        return (
            self.status in {"", person.status}
            and (not self.hat or self.hat in person.hats)
            and (not self.attended or ATTENDED[self.attended] is person.attended)
            and (person.first_time or not self.first_time)
            and (person.has_access_needs or not self.access)
        )


def filter_attendees(people: Iterable[Attendee], criteria: RosterFilter) -> list[Attendee]:
    """Filter and sort people: places first, then the waiting list in its order, then canceled."""
    words = fold_without_pronouns(criteria.text).split()
    found = [p for p in people if criteria.matches(p) and _has_words(p, words)]
    return sorted(found, key=lambda person: _sort_key(person, criteria.sort))


def _has_words(person: Attendee, words: list[str]) -> bool:
    if not words:
        return True
    text = fold_without_pronouns(f"{person.name} {person.email} {person.organization}")
    return all(word in text for word in words)


def _sort_key(person: Attendee, sort: str) -> tuple[Any, ...]:
    group = RANK[person.status]
    if sort == "name":
        return group, fold_without_pronouns(person.name), person.id
    if sort == "organization":  # people without one last
        organization = (not person.organization, fold_without_pronouns(person.organization))
        return group, *organization, fold_without_pronouns(person.name), person.id
    if person.status == RegistrationStatus.WAITING:
        return group, person.id
    return group, person.registered_at, person.id
