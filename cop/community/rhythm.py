"""Compute the times of meetings from a recurrence rule such as "third Tuesday"."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from itertools import islice, takewhile
from zoneinfo import ZoneInfo

from dateutil import tz
from dateutil.rrule import rrule, rrulestr


@dataclass(frozen=True)
class Recurrence:
    """When a community meets: an RFC 5545 recurrence rule and a local time."""

    rule: str
    starts: time
    minutes: int
    zone: ZoneInfo
    since: date | None = None  # the date that rules such as "every second week" count from

    def next_dates(self, count: int, *, now: datetime) -> list["Occurrence"]:
        """Return the next `count` occurrences that have not ended, earliest first."""
        yesterday = now.astimezone(self.zone).date() - timedelta(days=1)  # may last past midnight
        occurrences = map(self.on, self._days_from(yesterday))
        not_ended = (occurrence for occurrence in occurrences if occurrence.ends_at > now)
        return list(islice(not_ended, count))

    def last_before(self, now: datetime) -> "Occurrence | None":
        """Return the latest occurrence that has ended, or None if none has within a year."""
        a_year_ago = now.astimezone(self.zone).date() - timedelta(days=366)
        occurrences = map(self.on, self._days_from(a_year_ago))
        ended = list(takewhile(lambda occurrence: occurrence.ends_at <= now, occurrences))
        return ended[-1] if ended else None

    def on(self, day: date) -> "Occurrence":
        """Return the occurrence on a day, whether the rule includes that day or not."""
        local = datetime.combine(day, self.starts, tzinfo=self.zone)
        # Where the clocks skip this local time, the meeting starts as much later.
        starts_at = tz.resolve_imaginary(local).astimezone(UTC)
        return Occurrence(day, starts_at, starts_at + timedelta(minutes=self.minutes))

    def includes(self, day: date) -> bool:
        """Whether the rule includes a day."""
        return next(self._days_from(day), None) == day

    def _days_from(self, day: date) -> Iterator[date]:
        midnight = datetime.combine(day, time())
        # Counted from `day`, "every second week" would start with whichever week is asked for.
        counted_from = datetime.combine(self.since, time()) if self.since else midnight
        recurrence = rrulestr(self.rule, dtstart=counted_from)
        if not isinstance(recurrence, rrule):
            raise TypeError(f"One rule, not a set of them: {self.rule}")
        for moment in recurrence.xafter(midnight, inc=True):
            yield moment.date()


@dataclass(frozen=True)
class Occurrence:
    """One date of a recurrence, with its start and end in UTC."""

    on: date
    starts_at: datetime
    ends_at: datetime


WEEKDAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
OF_MONTH = ("1", "2", "3", "4", "-1")  # the first to the fourth, and the last such weekday
WEEKS = range(1, 5)
MONTHS = range(1, 13)


@dataclass(frozen=True)
class RecurrenceChoice:
    """A weekday, monthly or every few weeks, and the months without a meeting."""

    weekday: str
    of_month: str | None = None  # one of OF_MONTH; None: every `weeks` weeks
    weeks: int = 1
    months_off: tuple[int, ...] = ()

    @property
    def months(self) -> tuple[int, ...]:
        return tuple(month for month in MONTHS if month not in self.months_off)

    @property
    def counts_weeks(self) -> bool:
        """Whether the rule skips weeks, so that it needs a date to count them from."""
        return self.of_month is None and self.weeks > 1

    @property
    def rule(self) -> str:
        """The RFC 5545 rule; invalid if all months are off."""
        frequency = "WEEKLY" if self.of_month is None else "MONTHLY"
        parts = [f"FREQ={frequency}"]
        if self.counts_weeks:
            parts.append(f"INTERVAL={self.weeks}")
        parts.append(f"BYDAY={self.of_month or ''}{self.weekday}")
        if self.months_off:
            parts.append(f"BYMONTH={','.join(map(str, self.months))}")
        return ";".join(parts)


def parse(rule: str) -> RecurrenceChoice | None:
    """Parse a rule into a choice; None if it is not as simple as a choice."""
    parts = dict(part.partition("=")[::2] for part in rule.upper().split(";"))
    by_day = parts.pop("BYDAY", "")
    number, weekday = by_day[:-2].lstrip("+"), by_day[-2:]
    frequency, weeks = parts.pop("FREQ", ""), parts.pop("INTERVAL", "1")
    months = _months(parts.pop("BYMONTH", ",".join(map(str, MONTHS))))
    if parts or weekday not in WEEKDAYS or not months or weeks not in map(str, WEEKS):
        return None
    months_off = tuple(month for month in MONTHS if month not in months)
    if frequency == "MONTHLY" and number in OF_MONTH and weeks == "1":
        return RecurrenceChoice(weekday, of_month=number, months_off=months_off)
    if frequency == "WEEKLY" and not number:
        return RecurrenceChoice(weekday, weeks=int(weeks), months_off=months_off)
    return None


def _months(numbers: str) -> set[int]:
    """Parse month numbers; return an empty set if one is invalid or repeated."""
    months = {int(part) for part in numbers.split(",") if part.isascii() and part.isdigit()}
    return months if months <= set(MONTHS) and len(months) == numbers.count(",") + 1 else set()
