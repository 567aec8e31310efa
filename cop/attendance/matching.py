"""Recognizing the people of a report among those on the roster: by address, by name, or not."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Protocol, TypeVar

from cop import email_addresses
from cop.attendance.zoom_report import Participant
from cop.errors import InvalidAddress
from cop.person_names import fold, is_bot, is_device, name_variants


class MatchKind(Enum):
    """How sure it is who somebody in the report is."""

    BY_EMAIL = "by email"
    BY_NAME = "by name"
    UNKNOWN = "unknown"
    DEVICE = "device"
    BOT = "bot"


class Rostered(Protocol):
    """Somebody on the roster."""

    @property
    def id(self) -> int: ...
    @property
    def name(self) -> str: ...
    @property
    def email_key(self) -> str: ...


Person = TypeVar("Person", bound=Rostered)


@dataclass(frozen=True)
class Match:
    """Somebody in the report, and who that is on the roster, if that is plain."""

    number: int
    who: Participant
    kind: MatchKind
    person_id: int | None = None


def match_participants(
    participants: Sequence[Participant], roster: Sequence[Rostered]
) -> list[Match]:
    """Say for each in the report who on the roster that is.

    An address decides; a name does only where exactly one on the roster has it.
    """
    by_email = {person.email_key: person.id for person in roster}
    found = [by_email.get(_key(participant.email)) for participant in participants]
    by_name: dict[str, set[int]] = {}
    for person in roster:
        for spelling in name_variants(person.name):
            by_name.setdefault(spelling, set()).add(person.id)
    return [
        Match(number, who, MatchKind.BY_EMAIL, id_) if id_ else _by_name(number, who, by_name)
        for number, (who, id_) in enumerate(zip(participants, found, strict=True))
    ]


def _key(email: str) -> str:
    try:
        return email_addresses.normalize(email) if email else ""
    except InvalidAddress:
        return ""


def _by_name(number: int, who: Participant, by_name: Mapping[str, set[int]]) -> Match:
    if is_bot(who.name):
        return Match(number, who, MatchKind.BOT)
    same = {id_ for spelling in name_variants(who.name) for id_ in by_name.get(spelling, ())}
    if len(same) == 1:
        return Match(number, who, MatchKind.BY_NAME, same.pop())
    return Match(number, who, MatchKind.DEVICE if is_device(who.name) else MatchKind.UNKNOWN)


def closest_name(people: Sequence[Person]) -> Callable[[str], list[Person]]:
    """Rank people for a name: those first whose names have most in common with it."""
    pieces = {person.id: _trigrams(person.name) for person in people}

    def nearest(name: str) -> list[Person]:
        wanted = _trigrams(name)
        return sorted(people, key=lambda person: -_similarity(wanted, pieces[person.id]))

    return nearest


def _trigrams(name: str) -> set[str]:
    """The words of a name, and each three letters that follow each other."""
    folded = f" {fold(name)} "
    return {folded[at : at + 3] for at in range(len(folded) - 2)} | set(folded.split())


def _similarity(one: set[str], other: set[str]) -> float:
    return len(one & other) / (len(one | other) or 1)
