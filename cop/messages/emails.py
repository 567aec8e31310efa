"""Compose a coordinator's message to a member, with its placeholders filled in."""

import re
from collections.abc import Callable, Mapping

from markupsafe import Markup, escape

from cop.mail.letter import Letter, Link, Prose
from cop.mail.recipients import Recipient
from cop.mail.writer import LetterWriter
from cop.markdown import to_html
from cop.meetings.emails import session_block, topic_of
from cop.meetings.locking import MeetingFacts
from cop.models.audit import Announcement

SUBJECT_PLACEHOLDERS = ("name", "session", "date", "time")
PLACEHOLDERS = (*SUBJECT_PLACEHOLDERS, "link to their page", "link to the session")
_BRACES = re.compile(r"\{([^{}]*)\}")


def unknown_placeholder(text: str, known: tuple[str, ...]) -> str | None:
    """Return the first placeholder in a text that is not among the known ones."""
    return next((name for name in _BRACES.findall(text) if name not in known), None)


def letter(
    writer: LetterWriter, to: Recipient, meeting: MeetingFacts, message: Announcement
) -> Letter:
    """Compose the message to one recipient."""
    writer = writer.to(to)
    return writer.member_letter(
        to,
        _fill(message.subject, _values(writer, to, meeting), _as_text),
        fill_placeholders(writer, to, meeting, message.text),
        session_block(writer, meeting),
    )


def fill_placeholders(
    writer: LetterWriter, to: Recipient, meeting: MeetingFacts, text: str
) -> Prose:
    """Fill in the placeholders of a text for one recipient."""
    values = _values(writer.to(to), to, meeting)
    # Render Markdown before filling in values, so that a name is never taken for Markdown.
    html = _fill(to_html(text), values, _as_html)
    return Prose(_fill(text, values, _as_text), Markup(html))  # noqa: S704 - sanitized, escaped


def _values(writer: LetterWriter, to: Recipient, meeting: MeetingFacts) -> Mapping[str, str | Link]:
    session_page = writer.pgettext("link text", "the session page")
    return {
        "name": to.display_name or writer.pgettext("salutation", "colleague"),
        "session": topic_of(writer, meeting),
        "date": writer.dates.long_date(meeting.starts_at),
        "time": writer.dates.time_range(meeting.starts_at, meeting.ends_at),
        "link to their page": Link(writer.pgettext("link text", "your page"), writer.my_page(to)),
        "link to the session": Link(session_page, writer.links.meeting(meeting.slug)),
    }


def _fill(text: str, values: Mapping[str, str | Link], format_: Callable[[str | Link], str]) -> str:
    """Replace each placeholder once; braces inside of values stay as they are."""
    return _BRACES.sub(lambda m: format_(values[m[1]]) if m[1] in values else m[0], text)


def _as_text(value: str | Link) -> str:
    return value.url if isinstance(value, Link) else value


def _as_html(value: str | Link) -> str:
    if isinstance(value, Link):
        return f'<a href="{escape(value.url)}">{escape(value.text)}</a>'
    return str(escape(value))
