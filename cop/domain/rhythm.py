"""The community's rhythm: from a rule such as "third Tuesday" to moments in time."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from itertools import islice
from zoneinfo import ZoneInfo

from dateutil import tz
from dateutil.rrule import rrule, rrulestr


@dataclass(frozen=True)
class Rhythm:
    """When a community meets: an RFC 5545 recurrence rule, and a wall time in a zone."""

    rule: str
    starts: time
    minutes: int
    zone: ZoneInfo
    since: date | None = None  # from when a rule such as "every second week" counts

    def upcoming(self, now: datetime) -> Iterator["Occurrence"]:
        """Every occurrence that has not ended at `now`, soonest first."""
        midnight = datetime.combine(now.astimezone(self.zone), time()) - timedelta(days=1)
        for day in self._days_from(midnight):
            occurrence = self.on(day)
            if occurrence.ends_at > now:
                yield occurrence

    def next_dates(self, count: int, *, now: datetime) -> list["Occurrence"]:
        """The next `count` occurrences."""
        return list(islice(self.upcoming(now), count))

    def last_before(self, now: datetime) -> "Occurrence | None":
        """The latest occurrence that has ended at `now`."""
        a_year_ago = datetime.combine(now.astimezone(self.zone), time()) - timedelta(days=366)
        latest = None
        for day in self._days_from(a_year_ago):
            occurrence = self.on(day)
            if occurrence.ends_at > now:
                break
            latest = occurrence
        return latest

    def on(self, day: date) -> "Occurrence":
        """The occurrence on a given day, whether the rule names that day or not."""
        local = datetime.combine(day, self.starts, tzinfo=self.zone)
        # A wall time that the clocks skip in spring is moved to the moment they jump to.
        starts_at = tz.resolve_imaginary(local).astimezone(UTC)
        return Occurrence(day, starts_at, starts_at + timedelta(minutes=self.minutes))

    def names(self, day: date) -> bool:
        """Whether the rule names a day."""
        return next(self._days_from(datetime.combine(day, time())), None) == day

    def _days_from(self, midnight: datetime) -> Iterator[date]:
        # Counted from the day of the look, every second week would be another one each week.
        begin = datetime.combine(self.since, time()) if self.since else midnight
        recurrence = rrulestr(self.rule, dtstart=begin)
        if not isinstance(recurrence, rrule):
            raise TypeError(f"One rule, not a set of them: {self.rule}")
        for moment in recurrence.xafter(midnight, inc=True):
            yield moment.date()


@dataclass(frozen=True)
class Occurrence:
    """One date of a rhythm, with its start and end in UTC."""

    on: date
    starts_at: datetime
    ends_at: datetime
