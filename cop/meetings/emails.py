"""How emails and calendar entries show a session."""

from cop.mail.letter import Link, Session
from cop.mail.writer import LetterWriter
from cop.meetings.locking import TOPIC_TO_BE_ANNOUNCED, MeetingFacts


def date_of(writer: LetterWriter, meeting: MeetingFacts) -> str:
    """Format a session's date, like `December 15`."""
    return writer.dates.short_date(meeting.starts_at)


def topic_of(writer: LetterWriter, meeting: MeetingFacts) -> str:
    """Return the session's topic, or "Topic to be announced"."""
    return meeting.topic or writer.translate(TOPIC_TO_BE_ANNOUNCED)


def session_block(
    writer: LetterWriter, meeting: MeetingFacts, *lines: str, links: tuple[Link, ...] = ()
) -> Session:
    """Compose the block that shows a session: date, topic, time, lines and links."""
    return Session(
        tile=writer.dates.tile(meeting.starts_at),
        topic=topic_of(writer, meeting),
        when=writer.dates.date_and_time(meeting.starts_at, meeting.ends_at),
        lines=lines,
        links=links,
        is_cancelled=meeting.is_cancelled,
    )


def preparation(writer: LetterWriter, meeting: MeetingFacts) -> list[str]:
    """Compose the lines about guests, the reading and the question."""
    _, lines = writer.translate, []
    if meeting.guests:
        lines.append(_("Guest: %(guests)s", guests=meeting.guests))
    if title := meeting.reading_title:
        sentence = _("Read before the session: %(title)s", title=title)
        if minutes := meeting.reading_minutes:
            sentence = writer.ngettext(
                "Read before the session: %(title)s (%(num)s minute)",
                "Read before the session: %(title)s (%(num)s minutes)",
                minutes,
                title=title,
            )
        lines.append(f"{sentence} {meeting.reading_url or ''}".rstrip())
    if question := meeting.prep_question:
        lines.append(_("Think about one question: %(question)s", question=question))
    return lines
