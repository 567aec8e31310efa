"""Template filters for sessions: dates, availability, recurrence, Markdown."""

import re
from collections.abc import Iterable, Sequence
from datetime import date, datetime, timedelta
from itertools import groupby

from babel.dates import format_date
from babel.lists import format_list
from flask import Flask
from markupsafe import Markup
from werkzeug.routing import BaseConverter

from cop.community import holidays, rhythm
from cop.community.community import CommunityFacts
from cop.dates import Tile
from cop.i18n import N_
from cop.markdown import to_html
from cop.meetings.locking import TOPIC_TO_BE_ANNOUNCED, MeetingFacts
from cop.meetings.schedule import Availability, Listing
from cop.questions import registry
from cop.web.assets import asset
from cop.web.blueprints import public
from cop.web.i18n import gettext, pgettext
from cop.web.rendering import (
    current_community,
    date_formatter,
    external_target,
    is_embedded,
    language,
    links,
)

_LINK_TO_PAGE = re.compile(r'(<a href="(?!mailto:)[^>]*>.*?)</a>', re.DOTALL)
_AVAILABILITY = {
    Availability.PLENTY: N_("Spots left"),
    Availability.FEW: N_("Only a few spots left"),
}
ORDINALS = {
    "1": N_("first"),
    "2": N_("second"),
    "3": N_("third"),
    "4": N_("fourth"),
    "-1": N_("last"),
}
_EACH_MONTH = {
    "1": N_("First %(weekday)s of each month"),
    "2": N_("Second %(weekday)s of each month"),
    "3": N_("Third %(weekday)s of each month"),
    "4": N_("Fourth %(weekday)s of each month"),
    "-1": N_("Last %(weekday)s of each month"),
}
# Pairs of sentences: the first without, the second with the place.
_RECURRENCE = (N_("%(days)s, %(hours)s"), N_("%(days)s, %(hours)s, on %(place)s"))
_RECURRENCE_EXCEPT = (
    N_("%(days)s, %(hours)s, except in %(months)s"),
    N_("%(days)s, %(hours)s, on %(place)s, except in %(months)s"),
)
_RECURRENCE_IN = (
    N_("%(days)s, %(hours)s, only in %(months)s"),
    N_("%(days)s, %(hours)s, on %(place)s, only in %(months)s"),
)
A_MONDAY = date(2024, 1, 1)  # also the first day of a year


def install(app: Flask) -> None:
    """Register the globals of templates."""
    app.jinja_env.globals.update(
        never_asked=registry.NEVER_COLLECTED,
        questions_by_name={question.name: question for question in registry.QUESTIONS},
        TOPIC_TO_BE_ANNOUNCED=TOPIC_TO_BE_ANNOUNCED,
    )


@public.app_template_filter()
def date_tile(meeting: MeetingFacts) -> Tile:
    """Format the date tile of a session."""
    return date_formatter().tile(meeting.starts_at)


@public.app_template_filter()
def short_date(moment: datetime | date) -> str:
    """Format like `December 15`, with the year if the date is not near."""
    return date_formatter().short_date(moment)


@public.app_template_filter()
def long_date(meeting: MeetingFacts, community: CommunityFacts | None = None) -> str:
    """Format like `Tuesday, December 15`."""
    return date_formatter(community).long_date(meeting.starts_at)


@public.app_template_filter()
def time_range(meeting: MeetingFacts) -> str:
    """Format like `11:30 AM – 1:00 PM ET`."""
    return date_formatter().time_range(meeting.starts_at, meeting.ends_at)


@public.app_template_filter()
def groupby_year(meetings: Sequence[Listing]) -> list[tuple[int, list[Listing]]]:
    """Group sessions by the year of their local date, in the order that they have."""
    dates = date_formatter()
    groups = groupby(meetings, key=lambda meeting: dates.local(meeting.starts_at).year)
    return [(year, list(group)) for year, group in groups]


@public.app_template_filter()
def month_and_year(meeting: MeetingFacts) -> str:
    """Format like `December 2026`."""
    return date_formatter().format(meeting.starts_at, "yMMMM", "yMMMM")


@public.app_template_filter()
def date_and_time(meeting: MeetingFacts) -> str:
    """Format like `Tuesday, December 15, 11:30 AM – 1:00 PM ET`."""
    return date_formatter().date_and_time(meeting.starts_at, meeting.ends_at)


@public.app_template_filter()
def time_with_zone(moment: datetime) -> str:
    """Format like `11:15 AM ET`."""
    dates = date_formatter()
    return f"{dates.time(moment)} {dates.zone_name}"


@public.app_template_filter()
def timestamp(moment: datetime) -> str:
    """Format like `Nov 21, 9:14 AM`, for tables."""
    return date_formatter().timestamp(moment)


