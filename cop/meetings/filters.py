"""How templates say dates, times, places and texts."""

from collections.abc import Iterable
from datetime import date, datetime, timedelta

from babel import Locale
from babel.dates import format_date
from babel.lists import format_list
from flask import Flask
from markupsafe import Markup
from werkzeug.routing import BaseConverter

from cop.community import holidays
from cop.community import rhythm as community_rhythm
from cop.community.community import CommunityFacts
from cop.dates import Tile
from cop.i18n import N_
from cop.markdown import to_html
from cop.meetings.locking import MeetingFacts
from cop.meetings.schedule import Listing, PlaceCounts
from cop.questions import registry
from cop.web import rendering
from cop.web.blueprints import public
from cop.web.i18n import gettext
from cop.web.rendering import current_community, external_target, is_embedded, language

_PLACES = {
    PlaceCounts.PLENTY: N_("Places left"),
    PlaceCounts.FEW: N_("5 or fewer places left"),
    PlaceCounts.FULL: N_("Full, waiting list open"),
}
ORDINALS = {
    "1": N_("first"), "2": N_("second"), "3": N_("third"), "4": N_("fourth"), "-1": N_("last"),
}  # fmt: skip
_NUMBERED = {
    "one": N_("%(num)sst"), "two": N_("%(num)snd"), "few": N_("%(num)srd"),
    "other": N_("%(num)sth"),
}  # fmt: skip
A_MONDAY = date(2024, 1, 1)


def install(app: Flask) -> None:
    """Give templates these filters."""
    for say in (tile, on, day, clock, when, format_places, rhythm, markdown, stamp,
                weeks_before, ordinal, format_time, observances):  # fmt: skip
        app.jinja_env.filters[say.__name__] = say
    app.jinja_env.globals.update(never_asked=registry.NEVER_COLLECTED)


def tile(meeting: MeetingFacts) -> Tile:
    """The date as the tile shows it; with the year where it is not near."""
    return rendering.date_formatter().tile(meeting.starts_at)


def on(moment: datetime | date) -> str:
    """Say `December 15`, with the year where it is not near."""
    return rendering.date_formatter().on(moment)


def weeks_before(moment: datetime, weeks: int) -> str:
    """The day that is some weeks earlier, said like `on`."""
    say = rendering.date_formatter()
    return say.on(say.local(moment).date() - timedelta(weeks=weeks))


def day(meeting: MeetingFacts, community: CommunityFacts | None = None) -> str:
    """Say `Tuesday, December 15`."""
    return rendering.date_formatter(community).day(meeting.starts_at)


def clock(meeting: MeetingFacts) -> str:
    """Say `11:30 am to 1:00 pm Eastern Time`."""
    return rendering.date_formatter().clock(meeting.starts_at, meeting.ends_at)


def when(meeting: MeetingFacts) -> str:
    """Say `Tuesday, December 15, 11:30 am to 1:00 pm Eastern Time`."""
    return rendering.date_formatter().when(meeting.starts_at, meeting.ends_at)


def format_time(moment: datetime) -> str:
    """Say `11:15 am Eastern Time`."""
    speaker = rendering.date_formatter()
    return f"{speaker.time(moment)} {speaker.zone_name}"


def stamp(moment: datetime) -> str:
    """Say `Nov 21, 9:14 am`, for tables."""
    return rendering.date_formatter().stamp(moment)


def format_places(meeting: Listing) -> str:
    """What can be said about the places of an open meeting; nothing where there is no limit."""
    if meeting.is_full and meeting.has_begun:
        return gettext("Full")
    return gettext(_PLACES[meeting.places]) if meeting.places else ""


def ordinal(number: int) -> str:
    """Say `3rd`, as the language numbers things that come one after the other."""
    form = Locale.parse(language()).ordinal_form(number)
    return gettext(_NUMBERED.get(form, _NUMBERED["other"]), num=number)


def rhythm(community: CommunityFacts, place: str = "") -> str:
    """Say `Third Tuesday of each month, 11:30 am to 1:00 pm Eastern Time; not in July`."""
    usual = community.rhythm.on(A_MONDAY)
    hours = rendering.date_formatter(community).clock(usual.starts_at, usual.ends_at)
    if place:
        hours = gettext("%(hours)s, on %(place)s", hours=hours, place=place)
    choice = community_rhythm.parse(community.recurrence_rule)
    if choice is None:
        return hours
    days = _days(choice)
    return f"{days[:1].upper()}{days[1:]}, {hours}{_months(choice)}"


def _days(choice: community_rhythm.RecurrenceChoice) -> str:
    name = weekday(choice.weekday)
    if choice.of_month:
        ordinal = gettext(ORDINALS[choice.of_month])
        return gettext("%(ordinal)s %(weekday)s of each month", ordinal=ordinal, weekday=name)
    if choice.weeks == 1:
        return gettext("Every %(weekday)s", weekday=name)
    return gettext("Every %(num)s weeks on %(weekday)s", num=choice.weeks, weekday=name)


def _months(choice: community_rhythm.RecurrenceChoice) -> str:
    """The months without a session, or where those are most of them, the others."""
    if not choice.months_off:
        return ""
    if len(choice.months_off) > len(choice.months):
        return gettext("; only in %(months)s", months=_join_list(choice.months))
    return gettext("; not in %(months)s", months=_join_list(choice.months_off))


def _join_list(months: Iterable[int]) -> str:
    return format_list([month(number) for number in months], locale=language())


def weekday(code: str) -> str:
    """Say `Tuesday` for `TU`."""
    date_ = A_MONDAY.replace(day=1 + community_rhythm.WEEKDAYS.index(code))
    return format_date(date_, "EEEE", locale=language())


def month(number: int) -> str:
    """Say `July`."""
    return format_date(A_MONDAY.replace(month=number), "LLLL", locale=language())


def observances(moment: datetime | date, community: CommunityFacts | None = None) -> str:
    """Say what a day is on which people may be elsewhere: `Juneteenth`; mostly it is nothing."""
    community = community or current_community()
    on_ = moment
    if isinstance(moment, datetime):
        on_ = moment.astimezone(community.zone_info).date()
    return ", ".join(gettext(name) for name in holidays.holidays_on(on_, community.observances))


def markdown(text: str) -> Markup:
    """A coordinator's Markdown as HTML; HTML in it stays text, and what is left is cleaned."""
    html = to_html(text)
    if is_embedded():  # with the > behind it, which no text in HTML has
        html = html.replace(' rel="noopener">', f"{external_target()}>")
    return Markup(html)  # noqa: S704 - cleaned there


class Slug(BaseConverter):
    """A session's name in addresses: its date, and a number where a day has several."""

    regex = r"\d{4}-\d{2}-\d{2}(?:-\d{1,3})?"


public.record_once(lambda state: state.app.url_map.converters.update(slug=Slug))
