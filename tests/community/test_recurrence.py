"""From "third Tuesday, 11:30 Eastern" to moments in time."""

import calendar
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest

from cop.community.rhythm import Recurrence

EASTERN = ZoneInfo("America/New_York")
ZONES = (
    "America/New_York",
    "America/Sao_Paulo",
    "America/St_Johns",
    "Africa/Casablanca",
    "Asia/Kolkata",
    "Australia/Lord_Howe",
    "Europe/Madrid",
    "Pacific/Auckland",
)
# Around the days on which clocks somewhere are turned, and at both ends of the year.
DAYS = (
    date(2026, 1, 1),
    date(2026, 2, 17),
    date(2026, 3, 7),
    date(2026, 3, 9),
    date(2026, 3, 30),
    date(2026, 4, 6),
    date(2026, 6, 30),
    date(2026, 9, 28),
    date(2026, 10, 5),
    date(2026, 10, 26),
    date(2026, 11, 2),
    date(2026, 12, 31),
)


def a_rhythm(*, rule="FREQ=MONTHLY;BYDAY=3TU", starts=time(11, 30), minutes=90, zone=EASTERN):
    return Recurrence(rule, starts, minutes, zone)


def third_tuesday(year, month):
    tuesdays = [week[calendar.TUESDAY] for week in calendar.monthcalendar(year, month)]
    return date(year, month, [day for day in tuesdays if day][2])


@pytest.mark.parametrize("year", range(2020, 2041))
def test_a_year_has_the_third_tuesdays_of_its_months(year):
    expected = [third_tuesday(year, month) for month in range(1, 13)]

    dates = a_rhythm().next_dates(12, now=datetime(year, 1, 1, 12, tzinfo=UTC))

    assert [occurrence.on for occurrence in dates] == expected


@pytest.mark.parametrize("year", range(2020, 2041))
def test_half_past_eleven_eastern_is_half_past_three_utc_from_march_to_october(year):
    dates = a_rhythm().next_dates(12, now=datetime(year, 1, 1, 12, tzinfo=UTC))

    starts = {occurrence.on.month: occurrence.starts_at for occurrence in dates}

    assert all(start.minute == 30 and start.tzinfo is UTC for start in starts.values())
    assert {month: start.hour for month, start in starts.items()} == {
        month: 15 if 3 <= month <= 10 else 16 for month in range(1, 13)
    }


@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize("day", DAYS, ids=str)
def test_the_wall_clock_says_the_same_time_all_year_everywhere(zone, day):
    rhythm = a_rhythm(zone=ZoneInfo(zone))

    occurrence = rhythm.on(day)

    local = occurrence.starts_at.astimezone(ZoneInfo(zone))
    assert (local.date(), local.time()) == (day, time(11, 30))
    assert occurrence.ends_at - occurrence.starts_at == timedelta(minutes=90)


def test_a_wall_time_that_the_clocks_skip_takes_place_an_hour_later_by_the_clock():
    nightly = a_rhythm(starts=time(2, 30), rule="FREQ=DAILY")

    skipped = nightly.on(date(2027, 3, 14))

    assert skipped.starts_at == datetime(2027, 3, 14, 7, 30, tzinfo=UTC)
    assert skipped.starts_at.astimezone(EASTERN).time() == time(3, 30)


def test_a_wall_time_that_comes_twice_is_the_first_of_the_two():
    nightly = a_rhythm(starts=time(1, 30), rule="FREQ=DAILY")

    twice = nightly.on(date(2026, 11, 1))

    assert twice.starts_at == datetime(2026, 11, 1, 5, 30, tzinfo=UTC)


def test_an_occurrence_lasts_its_minutes_also_over_a_change_of_the_clocks():
    nightly = a_rhythm(starts=time(1, 30), rule="FREQ=DAILY")

    lengths = {
        nightly.on(day).ends_at - nightly.on(day).starts_at
        for day in (date(2027, 3, 14), date(2026, 11, 1), date(2026, 6, 1))
    }

    assert lengths == {timedelta(minutes=90)}


@pytest.mark.parametrize(
    ("now", "expected"),
    [
        (datetime(2026, 12, 15, 16, 29, tzinfo=UTC), date(2026, 12, 15)),
        (datetime(2026, 12, 15, 17, 0, tzinfo=UTC), date(2026, 12, 15)),
        (datetime(2026, 12, 15, 17, 59, 59, tzinfo=UTC), date(2026, 12, 15)),
        (datetime(2026, 12, 15, 18, 0, tzinfo=UTC), date(2027, 1, 19)),
    ],
    ids=["before it", "in progress", "in its last second", "at its end"],
)
def test_an_occurrence_is_upcoming_until_its_end(now, expected):
    rhythm = a_rhythm()

    [soonest] = rhythm.next_dates(1, now=now)

    assert soonest.on == expected


def test_an_occurrence_that_runs_past_midnight_is_upcoming_until_its_end():
    late = a_rhythm(starts=time(23, 30))

    [soonest] = late.next_dates(1, now=datetime(2026, 12, 16, 5, 30, tzinfo=UTC))

    assert soonest.on == date(2026, 12, 15)


def test_upcoming_dates_are_in_order_and_each_comes_once():
    dates = a_rhythm().next_dates(240, now=datetime(2026, 11, 22, tzinfo=UTC))

    days = [occurrence.on for occurrence in dates]

    assert all(before < after for before, after in pairwise(days))


@pytest.mark.parametrize(
    ("now", "expected"),
    [
        (datetime(2026, 12, 15, 17, 59, tzinfo=UTC), date(2026, 11, 17)),
        (datetime(2026, 12, 15, 18, 0, tzinfo=UTC), date(2026, 12, 15)),
        (datetime(2027, 1, 19, 16, 0, tzinfo=UTC), date(2026, 12, 15)),
    ],
    ids=["one is in progress", "one has just ended", "one is about to begin"],
)
def test_the_last_occurrence_is_the_latest_that_has_ended(now, expected):
    rhythm = a_rhythm()

    assert rhythm.last_before(now).on == expected


def test_a_rhythm_that_begins_later_has_no_last_occurrence():
    later = a_rhythm(rule="FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=29")

    assert later.last_before(datetime(2026, 12, 15, tzinfo=UTC)) is None
    assert later.next_dates(1, now=datetime(2026, 12, 15, tzinfo=UTC))[0].on == date(2028, 2, 29)


def test_a_set_of_rules_is_refused():
    several = a_rhythm(rule="RRULE:FREQ=MONTHLY;BYDAY=3TU\nRRULE:FREQ=MONTHLY;BYDAY=1MO")

    with pytest.raises(TypeError, match="One rule"):
        several.next_dates(1, now=datetime(2026, 12, 15, tzinfo=UTC))


def test_the_third_tuesdays_that_are_juneteenth_are_known():
    dates = a_rhythm().next_dates(21 * 12, now=datetime(2020, 1, 1, tzinfo=UTC))

    on_juneteenth = [o.on.year for o in dates if (o.on.month, o.on.day) == (6, 19)]

    assert on_juneteenth == [2029, 2035, 2040]
