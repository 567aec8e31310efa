"""How templates say dates, times, places and texts."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import lru_cache

import nh3
from babel.dates import format_date, format_time, get_timezone_name
from flask import Flask
from flask_babel import gettext
from markdown_it import MarkdownIt
from markupsafe import Markup

from cop import fields
from cop.domain.community import Facts
from cop.domain.schedule import Listing, Places
from cop.web.rendering import language, now
from cop.words import N_

_MARKDOWN = MarkdownIt("commonmark", {"html": False, "linkify": False})
_ALLOWED = {
    "p",
    "h2",
    "h3",
    "h4",
    "ul",
    "ol",
    "li",
    "em",
    "strong",
    "a",
    "blockquote",
    "code",
    "br",
    "hr",
}
_PLACES = {
    Places.PLENTY: N_("Places left"),
    Places.FEW: N_("5 or fewer places left"),
    Places.FULL: N_("Full, waiting list open"),
}
_ORDINALS = {
    "1": N_("first"), "2": N_("second"), "3": N_("third"), "4": N_("fourth"), "-1": N_("last"),
}  # fmt: skip
_WEEKDAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
A_MONDAY = date(2024, 1, 1)


def install(app: Flask) -> None:
    """Give templates these filters."""
    for say in (tile, on, day, clock, when, places_said, rhythm, markdown, stamp,
                weeks_before):  # fmt: skip
        app.jinja_env.filters[say.__name__] = say
    app.jinja_env.globals["never_asked"] = fields.NEVER_ASKED


@dataclass(frozen=True)
class Tile:
    """The date tile's three lines."""

    weekday: str
    day: str
    month: str


def _local(moment: datetime, community: Facts) -> datetime:
    return moment.astimezone(community.zone_info)


def _is_this_year(moment: date) -> bool:
    """Whether a date needs no year: within half a year of now, or in the same year."""
    return abs((moment - now().date()).days) < 200


def tile(meeting: Listing, community: Facts) -> Tile:
    """The date as the tile shows it; with the year where it is not near."""
    date_ = _local(meeting.starts_at, community).date()
    month = format_date(date_, "MMM" if _is_this_year(date_) else "MMM yy", locale=language())
    weekday = format_date(date_, "EEE", locale=language())
    return Tile(weekday, str(date_.day), month)


def on(moment: datetime | date, community: Facts) -> str:
    """Say `December 15`, with the year where it is not near."""
    date_ = _local(moment, community).date() if isinstance(moment, datetime) else moment
    pattern = "MMMM d" if _is_this_year(date_) else "MMMM d, y"
    return format_date(date_, pattern, locale=language())


def weeks_before(moment: datetime, weeks: int, community: Facts) -> str:
    """The day that is some weeks earlier, said like `on`."""
    return on(_local(moment, community).date() - timedelta(weeks=weeks), community)


def day(meeting: Listing, community: Facts) -> str:
    """Say `Tuesday, December 15`."""
    date_ = _local(meeting.starts_at, community).date()
    pattern = "EEEE, MMMM d" if _is_this_year(date_) else "EEEE, MMMM d, y"
    return format_date(date_, pattern, locale=language())


def _time(moment: datetime) -> str:
    said = format_time(moment, "h:mm a", locale=language())
    return said.replace("AM", "am").replace("PM", "pm")


def clock(meeting: Listing, community: Facts) -> str:
    """Say `11:30 am to 1:00 pm Eastern Time`."""
    start, end = _local(meeting.starts_at, community), _local(meeting.ends_at, community)
    return gettext("%(start)s to %(end)s %(zone)s", start=_time(start), end=_time(end),
                   zone=_zone_name(community))  # fmt: skip


def _zone_name(community: Facts) -> str:
    return get_timezone_name(community.zone, zone_variant="generic", locale=language())


def when(meeting: Listing, community: Facts) -> str:
    """Say `Tuesday, December 15, 11:30 am to 1:00 pm Eastern Time`."""
    return f"{day(meeting, community)}, {clock(meeting, community)}"


def stamp(moment: datetime, community: Facts) -> str:
    """Say `Nov 21, 9:14 am`, for tables."""
    local = _local(moment, community)
    return f"{format_date(local, 'MMM d', locale=language())}, {_time(local)}"


def places_said(meeting: Listing) -> str:
    """What can be said about the places of an open meeting; nothing where there is no limit."""
    if meeting.is_full and meeting.has_begun:
        return gettext("Full")
    return gettext(_PLACES[meeting.places]) if meeting.places else ""


def rhythm(community: Facts) -> str:
    """Say `Third Tuesday of each month, 11:30 am to 1:00 pm Eastern Time`, for the usual rules."""
    parts = dict(part.split("=", 1) for part in community.rule.upper().split(";") if "=" in part)
    start = datetime.combine(A_MONDAY, community.starts)
    occurrence = community.rhythm.on(A_MONDAY)
    hours = gettext("%(start)s to %(end)s %(zone)s", start=_time(start),
                    end=_time(_local(occurrence.ends_at, community)),
                    zone=_zone_name(community))  # fmt: skip
    days = _days(parts)
    return f"{days}, {hours}" if days else hours


def _days(parts: dict[str, str]) -> str:
    by_day = parts.get("BYDAY", "")
    number, weekday = by_day[:-2], by_day[-2:]
    if weekday not in _WEEKDAYS or "INTERVAL" in parts or set(parts) - {"FREQ", "BYDAY"}:
        return ""
    date_ = A_MONDAY.replace(day=1 + _WEEKDAYS.index(weekday))
    name = format_date(date_, "EEEE", locale=language())
    if parts.get("FREQ") == "MONTHLY" and number.lstrip("+") in _ORDINALS:
        ordinal = gettext(_ORDINALS[number.lstrip("+")])
        said = gettext("%(ordinal)s %(weekday)s of each month", ordinal=ordinal, weekday=name)
        return said[:1].upper() + said[1:]
    if parts.get("FREQ") == "WEEKLY" and not number:
        return gettext("Every %(weekday)s", weekday=name)
    return ""


@lru_cache(maxsize=64)
def _cleaned(text: str) -> str:
    html = _MARKDOWN.render(text).replace("<h1>", "<h2>").replace("</h1>", "</h2>")
    return nh3.clean(html, tags=_ALLOWED, attributes={"a": {"href"}}, link_rel="noopener",
                     url_schemes={"https", "http", "mailto"})  # fmt: skip


def markdown(text: str) -> Markup:
    """A coordinator's Markdown as HTML; HTML in it stays text, and what is left is cleaned."""
    return Markup(_cleaned(text))  # noqa: S704 - cleaned on the line before
