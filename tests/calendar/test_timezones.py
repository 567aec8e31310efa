"""VTIMEZONE components, compared with `zoneinfo`."""

from bisect import bisect
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
import vobject
from dateutil.rrule import rrulestr
from icalendar import Calendar, Timezone

from cop.calendar.ical import component, format_local, serialize
from cop.calendar.timezones import vtimezone

ZONES = [
    *("America/New_York", "America/Santiago", "Europe/Dublin", "Africa/Casablanca", "Africa/Cairo"),
    *("Asia/Kolkata", "Asia/Almaty", "Australia/Lord_Howe", "Pacific/Chatham", "America/Nuuk"),
    "UTC",
]
DAYS = [datetime(2020, 1, 1, tzinfo=UTC) + timedelta(days=n) for n in range(21 * 365)]


def parsed(zone):
    """Parse the components as a calendar program does."""
    return Timezone.from_ical(serialize(vtimezone(zone))).subcomponents


def written_onsets(zone):
    """Read the component as RFC 5545 says: each offset, and since when it applies."""
    onsets = []
    for part in parsed(zone):
        start, before = part["DTSTART"].dt, part["TZOFFSETFROM"].td
        rdates = part.get("RDATE", [])
        lists = rdates if isinstance(rdates, list) else [rdates]
        moments = [start, *(each.dt for rdate in lists for each in rdate.dts)]
        if rule := part.get("RRULE"):
            repeated = rrulestr(rule.to_ical().decode(), dtstart=start)
            moments = repeated.between(start, start.replace(year=2043), inc=True)
        onsets += [((m - before).replace(tzinfo=UTC), part["TZOFFSETTO"].td) for m in moments]
    return sorted(onsets)


def changes(zone):
    """Return the days after which the offset is another one."""
    local = [day.astimezone(zone) for day in DAYS]
    return [day for day, next_ in pairwise(local) if day.utcoffset() != next_.utcoffset()]


@pytest.mark.parametrize("name", ZONES)
def test_every_offset_from_2020_to_2040_is_that_of_the_zone(name):
    zone, onsets = ZoneInfo(name), written_onsets(name)
    begins = [begin for begin, _ in onsets]
    around = [
        day.astimezone(UTC) + timedelta(minutes=minutes)
        for day in changes(zone)
        for minutes in range(0, 24 * 60, 10)
    ]
    seconds = [
        begin + timedelta(seconds=s) for begin in begins if begin.year >= 2020 for s in (-1, 0)
    ]

    wrong = [
        moment
        for moment in [*DAYS, *around, *seconds]
        if onsets[bisect(begins, moment) - 1][1] != moment.astimezone(zone).utcoffset()
    ]

    assert begins[0] < DAYS[0]
    assert wrong == []


MORE_ZONES = [
    *("America/Chicago", "America/Denver", "America/Phoenix", "America/Los_Angeles"),
    *("America/Anchorage", "America/Puerto_Rico", "America/Edmonton", "America/Mexico_City"),
    *("America/Sao_Paulo", "Europe/London", "Europe/Lisbon", "Asia/Tokyo", "Pacific/Auckland"),
]


@pytest.mark.parametrize("name", [*ZONES, *MORE_ZONES])
def test_two_calendar_libraries_read_an_entry_at_the_right_time(name):
    for week in range(0, 52 * 3, 2):
        local = datetime(2026, 1, 6, 11, 30) + timedelta(weeks=week)  # noqa: DTZ001 - by the clock
        start = f"DTSTART;TZID={name}:{format_local(local)}"
        event = component("VEVENT", ["UID:one@cop", "DTSTAMP:20260101T000000Z", start])
        lines = ["VERSION:2.0", "PRODID:test", *vtimezone(name), *event]
        text = serialize(component("VCALENDAR", lines)).decode()

        found = [
            Calendar.from_ical(text).walk("VEVENT")[0]["DTSTART"].dt,
            vobject.readOne(text).vevent.dtstart.value,
        ]

        right = local.replace(tzinfo=ZoneInfo(name))
        assert [moment.astimezone(UTC) for moment in found] == [right.astimezone(UTC)] * 2, local


def test_eastern_time_changes_at_two_by_the_clock_before_the_change():
    lines = vtimezone("America/New_York")

    assert list(lines[2:16]) == [
        "BEGIN:DAYLIGHT",
        "DTSTART:20150308T020000",
        "RRULE:FREQ=YEARLY;BYDAY=2SU;BYMONTH=3",
        "TZNAME:EDT",
        "TZOFFSETFROM:-0500",
        "TZOFFSETTO:-0400",
        "END:DAYLIGHT",
        "BEGIN:STANDARD",
        "DTSTART:20151101T020000",
        "RRULE:FREQ=YEARLY;BYDAY=1SU;BYMONTH=11",
        "TZNAME:EST",
        "TZOFFSETFROM:-0400",
        "TZOFFSETTO:-0500",
        "END:STANDARD",
    ]


def test_a_zone_that_never_changes_has_one_offset():
    parts = parsed("Asia/Kolkata")

    assert [part.name for part in parts] == ["STANDARD"]
    assert parts[0]["TZOFFSETTO"].td == timedelta(hours=5, minutes=30)


def test_a_zone_is_computed_once():
    assert vtimezone("America/New_York") is vtimezone("America/New_York")
