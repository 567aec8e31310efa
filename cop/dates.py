"""How dates and times are said to people, in their language and in the community's zone.

The same words on pages, in mails and in calendars. Babel only: no Flask, no request.
"""

from dataclasses import dataclass
from datetime import date, datetime
from functools import lru_cache
from zoneinfo import ZoneInfo

from babel.dates import format_date, format_time, get_timezone_name

from cop.i18n import N_, translator

THIS_YEAR_WITHIN = 200  # days within which a date needs no year
# A page says the same few dates many times, and Babel reads its pattern and its locale each time.
_say_date, _say_time = lru_cache(2000)(format_date), lru_cache(500)(format_time)
_say_zone = lru_cache(100)(get_timezone_name)


@dataclass(frozen=True)
class Tile:
    """The date tile's three lines."""

    weekday: str
    day: str
    month: str


@dataclass(frozen=True)
class DateFormatter:
    """Who says the date: in which language and zone, and as of when."""

    language: str
    zone: ZoneInfo
    now: datetime

    def local(self, moment: datetime) -> datetime:
        """The moment on the community's clocks."""
        return moment.astimezone(self.zone)

    def dated(self, moment: datetime | date, short: str, long: str) -> str:
        """Say a date by the pattern for near ones, or by the one with the year."""
        on = self.local(moment).date() if isinstance(moment, datetime) else moment
        is_near = abs((on - self.local(self.now).date()).days) < THIS_YEAR_WITHIN
        return _say_date(on, short if is_near else long, locale=self.language)

    def tile(self, moment: datetime) -> Tile:
        """The date as the tile shows it."""
        weekday, month = self.dated(moment, "EEE", "EEE"), self.dated(moment, "MMM", "MMM yy")
        return Tile(weekday, str(self.local(moment).day), month)

    def on(self, moment: datetime | date) -> str:
        """Say `December 15`, with the year where it is not near."""
        return self.dated(moment, "MMMM d", "MMMM d, y")

    def day(self, moment: datetime | date) -> str:
        """Say `Tuesday, December 15`."""
        return self.dated(moment, "EEEE, MMMM d", "EEEE, MMMM d, y")

    def time(self, moment: datetime) -> str:
        """Say `11:30 am`."""
        said = _say_time(self.local(moment).time(), "h:mm a", locale=self.language)
        return said.replace("AM", "am").replace("PM", "pm")

    @property
    def zone_name(self) -> str:
        """Say `Eastern Time`."""
        return _say_zone(self.zone.key, zone_variant="generic", locale=self.language)

    def clock(self, starts_at: datetime, ends_at: datetime) -> str:
        """Say `11:30 am to 1:00 pm Eastern Time`."""
        say = translator(self.language)
        return say(N_("%(start)s to %(end)s %(zone)s")) % {
            "start": self.time(starts_at),
            "end": self.time(ends_at),
            "zone": self.zone_name,
        }

    def when(self, starts_at: datetime, ends_at: datetime) -> str:
        """Say `Tuesday, December 15, 11:30 am to 1:00 pm Eastern Time`."""
        return f"{self.day(starts_at)}, {self.clock(starts_at, ends_at)}"

    def stamp(self, moment: datetime) -> str:
        """Say `Nov 21, 9:14 am`, for tables."""
        return f"{self.dated(moment, 'MMM d', 'MMM d, y')}, {self.time(moment)}"