@public.app_template_filter()
def weeks_before(moment: datetime, weeks: int) -> str:
    """Format the date that is some weeks earlier, like `short_date`."""
    dates = date_formatter()
    return dates.short_date(dates.local(moment).date() - timedelta(weeks=weeks))


@public.app_template_filter()
def availability(meeting: Listing) -> str:
    """Describe how many spots a session has left; empty without a limit."""
    if meeting.is_full:
        return pgettext("session", "Full")
    return gettext(_AVAILABILITY[meeting.availability]) if meeting.availability else ""


@public.app_template_filter()
def event_data(meeting: Listing, name: str, description: str) -> dict[str, object]:
    """Describe a session to search engines, by schema.org's `Event`."""
    community, address = current_community(), links().meeting(meeting.slug)
    status = "EventScheduled"
    if meeting.is_cancelled:
        status = "EventCancelled"
    elif meeting.moved_from:
        status = "EventRescheduled"
    return {
        "@context": "https://schema.org",
        "@type": "Event",
        "name": name,
        "description": description,
        "url": address,
        "image": links().page(asset("preview.png")),
        "startDate": meeting.starts_at.astimezone(community.zone_info).isoformat(),
        "endDate": meeting.ends_at.astimezone(community.zone_info).isoformat(),
        "eventStatus": f"https://schema.org/{status}",
        "eventAttendanceMode": "https://schema.org/OnlineEventAttendanceMode",
        "location": {"@type": "VirtualLocation", "url": address},
        "organizer": {"@type": "Organization", "name": community.name, "url": links().page("/")},
        "isAccessibleForFree": True,
    }


@public.app_template_filter()
def recurrence(community: CommunityFacts, place: str = "") -> str:
    """Format like `Third Tuesday of each month, 11:30 AM – 1:00 PM ET`."""
    any_occurrence = community.rhythm.on(A_MONDAY)  # only its times of day are shown
    hours = date_formatter(community).time_range(any_occurrence.starts_at, any_occurrence.ends_at)
    choice = rhythm.parse(community.recurrence_rule)
    if choice is None:
        return gettext("%(hours)s, on %(place)s", hours=hours, place=place) if place else hours
    sentences, months = _RECURRENCE, choice.months_off
    if months:  # name the months without a session, or those with one if they are fewer
        is_rare = len(months) > len(choice.months)
        sentences = _RECURRENCE_IN if is_rare else _RECURRENCE_EXCEPT
        months = choice.months if is_rare else months
    values = {"hours": hours, "place": place, "months": _join_list(months)}
    return gettext(sentences[bool(place)], days=_days(choice), **values)


def _days(choice: rhythm.RecurrenceChoice) -> str:
    name = weekday(choice.weekday)
    if choice.of_month:
        return gettext(_EACH_MONTH[choice.of_month], weekday=name)
    if choice.weeks == 1:
        return gettext("Every %(weekday)s", weekday=name)
    return gettext("Every %(num)s weeks on %(weekday)s", num=choice.weeks, weekday=name)


def _join_list(months: Iterable[int]) -> str:
    return format_list([month(number) for number in months], locale=language())


def weekday(code: str) -> str:
    """Name the weekday of a code: `Tuesday` for `TU`."""
    date_ = A_MONDAY.replace(day=1 + rhythm.WEEKDAYS.index(code))
    return format_date(date_, "EEEE", locale=language())


def month(number: int) -> str:
    """Name a month, like `July`."""
    return format_date(A_MONDAY.replace(month=number), "LLLL", locale=language())


@public.app_template_filter()
def observances(moment: datetime | date, community: CommunityFacts | None = None) -> str:
    """Name a day's holidays and observances, like `Juneteenth`; often empty."""
    community = community or current_community()
    day = moment
    if isinstance(moment, datetime):
        day = moment.astimezone(community.zone_info).date()
    return ", ".join(gettext(name) for name in holidays.holidays_on(day, community.observances))


@public.app_template_filter()
def markdown(text: str) -> Markup:
    """Render a coordinator's Markdown as sanitized HTML; HTML in it is shown as text."""
    html = to_html(text)
    if is_embedded():  # only links match, no text: in text, < and > are escaped
        note = f'<span class="unseen"> {gettext("(opens in a new tab)")}</span>'
        html = _LINK_TO_PAGE.sub(rf"\1{note}</a>", html)
        html = html.replace(' rel="noopener">', f"{external_target()}>")
    return Markup(html)  # noqa: S704 - to_html() sanitizes it


class Slug(BaseConverter):
    """URL converter of a session's slug: its date, perhaps with a number."""

    regex = r"\d{4}-\d{2}-\d{2}(?:-\d{1,3})?"


public.record_once(lambda state: state.app.url_map.converters.update(slug=Slug))
