"""What is kept about a member, as people read it: each value, why, who sees it, when it goes.

Made from the field registry, so that nothing that is kept can be missing.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import inspect

from cop import fields
from cop.domain.meetings import Announced
from cop.domain.members import Known, Place
from cop.fields import Field
from cop.mail.writer import Writer
from cop.models import Member
from cop.words import N_

_OF_MEMBER = {column.key for column in inspect(Member).columns}
_REGISTRY = tuple(field for field in (*fields.QUESTIONS, *fields.NOTED) if field.columns)
# What a value is, where the field has several that the label does not tell apart.
_CALLED = {
    "email_key": N_("compared as"),
    "status": N_("now"),
    "registered_at": N_("registered"),
    "language": N_("language of the form"),
    "promoted_at": N_("came off the waiting list"),
    "cancelled_at": N_("given up on"),
    "announced": N_("our mail last told you"),
    "attended": N_("noted by the hosts"),
    "minutes_present": N_("minutes in the session"),
    "joined_at": N_("used the way in"),
    "room": N_("number"),
    "list_requested_at": N_("asked for"),
    "list_confirmed_at": N_("confirmed"),
    "verified_at": N_("last used a link of ours"),
    "undeliverable_at": N_("mail came back"),
    "opt_outs": N_("switched off"),
    "token_version": N_("number of your link"),
    "calendar_version": N_("number of your calendar's address"),
}
_WORDS = {
    "held": N_("a place"),
    "waiting": N_("on the waiting list"),
    "cancelled": N_("given up, or taken back"),
    "planned": N_("takes place"),
    "reminders": N_("reminders"),
    "takeaways": N_("notes after sessions"),
}


@dataclass(frozen=True)
class Kept:
    """One thing that is kept: what it is, and when it goes; None: when they leave the list."""

    field: Field
    said: str
    goes_at: datetime | None


def of_place(place: Place, *, writer: Writer) -> list[Kept]:
    """Everything that is kept of one registration."""
    return [
        Kept(field, _said(field, place.values, writer), place.meeting.ends_at + kept)
        for field in _REGISTRY
        if (kept := writer.community.keeps(field)) and not _is_of_member(field)
        if _is_there(field, place.values)
    ]


def of_member(known: Known, *, writer: Writer) -> list[Kept]:
    """Everything that is kept of the member, whichever sessions they chose."""
    ends = [place.meeting.ends_at + writer.community.long for place in known.places]
    goes_at = None if known.to.list_confirmed_at else max(ends, default=writer.now)
    return [
        Kept(field, _said(field, known.values, writer), goes_at)
        for field in _REGISTRY
        if _is_of_member(field) and _is_there(field, known.values)
    ]


def answers(place: Place, *, writer: Writer) -> list[Kept]:
    """The optional answers that are kept for one meeting: each can be deleted alone."""
    return [kept for kept in of_place(place, writer=writer) if kept.field in OPTIONAL_ANSWERS]


def _is_of_member(field: Field) -> bool:
    return set(field.columns) <= _OF_MEMBER


OPTIONAL_ANSWERS = tuple(
    field
    for field in fields.QUESTIONS
    if field.can_be_switched_off and field.columns and not _is_of_member(field)
)


def _is_there(field: Field, values: Mapping[str, object]) -> bool:
    if field is fields.PREP_VISIBILITY and values["prep_answer"]:
        return True  # also where it is what it is for everybody who has not chosen
    own = {words.name: words.blank for words in field.own_words}
    return any(values[column] != own.get(column, field.blank) for column in field.columns)


def _said(field: Field, values: Mapping[str, object], writer: Writer) -> str:
    pairs = ((column, values[column]) for column in field.columns)
    return "; ".join(said for pair in pairs for said in _one_said(field, *pair, writer))


def _one_said(field: Field, column: str, value: object, writer: Writer) -> Iterator[str]:
    """One value in words, with what it is where that does not go without saying."""
    if value is None or (value is False and column != "attended") or value in ("", []):
        return
    said = _in_words(field, column, value, writer)
    called = _CALLED.get(column)
    yield f"{writer.say(called)}: {said}" if called else said


def _in_words(field: Field, column: str, value: object, writer: Writer) -> str:
    if column == "announced":
        return _telling_said(Announced.read(str(value)), writer)
    match value:
        case datetime():
            return writer.dates.stamp(value)
        case date():
            return writer.dates.on(value)
        case bool():
            return writer.say(N_("Yes")) if value else writer.say(N_("No"))
        case list():
            return "; ".join(_in_words(field, column, each, writer) for each in value)
    label = _labels(field, column).get(str(value))
    return writer.say(label) if label else str(value)


def _labels(field: Field, column: str) -> Mapping[str, str]:
    """What the column's values are called; what somebody typed stays as it is."""
    if column in {"status", "opt_outs"}:
        return _WORDS
    is_own = any(words.name == column for words in field.own_words)
    return {} if is_own else {choice.value: choice.label for choice in field.choices}


def _telling_said(told: Announced, writer: Writer) -> str:
    moments = (datetime.fromisoformat(told.starts_at), datetime.fromisoformat(told.ends_at))
    status = writer.say(_WORDS.get(told.status, told.status))
    way_in = writer.say(N_("with a way in")) if told.way_in else ""
    return ", ".join(filter(None, (writer.dates.when(*moments), status, way_in)))
