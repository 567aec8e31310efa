"""The data stored about a member, in readable form.

Made from the question registry: each value with its purpose, who sees it, and until when it is
stored. So no stored value can be missing.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime

from cop.i18n import N_
from cop.mail.writer import LetterWriter
from cop.meetings.locking import Announced
from cop.members.members import MemberData, MemberRegistration
from cop.models.meeting import MeetingStatus
from cop.models.registration import Member, Registration
from cop.questions import registry
from cop.questions.field import Field

# Sentences for columns whose field's label alone would be ambiguous.
_COLUMN_SENTENCES = {
    "email_key": N_("We look you up by: %(value)s"),
    "registered_at": N_("Registered: %(value)s"),
    "language": N_("Language of the form: %(value)s"),
    "promoted_at": N_("Got a spot from the waiting list: %(value)s"),
    "cancelled_at": N_("Canceled: %(value)s"),
    "announced": N_("What our last email told you: %(value)s"),
    "attended": N_("Attended: %(value)s"),
    "minutes_present": N_("Minutes in the session: %(value)s"),
    "joined_at": N_("Used the join link: %(value)s"),
    "room": N_("Room %(value)s"),
    "list_requested_at": N_("Signed up: %(value)s"),
    "list_confirmed_at": N_("Confirmed: %(value)s"),
    "verified_at": N_("Last used a link from our emails: %(value)s"),
    "undeliverable_at": N_("An email came back: %(value)s"),
    "opt_outs": N_("Turned off: %(value)s"),
    "token_version": N_("Your link has a secret code"),
    "calendar_version": N_("Your calendar link has a secret code"),
}
_LABELS = {
    "held": N_("You're registered"),
    "waiting": N_("You're on the waiting list"),
    "cancelled": N_("Your registration is canceled"),
    "reminders": N_("Reminders before sessions"),
    "takeaways": N_("Notes after sessions"),
    "en": N_("English"),
    "es": N_("Spanish"),
    "pt": N_("Portuguese"),
}


@dataclass(frozen=True)
class HeldValue:
    """A stored value in words."""

    field: Field
    text: str
    deleted_at: datetime | None  # None if stored until the member leaves the mailing list


def registration_values(
    registration: MemberRegistration, *, writer: LetterWriter
) -> list[HeldValue]:
    """Everything that is stored with one registration."""
    row, ends_at = registration.row, registration.meeting.ends_at
    return [
        HeldValue(field, _format_field(field, row, writer), ends_at + retention)
        for field in registry.FIELDS
        if (retention := writer.community.retention_of(field))
        and not registry.is_about_member(field)
        and _is_shown(field, row)
    ]


def optional_answers(registration: MemberRegistration, *, writer: LetterWriter) -> list[HeldValue]:
    """The optional answers stored with one registration: each can be deleted alone."""
    values = registration_values(registration, writer=writer)
    return [value for value in values if value.field in registry.OPTIONAL_ANSWERS]


def member_values(member: MemberData, *, writer: LetterWriter) -> list[HeldValue]:
    """Everything that is stored about the member apart from their registrations."""
    ends = [each.meeting.ends_at + writer.community.retention for each in member.registrations]
    deleted_at = None if member.row.list_confirmed_at else max(ends, default=writer.now)
    return [
        HeldValue(field, _format_field(field, member.row, writer), deleted_at)
        for field in registry.FIELDS
        if registry.is_about_member(field) and _is_shown(field, member.row)
    ]


def _is_shown(field: Field, row: Member | Registration) -> bool:
    # A field that belongs to another answer is shown with it, even if it has its default value.
    return field.is_answered_in(row) or bool(field.asked_with and getattr(row, field.asked_with))


def _format_field(field: Field, row: Member | Registration, writer: LetterWriter) -> str:
    """Format the values that are not blank, each in its column's sentence if any."""
    texts = []
    for column in field.columns:
        value = getattr(row, column)
        if value in (None, "", []) or (value is False and column != "attended"):
            continue
        text = _format_value(field, column, value, writer)
        sentence = _COLUMN_SENTENCES.get(column)
        texts.append(writer.translate(sentence, value=text) if sentence else text)
    return "; ".join(texts)


def _format_value(field: Field, column: str, value: object, writer: LetterWriter) -> str:
    if column == "announced":
        return _format_announced(Announced.read(str(value)), writer)
    match value:
        case datetime():
            return writer.dates.timestamp(value)
        case date():
            return writer.dates.short_date(value)
        case bool():
            return writer.pgettext("answer", "Yes") if value else writer.pgettext("answer", "No")
        case list():
            return "; ".join(_format_value(field, column, each, writer) for each in value)
    label = _labels(field, column).get(str(value))
    return writer.translate(label) if label else str(value)


def _labels(field: Field, column: str) -> Mapping[str, str]:
    """The labels of a column's stored values; text in somebody's own words has none."""
    if column in {"status", "opt_outs", "language"}:
        return _LABELS
    choices = field.choices if column == field.name else ()
    return {choice.value: choice.label for choice in choices}


def _format_announced(snapshot: Announced, writer: LetterWriter) -> str:
    times = (datetime.fromisoformat(snapshot.starts_at), datetime.fromisoformat(snapshot.ends_at))
    if snapshot.status == MeetingStatus.CANCELLED:
        sentence = N_("%(when)s, canceled")
    elif snapshot.join_url_hash:
        sentence = N_("%(when)s, with a join link")
    else:
        sentence = N_("%(when)s, without a join link")
    return writer.translate(sentence, when=writer.dates.date_and_time(*times))
