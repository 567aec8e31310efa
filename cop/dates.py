"""Format dates and times in a language and a time zone."""

from dataclasses import dataclass
from datetime import date, datetime
from functools import lru_cache
from zoneinfo import ZoneInfo

from babel import Locale
from babel.dates import format_date, format_interval, format_skeleton, get_timezone_name

NEAR_DAYS = 200  # a date that is fewer days away is written without its year
# Babel puts narrow no-break spaces into times. They are replaced, since some fonts lack them, and
# searches and CSV readers do not take them for spaces.
_PLAIN_SPACES = {0x2009: " ", 0x202F: " "}


@dataclass(frozen=True)
class Tile:
    """The three lines of a date tile."""

    weekday: str
    day: str
    month: str


@dataclass(frozen=True)
class DateFormatter:
    """Formats dates in one language and time zone, relative to `now`."""

    language: str
    zone: ZoneInfo
    now: datetime

    def local(self, moment: datetime) -> datetime:
        """Convert a moment to the local time of the zone."""
        return moment.astimezone(self.zone)

    def format(self, moment: datetime | date, near: str, far: str) -> str:
        """Format a date by the CLDR skeleton `near`, or by `far`, which has the year."""
        skeleton = far if self._is_far(moment) else near
        return _by_skeleton(skeleton, self._local_date(moment), self.language)

    def tile(self, moment: datetime) -> Tile:
        """Format a date tile; the year, where it matters, stands beside it."""
        day = self._local_date(moment)
        weekday, month = (_by_skeleton(field, day, self.language) for field in ("E", "MMM"))
        return Tile(weekday, str(day.day), month)

    def short_date(self, moment: datetime | date) -> str:
        """Format like `December 15`."""
        return self.format(moment, "MMMMd", "yMMMMd")

    def long_date(self, moment: datetime | date) -> str:
        """Format like `Tuesday, December 15`."""
        day = self._local_date(moment)
        return _with_weekday(day, self.language, has_year=self._is_far(moment))

    def time(self, moment: datetime) -> str:
        """Format like `11:30 AM`."""
        return _by_skeleton("hm", self.local(moment).replace(tzinfo=None), self.language)

    def axis_label(self, moment: datetime) -> tuple[str, str]:
        """Format like `Dec` and `2026`, for two lines of a chart."""
        return self.format(moment, "MMM", "MMM"), self.format(moment, "y", "y")

    @property
    def zone_name(self) -> str:
        """The zone's name, like `ET`."""
        return _zone_name(self.zone.key, self.language)

    def time_range(self, starts_at: datetime, ends_at: datetime) -> str:
        """Format like `11:30 AM – 1:00 PM ET`."""
        start, end = (self.local(moment).replace(tzinfo=None) for moment in (starts_at, ends_at))
        return f"{_interval(start, end, self.language)} {self.zone_name}"

    def date_and_time(self, starts_at: datetime, ends_at: datetime) -> str:
        """Format like `Tuesday, December 15, 11:30 AM – 1:00 PM ET`."""
        return f"{self.long_date(starts_at)}, {self.time_range(starts_at, ends_at)}"

    def timestamp(self, moment: datetime) -> str:
        """Format like `Nov 21, 9:14 AM`, for tables."""
        return f"{self.format(moment, 'MMMd', 'yMMMd')}, {self.time(moment)}"

    def _local_date(self, moment: datetime | date) -> date:
        return self.local(moment).date() if isinstance(moment, datetime) else moment

    def _is_far(self, moment: datetime | date) -> bool:
        return abs((self._local_date(moment) - self._local_date(self.now)).days) >= NEAR_DAYS


# Cached, since a page shows the same few dates many times, and Babel parses the pattern each time.
@lru_cache(2000)
def _by_skeleton(skeleton: str, moment: datetime | date, language: str) -> str:
    return format_skeleton(skeleton, moment, locale=language).translate(_PLAIN_SPACES)


@lru_cache(500)
def _with_weekday(day: date, language: str, *, has_year: bool) -> str:
    if has_year:
        return format_date(day, "full", language)
    # CLDR asks programs to widen E (Tue) to EEEE (Tuesday), which Babel does not do.
    pattern = Locale.parse(language).datetime_skeletons["MMMMEd"].pattern
    return format_date(day, pattern.replace("E", "EEEE"), language)


@lru_cache(500)
def _interval(start: datetime, end: datetime, language: str) -> str:
    return format_interval(start, end, "hm", locale=language).translate(_PLAIN_SPACES)


@lru_cache(100)
def _zone_name(key: str, language: str) -> str:
    """Return the shortest name of a zone; its key if CLDR has none.

    In that case Babel returns a place in parentheses, which is skipped.
    """
    names = (
        get_timezone_name(key, width, locale=language, zone_variant="generic")
        for width in ("short", "long")
    )
    return next((name for name in names if "(" not in name), key)
