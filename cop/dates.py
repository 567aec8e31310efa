"""Format dates and times in a language and a time zone."""

from dataclasses import dataclass
from datetime import date, datetime
from functools import lru_cache
from zoneinfo import ZoneInfo

from babel.dates import format_date, format_time, get_timezone_name

from cop.i18n import N_, catalog

NEAR_DAYS = 200  # a date at most this many days away is written without its year
# A page repeats a few dates many times, and Babel parses its pattern and locale at each call.
_format_date, _format_time = lru_cache(2000)(format_date), lru_cache(500)(format_time)
_zone_name = lru_cache(100)(get_timezone_name)


@dataclass(frozen=True)
class Tile:
    """The three lines of a date tile."""

    weekday: str
    day: str
    month: str


@dataclass(frozen=True)
class DateFormatter:
    """Formats dates in one language and time zone, seen from one moment."""

    language: str
    zone: ZoneInfo
    now: datetime

    def local(self, moment: datetime) -> datetime:
        """Convert a moment to the wall-clock time of the zone."""
        return moment.astimezone(self.zone)

    def format(self, moment: datetime | date, near: str, far: str) -> str:
        """Format a date by the pattern `near`, or by `far` (with the year)."""
        day = self.local(moment).date() if isinstance(moment, datetime) else moment
        is_near = abs((day - self.local(self.now).date()).days) < NEAR_DAYS
        return _format_date(day, near if is_near else far, locale=self.language)

    def tile(self, moment: datetime) -> Tile:
        """Format a date tile; it has the year where the date is not near."""
        weekday, month = self.format(moment, "EEE", "EEE"), self.format(moment, "MMM", "MMM yy")
        return Tile(weekday, str(self.local(moment).day), month)

    def short_date(self, moment: datetime | date) -> str:
        """Format like `December 15`."""
        return self.format(moment, "MMMM d", "MMMM d, y")

    def long_date(self, moment: datetime | date) -> str:
        """Format like `Tuesday, December 15`."""
        return self.format(moment, "EEEE, MMMM d", "EEEE, MMMM d, y")

    def time(self, moment: datetime) -> str:
        """Format like `11:30 am`."""
        time_ = _format_time(self.local(moment).time(), "h:mm a", locale=self.language)
        return time_.replace("AM", "am").replace("PM", "pm")

    @property
    def zone_name(self) -> str:
        """Return the zone's name, like `Eastern Time`."""
        return _zone_name(self.zone.key, zone_variant="generic", locale=self.language)

    def time_range(self, starts_at: datetime, ends_at: datetime) -> str:
        """Format like `11:30 am to 1:00 pm Eastern Time`."""
        return catalog(self.language).gettext(N_("%(start)s to %(end)s %(zone)s")) % {
            "start": self.time(starts_at),
            "end": self.time(ends_at),
            "zone": self.zone_name,
        }

    def date_and_time(self, starts_at: datetime, ends_at: datetime) -> str:
        """Format like `Tuesday, December 15, 11:30 am to 1:00 pm Eastern Time`."""
        return f"{self.long_date(starts_at)}, {self.time_range(starts_at, ends_at)}"

    def timestamp(self, moment: datetime) -> str:
        """Format like `Nov 21, 9:14 am`, for tables."""
        return f"{self.format(moment, 'MMM d', 'MMM d, y')}, {self.time(moment)}"
