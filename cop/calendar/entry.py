"""The text of a calendar entry."""

from collections.abc import Iterator
from dataclasses import dataclass

from cop.community.community import CommunityFacts
from cop.dates import DateFormatter
from cop.i18n import N_, translator
from cop.links import Links
from cop.meetings.emails import preparation
from cop.meetings.locking import TOPIC_TO_BE_ANNOUNCED, MeetingFacts


@dataclass(frozen=True)
class CalendarEntry:
    """A meeting's calendar entry: public, or with `join_url` that of one attendee."""

    meeting: MeetingFacts
    community: CommunityFacts
    links: Links
    language: str
    join_url: str | None = None

    @property
    def title(self) -> str:
        """Format like `Equity in Data: How much is enough?`."""
        topic = self.meeting.topic or self._translate(TOPIC_TO_BE_ANNOUNCED)
        title = f"{self.community.short_name}: {topic}"
        if self.meeting.is_cancelled:
            return self._translate(N_("CANCELLED: %(title)s"), title=title)
        return title

    @property
    def location(self) -> str:
        """The join link, else the usual place; calendar programs turn a URL into a link."""
        if self.join_url and not self.meeting.is_cancelled:
            return self.join_url
        return self.community.location

    @property
    def url(self) -> str:
        return self.links.meeting(self.meeting.slug)

    @property
    def page_line(self) -> str:
        """The line with the URL of the meeting's page."""
        return self._translate(N_("The session's page: %(address)s"), address=self.url)

    @property
    def description(self) -> str:
        if self.meeting.is_cancelled:
            sentence = self._translate(N_("This session does not take place."))
            paragraphs = [self._with_reason(sentence)]
        else:
            paragraphs = [*self._moved(), *self._preparation()]
        return "\n\n".join([*paragraphs, self.page_line])

    def _translate(self, sentence: str, **values: str) -> str:
        return translator(self.language)(sentence) % values

    def _with_reason(self, sentence: str) -> str:
        return f"{sentence} {self.meeting.reason}" if self.meeting.reason else sentence

    def _moved(self) -> Iterator[str]:
        if self.meeting.moved_from:
            # Relative to the meeting, not to now: the year is added where the dates are far apart.
            dates = DateFormatter(self.language, self.community.zone_info, self.meeting.starts_at)
            date = dates.short_date(self.meeting.moved_from)
            yield self._with_reason(self._translate(N_("Moved from %(date)s."), date=date))

    def _preparation(self) -> Iterator[str]:
        """Yield the lines that help attendees prepare, the join link first."""
        meeting = self.meeting
        if self.join_url:
            yield self._translate(N_("The way in: %(address)s"), address=self.join_url)
        if meeting.summary:
            yield meeting.summary
        yield from preparation(meeting, self.language)
