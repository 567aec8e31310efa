"""Match the participants of a report to registrations, by address or by name."""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from enum import Enum
from typing import NamedTuple

from cop import email_addresses
from cop.attendance.zoom_report import Participant
from cop.errors import InvalidAddress
from cop.models.registration import Registration
from cop.person_names import fold, is_bot, is_device, name_variants


class MatchKind(Enum):
    """How a participant was matched, or why not."""

    BY_EMAIL = "by email"
    BY_NAME = "by name"
    UNKNOWN = "unknown"
    DEVICE = "device"
    BOT = "bot"


class Match(NamedTuple):
    """A participant of a report, with the id of the registration that matches."""

    number: int  # index in the report
    participant: Participant
    kind: MatchKind
    person_id: int | None = None  # of the registration


def match_participants(
    participants: Sequence[Participant], people: Sequence[Registration]
) -> list[Match]:
    """Match each participant by address, else by a name that is unique."""
    by_email = {person.member.email_key: person.id for person in people}
    by_name: dict[str, set[int]] = defaultdict(set)
    for person in people:
        for variant in name_variants(person.name):
            by_name[variant].add(person.id)
    matches = []
    for number, participant in enumerate(participants):
        id_ = by_email.get(_email_key(participant.email))
        kind, id_ = (MatchKind.BY_EMAIL, id_) if id_ else _match_by_name(participant.name, by_name)
        matches.append(Match(number, participant, kind, id_))
    return matches


def _email_key(email: str) -> str:
    try:
        return email_addresses.normalize(email) if email else ""
    except InvalidAddress:
        return ""


def _match_by_name(name: str, by_name: Mapping[str, set[int]]) -> tuple[MatchKind, int | None]:
    if is_bot(name):
        return MatchKind.BOT, None
    ids = {id_ for variant in name_variants(name) for id_ in by_name.get(variant, ())}
    if len(ids) == 1:
        return MatchKind.BY_NAME, ids.pop()
    return MatchKind.DEVICE if is_device(name) else MatchKind.UNKNOWN, None


def closest_names(people: Sequence[Registration]) -> Callable[[str], list[Registration]]:
    """Return a function that sorts people by how similar their names are to a name."""
    trigrams = {person.id: _trigrams(person.name) for person in people}

    def closest(name: str) -> list[Registration]:
        wanted = _trigrams(name)
        return sorted(people, key=lambda person: -_similarity(wanted, trigrams[person.id]))

    return closest


def _trigrams(name: str) -> set[str]:
    """The words of a name, and all sequences of three letters in it."""
    folded = f" {fold(name)} "
    return {folded[start : start + 3] for start in range(len(folded) - 2)} | set(folded.split())


def _similarity(one: set[str], other: set[str]) -> float:
    return len(one & other) / (len(one | other) or 1)
