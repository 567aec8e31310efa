"""What is kept about a member, as people read it: each value, why, who sees it, when it goes.

Made from the field registry, so that nothing that is kept can be missing.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import inspect

from cop.i18n import N_
from cop.mail.writer import LetterWriter
from cop.meetings.locking import Announced
from cop.members.members import MemberData, MemberRegistration
from cop.models.registration import Member
from cop.questions import registry
from cop.questions.field import Field

_OF_MEMBER = {column.key for column in inspect(Member).columns}
_REGISTRY = tuple(field for field in (*registry.QUESTIONS, *registry.RECORDED) if field.columns)
# What a value is, where the field has several that the label does not tell apart.
_COLUMN_LABELS = {
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
_STATE_LABELS = {
    "held": N_("a place"),
    "waiting": N_("on the waiting list"),
    "cancelled": N_("given up, or taken back"),
    "planned": N_("takes place"),
    "reminders": N_("reminders"),
    "takeaways": N_("notes after sessions"),
}


@dataclass(frozen=True)
class HeldValue:
    """One thing that is kept: what it is, and when it goes; None: when they leave the list."""

    field: Field
    text: str
    deleted_at: datetime | None


def registration_values(place: MemberRegistration, *, writer: LetterWriter) -> list[HeldValue]:
    """Everything that is kept of one registration."""
    return [
        HeldValue(field, _format_field(field, place.values, writer), place.meeting.ends_at + kept)
        for field in _REGISTRY
        if (kept := writer.community.keeps(field)) and not _is_of_member(field)
        if _has_value(field, place.values)
    ]


def member_values(known: MemberData, *, writer: LetterWriter) -> list[HeldValue]:
    """Everything that is kept of the member, whichever sessions they chose."""
    ends = [place.meeting.ends_at + writer.community.long for place in known.places]
    goes_at = None if known.to.list_confirmed_at else max(ends, default=writer.now)
    return [
        HeldValue(field, _format_field(field, known.values, writer), goes_at)
        for field in _REGISTRY
        if _is_of_member(field) and _has_value(field, known.values)
    ]


def optional_answers(place: MemberRegistration, *, writer: LetterWriter) -> list[HeldValue]:
    """The optional answers that are kept for one meeting: each can be deleted alone."""
    return [
        kept for kept in registration_values(place, writer=writer) if kept.field in OPTIONAL_ANSWERS
    ]


def _is_of_member(field: Field) -> bool:
    return set(field.columns) <= _OF_MEMBER


OPTIONAL_ANSWERS = tuple(
    field
    for field in registry.QUESTIONS
    if field.can_be_switched_off and field.columns and not _is_of_member(field)
)


def _has_value(field: Field, values: Mapping[str, object]) -> bool:
    if field is registry.PREP_VISIBILITY and values["prep_answer"]:
        return True  # also where it is what it is for everybody who has not chosen
    own = {words.name: words.blank for words in field.own_words}
    return any(values[column] != own.get(column, field.blank) for column in field.columns)


def _format_field(field: Field, values: Mapping[str, object], writer: LetterWriter) -> str:
    pairs = ((column, values[column]) for column in field.columns)
    return "; ".join(said for pair in pairs for said in _format_column(field, *pair, writer))


def _format_column(field: Field, column: str, value: object, writer: LetterWriter) -> Iterator[str]:
    """One value in words, with what it is where that does not go without saying."""
    if value is None or (value is False and column != "attended") or value in ("", []):
        return
    said = _format_value(field, column, value, writer)
    called = _COLUMN_LABELS.get(column)
    yield f"{writer.translate(called)}: {said}" if called else said


def _format_value(field: Field, column: str, value: object, writer: LetterWriter) -> str:
    if column == "announced":
        return _format_announced(Announced.read(str(value)), writer)
    match value:
        case datetime():
            return writer.dates.timestamp(value)
        case date():
            return writer.dates.short_date(value)
        case bool():
            return writer.translate(N_("Yes")) if value else writer.translate(N_("No"))
        case list():
            return "; ".join(_format_value(field, column, each, writer) for each in value)
    label = _labels(field, column).get(str(value))
    return writer.translate(label) if label else str(value)


def _labels(field: Field, column: str) -> Mapping[str, str]:
    """What the column's values are called; what somebody typed stays as it is."""
    if column in {"status", "opt_outs"}:
        return _STATE_LABELS
    is_own = any(words.name == column for words in field.own_words)
    return {} if is_own else {choice.value: choice.label for choice in field.choices}


def _format_announced(told: Announced, writer: LetterWriter) -> str:
    moments = (datetime.fromisoformat(told.starts_at), datetime.fromisoformat(told.ends_at))
    status = writer.translate(_STATE_LABELS.get(told.status, told.status))
    way_in = writer.translate(N_("with a way in")) if told.join_url_hash else ""
    return ", ".join(filter(None, (writer.dates.date_and_time(*moments), status, way_in)))
