"""A rule and the choice that makes it: each can be read back from the other."""

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from itertools import product, starmap
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cop.community import rhythm as community_rhythm
from cop.community.rhythm import Recurrence, RecurrenceChoice

EASTERN = ZoneInfo("America/New_York")
CHOICES = [
    *starmap(RecurrenceChoice, product(community_rhythm.WEEKDAYS, community_rhythm.OF_MONTH)),
    *(
        RecurrenceChoice(day, weeks=weeks)
        for day, weeks in product(community_rhythm.WEEKDAYS, community_rhythm.WEEKS)
    ),
]


def dates(rule, *, on=date(2026, 11, 22), since=None, count=12):
    rhythm = Recurrence(rule, time(11, 30), 90, EASTERN, since)
    now = datetime.combine(on, time(12), tzinfo=UTC)
    return [occurrence.on for occurrence in rhythm.next_dates(count, now=now)]


@pytest.mark.parametrize(
    ("choice", "rule"),
    [
        (RecurrenceChoice("TU", of_month="3"), "FREQ=MONTHLY;BYDAY=3TU"),
        (RecurrenceChoice("FR", of_month="-1"), "FREQ=MONTHLY;BYDAY=-1FR"),
        (RecurrenceChoice("WE"), "FREQ=WEEKLY;BYDAY=WE"),
        (RecurrenceChoice("WE", weeks=2), "FREQ=WEEKLY;INTERVAL=2;BYDAY=WE"),
        (
            RecurrenceChoice("TU", of_month="3", months_off=(7, 8)),
            "FREQ=MONTHLY;BYDAY=3TU;BYMONTH=1,2,3,4,5,6,9,10,11,12",
        ),
    ],
)
def test_a_choice_makes_a_rule_as_the_standard_writes_it(choice, rule):
    assert choice.rule == rule
    assert community_rhythm.parse(rule) == choice


@settings(max_examples=30)
@given(st.sampled_from(CHOICES), st.sets(st.integers(1, 12), max_size=11))
def test_whatever_can_be_chosen_is_read_back(choice, off):
    choice = replace(choice, months_off=tuple(sorted(off)))

    assert community_rhythm.parse(choice.rule) == choice


@pytest.mark.parametrize(
    "rule",
    [
        "",
        "FREQ=DAILY",
        "FREQ=MONTHLY;BYDAY=5TU",
        "FREQ=MONTHLY;BYDAY=TU",
        "FREQ=MONTHLY;INTERVAL=2;BYDAY=3TU",
        "FREQ=MONTHLY;BYMONTHDAY=15",
        "FREQ=MONTHLY;BYDAY=3TU;COUNT=5",
        "FREQ=MONTHLY;BYDAY=3TU;BYMONTH=13",
        "FREQ=MONTHLY;BYDAY=3TU;BYMONTH=",
        "FREQ=WEEKLY;BYDAY=MO,TU",
        "FREQ=WEEKLY;INTERVAL=5;BYDAY=MO",
        "FREQ=WEEKLY;BYDAY=2MO",
        "FREQ=YEARLY;BYDAY=3TU",
    ],
)
def test_a_rule_that_cannot_be_chosen_is_no_choice(rule):
    assert community_rhythm.parse(rule) is None


def test_a_rule_is_read_however_it_is_written():
    assert community_rhythm.parse("byday=+3tu;freq=monthly") == RecurrenceChoice("TU", of_month="3")


@pytest.mark.parametrize(
    "choice",
    [*(RecurrenceChoice("TU", of_month=week) for week in community_rhythm.OF_MONTH),
     *(RecurrenceChoice("SU", weeks=weeks) for weeks in community_rhythm.WEEKS)],
    ids=lambda choice: choice.rule,
)  # fmt: skip
def test_a_choice_gives_dates_on_its_weekday_and_in_none_of_the_months_left_out(choice):
    off = replace(choice, months_off=(1, 7))
    first = date(2026, 11, 23) + timedelta(days=community_rhythm.WEEKDAYS.index(choice.weekday))

    found = dates(off.rule, since=first if choice.counts_weeks else None, count=30)

    assert {community_rhythm.WEEKDAYS[day.weekday()] for day in found} == {choice.weekday}
    assert {day.month for day in found}.isdisjoint({1, 7})
    if choice.of_month:
        a_week_on = timedelta(weeks=int(choice.of_month))
        assert {(day - a_week_on).month == day.month for day in found} == {False}


def test_every_few_weeks_is_the_same_weeks_whatever_the_day():
    since = date(2026, 11, 24)
    rule = RecurrenceChoice("TU", weeks=3).rule
    expected = [since + timedelta(weeks=3 * number) for number in range(9)]

    for now in (since + timedelta(days=days) for days in range(45)):
        found = dates(rule, on=now, since=since, count=3)

        assert found == [day for day in expected if day >= now][:3], now


def test_a_rhythm_that_begins_later_has_no_date_before():
    found = dates("FREQ=WEEKLY;INTERVAL=2;BYDAY=TU", since=date(2027, 3, 2), count=2)

    assert found == [date(2027, 3, 2), date(2027, 3, 16)]


def test_months_left_out_do_not_change_which_weeks_are_counted():
    since, off = date(2026, 12, 1), RecurrenceChoice("TU", weeks=2, months_off=(1,)).rule

    found = dates(off, since=since, count=8)

    assert [
        day for day in dates(RecurrenceChoice("TU", weeks=2).rule, since=since) if day.month != 1
    ][:8] == found


def test_a_rhythm_names_its_days_and_no_others():
    rhythm = Recurrence("FREQ=WEEKLY;INTERVAL=2;BYDAY=TU", time(11), 90, EASTERN, date(2026, 12, 1))

    named = [day for day in range(1, 32) if rhythm.includes(date(2026, 12, day))]

    assert named == [1, 15, 29]
    assert not rhythm.includes(date(2026, 11, 17))
