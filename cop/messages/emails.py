"""Composes what a coordinator writes to those of a session, with a few placeholders filled in."""

import re
from collections.abc import Callable, Mapping

from markupsafe import Markup, escape

from cop.i18n import N_
from cop.mail.letter import Letter, Link, Prose
from cop.mail.recipients import Recipient
from cop.mail.writer import LetterWriter
from cop.markdown import to_html
from cop.meetings.emails import session_block, topic_of
from cop.meetings.locking import MeetingFacts
from cop.registration import emails

IN_SUBJECT = ("name", "session", "date", "time")
PLACEHOLDERS = (*IN_SUBJECT, "link to their page", "link to the session")
_BRACES = re.compile(r"\{([^{}]*)\}")
_Values = Mapping[str, str | Link]


def unknown_placeholder(text: str, known: tuple[str, ...]) -> str | None:
    """The first thing in braces that stands for nothing."""
    return next((found for found in _BRACES.findall(text) if found not in known), None)


def letter(
    writer: LetterWriter, to: Recipient, meeting: MeetingFacts, *, subject: str, text: str
) -> Letter:
    """What was written, to one of them; it asks for nothing but what concerns this session."""
    writer = writer.to(to)
    draft = writer.member_draft(
        to,
        _filled(subject, _values(writer, to, meeting), _in_text),
        fill_placeholders(writer, to, meeting, text),
        session_block(writer, meeting),
        why=emails.registered_reason(writer),
    )
    return draft.render()


def fill_placeholders(
    writer: LetterWriter, to: Recipient, meeting: MeetingFacts, text: str
) -> Prose:
    """The text with its placeholders filled in for one of them."""
    values = _values(writer.to(to), to, meeting)
    # The Markdown first: what is filled in is no Markdown, whatever somebody's name looks like.
    html = _filled(to_html(text), values, _in_html)
    return Prose(_filled(text, values, _in_text), Markup(html))  # noqa: S704 - cleaned, escaped


def _values(writer: LetterWriter, to: Recipient, meeting: MeetingFacts) -> _Values:
    """What each placeholder stands for; a name is shown to who is known to own the address."""
    page = writer.links.meeting(meeting.slug)
    return {
        "name": to.display_name or writer.translate(N_("colleague")),
        "session": topic_of(writer, meeting),
        "date": writer.dates.long_date(meeting.starts_at),
        "time": writer.dates.time_range(meeting.starts_at, meeting.ends_at),
        "link to their page": Link(writer.translate(N_("your page")), writer.my_page(to)),
        "link to the session": Link(writer.translate(N_("the session's page")), page),
    }


def _filled(text: str, values: _Values, said: Callable[[str | Link], str]) -> str:
    """The text with each placeholder replaced, once: what is filled in is not looked at again."""
    return _BRACES.sub(lambda found: said(values[found[1]]) if found[1] in values else found[0],
                       text)  # fmt: skip


def _in_text(value: str | Link) -> str:
    return value.url if isinstance(value, Link) else value


def _in_html(value: str | Link) -> str:
    if isinstance(value, Link):
        return f'<a href="{escape(value.url)}">{escape(value.text)}</a>'
    return str(escape(value))
