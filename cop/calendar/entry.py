"""The texts of a calendar entry: public, or with one attendee's join link."""

from collections.abc import Iterator

from cop.dates import DateFormatter
from cop.i18n import N_
from cop.mail.writer import LetterWriter
from cop.meetings.emails import preparation, topic_of
from cop.meetings.locking import MeetingFacts


def title(writer: LetterWriter, meeting: MeetingFacts) -> str:
    """Format like `Equity in Data: How much is enough?`."""
    title = f"{writer.community.short_name}: {topic_of(writer, meeting)}"
    if meeting.is_cancelled:
        return writer.translate(N_("CANCELED: %(title)s"), title=title)
    return title


def location(writer: LetterWriter, meeting: MeetingFacts, join_url: str | None = None) -> str:
    """Return the join link, which programs make clickable, else the location."""
    return join_url if join_url and not meeting.is_cancelled else writer.community.location


def page_line(writer: LetterWriter, meeting: MeetingFacts) -> str:
    """Return the line with the URL of the meeting's page."""
    url = writer.links.meeting(meeting.slug)
    return writer.translate(N_("Session page: %(address)s"), address=url)


def description(writer: LetterWriter, meeting: MeetingFacts, join_url: str | None) -> str:
    """Return the text of an entry: the cancellation, or what helps people prepare."""
    return "\n\n".join(_paragraphs(writer, meeting, join_url))


def _paragraphs(writer: LetterWriter, meeting: MeetingFacts, join_url: str | None) -> Iterator[str]:
    _ = writer.translate
    reason = f" {meeting.reason}" if meeting.reason else ""
    if meeting.is_cancelled:
        yield _("This session is canceled.") + reason
    else:
        if moved_from := meeting.moved_from:
            # The formatter adds the year to dates far from its `now`. With the real time, this text
            # would change months later, although the meeting did not: so its start is `now` here.
            zone = writer.community.zone_info
            date = DateFormatter(writer.language, zone, meeting.starts_at).short_date(moved_from)
            yield _("Moved from %(date)s.", date=date) + reason
        if join_url:
            yield _("Your join link (opens 15 minutes early): %(address)s", address=join_url)
        if meeting.summary:
            yield meeting.summary
        yield from preparation(writer, meeting)
    yield page_line(writer, meeting)
