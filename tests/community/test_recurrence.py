"""From "third Tuesday, 11:30 Eastern" to moments in time."""

import calendar
from datetime import UTC, date, datetime, time, timedelta
from itertools import product
from zoneinfo import ZoneInfo

import pytest

from cop.community.rhythm import Recurrence

EASTERN = ZoneInfo("America/New_York")
ZONES = (
    *("America/New_York", "America/Sao_Paulo", "America/St_Johns", "Africa/Casablanca"),
    *("Asia/Kolkata", "Australia/Lord_Howe", "Europe/Madrid", "Pacific/Auckland"),
)
# Around the days on which clocks somewhere are turned, and at both ends of the year.
DAYS = (
    *("2026-01-01", "2026-02-17", "2026-03-07", "2026-03-09", "2026-03-30", "2026-04-06"),
    *("2026-06-30", "2026-09-28", "2026-10-05", "2026-10-26", "2026-11-02", "2026-12-31"),
)


def a_rhythm(*, rule="FREQ=MONTHLY;BYDAY=3TU", starts=time(11, 30), minutes=90, zone=EASTERN):
    return Recurrence(rule, starts, minutes, zone)


def third_tuesday(year, month):
    tuesdays = [week[calendar.TUESDAY] for week in calendar.monthcalendar(year, month)]
    return date(year, month, [day for day in tuesdays if day][2])


def test_the_dates_are_the_third_tuesdays_at_half_past_eleven_eastern():
    expected = [third_tuesday(year, month) for year in range(2020, 2030) for month in range(1, 13)]

    dates = a_rhythm().next_dates(120, now=datetime(2020, 1, 1, 12, tzinfo=UTC))

    assert [occurrence.on for occurrence in dates] == expected
    for occurrence in dates:
        hour = 15 if 3 <= occurrence.on.month <= 10 else 16
        assert occurrence.starts_at == datetime.combine(occurrence.on, time(hour, 30), tzinfo=UTC)


def test_the_wall_clock_shows_the_same_time_all_year_everywhere():
    for zone, day in product(map(ZoneInfo, ZONES), map(date.fromisoformat, DAYS)):
        occurrence = a_rhythm(zone=zone).on(day)

        local = occurrence.starts_at.astimezone(zone)
        assert (local.date(), local.time()) == (day, time(11, 30)), zone
        assert occurrence.ends_at - occurrence.starts_at == timedelta(minutes=90)


def test_a_wall_time_that_the_clocks_skip_takes_place_an_hour_later_by_the_clock():
    skipped = a_rhythm(starts=time(2, 30)).on(date(2027, 3, 14))

    assert skipped.starts_at == datetime(2027, 3, 14, 7, 30, tzinfo=UTC)
    assert skipped.ends_at == datetime(2027, 3, 14, 9, 0, tzinfo=UTC)


def test_a_wall_time_that_comes_twice_is_the_first_of_the_two():
    twice = a_rhythm(starts=time(1, 30)).on(date(2026, 11, 1))

    assert twice.starts_at == datetime(2026, 11, 1, 5, 30, tzinfo=UTC)
    assert twice.ends_at == datetime(2026, 11, 1, 7, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("now", "expected"),
    [
        (datetime(2026, 12, 15, 17, 0, tzinfo=UTC), date(2026, 12, 15)),
        (datetime(2026, 12, 15, 17, 59, 59, tzinfo=UTC), date(2026, 12, 15)),
        (datetime(2026, 12, 15, 18, 0, tzinfo=UTC), date(2027, 1, 19)),
    ],
    ids=["in progress", "in its last second", "at its end"],
)
def test_an_occurrence_is_upcoming_until_its_end(now, expected):
    rhythm = a_rhythm()

    [soonest] = rhythm.next_dates(1, now=now)

    assert soonest.on == expected


def test_an_occurrence_that_runs_past_midnight_is_upcoming_until_its_end():
    late = a_rhythm(starts=time(23, 30))

    [soonest] = late.next_dates(1, now=datetime(2026, 12, 16, 5, 30, tzinfo=UTC))

    assert soonest.on == date(2026, 12, 15)


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
