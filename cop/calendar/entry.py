"""What a calendar entry says of a meeting."""

from collections.abc import Iterator
from dataclasses import dataclass

from cop.community.community import CommunityFacts
from cop.dates import DateFormatter
from cop.i18n import N_, plural, translator
from cop.links import Links
from cop.meetings.locking import TOPIC_TO_BE_ANNOUNCED, MeetingFacts


@dataclass(frozen=True)
class CalendarEntry:
    """A meeting in a calendar: in anybody's, or with `way_in`, in that of one who holds a place."""

    meeting: MeetingFacts
    community: CommunityFacts
    links: Links
    language: str
    way_in: str | None = None

    @property
    def is_off(self) -> bool:
        return self.meeting.is_cancelled

    @property
    def title(self) -> str:
        """Say `Equity in Data: How much is enough?`."""
        topic = self.meeting.topic or self._say(TOPIC_TO_BE_ANNOUNCED)
        title = f"{self.community.short_name}: {topic}"
        return self._say(N_("CANCELLED: %(title)s"), title=title) if self.is_off else title

    @property
    def place(self) -> str:
        """Where to go; calendar programs make a link of it where it is an address."""
        return self.way_in if self.way_in and not self.is_off else self.community.location

    @property
    def address(self) -> str:
        return self.links.meeting(self.meeting.slug)

    @property
    def more(self) -> str:
        """Say where the rest is."""
        return self._say(N_("The session's page: %(address)s"), address=self.address)

    @property
    def description(self) -> str:
        said = [self._off()] if self.is_off else [*self._moved(), *self._before()]
        return "\n\n".join([*said, self.more])

    def _say(self, sentence: str, **values: str) -> str:
        return translator(self.language)(sentence) % values

    def _off(self) -> str:
        return self._with_reason(self._say(N_("This session does not take place.")))

    def _with_reason(self, said: str) -> str:
        return f"{said} {self.meeting.reason}" if self.meeting.reason else said

    def _moved(self) -> Iterator[str]:
        if self.meeting.moved_from:
            # As of the meeting, not of now: the year is said where the two dates lie far apart.
            speaker = DateFormatter(self.language, self.community.zone_info, self.meeting.starts_at)
            date = speaker.short_date(self.meeting.moved_from)
            yield self._with_reason(self._say(N_("Moved from %(date)s."), date=date))

    def _before(self) -> Iterator[str]:
        """What is good to have before coming, the way in above all."""
        meeting = self.meeting
        if self.way_in:
            yield self._say(N_("The way in: %(address)s"), address=self.way_in)
        if meeting.summary:
            yield meeting.summary
        if meeting.guests:
            yield self._say(N_("Guest: %(guests)s"), guests=meeting.guests)
        if meeting.reading_title:
            yield self._reading(meeting.reading_title)
        if question := meeting.prep_question:
            yield self._say(N_("A question to think about: %(question)s"), question=question)

    def _reading(self, title: str) -> str:
        if minutes := self.meeting.reading_minutes:
            say = plural(self.language)
            length = say(N_("%(num)s minute"), N_("%(num)s minutes"), minutes) % {"num": minutes}
            title = f"{title} ({length})"
        said = self._say(N_("To read before: %(title)s"), title=title)
        return f"{said} {self.meeting.reading_url}" if self.meeting.reading_url else said
