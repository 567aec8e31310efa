"""Days on which people may be elsewhere."""

import os
import subprocess
import sys
from datetime import date

import pytest

from cop.community import holidays
from cop.community.rhythm import Recurrence
from cop.errors import Refused

# As the Office of Personnel Management has published them: the day, and the one it is observed on.
PUBLISHED = {
    2021: "01-01 01-18 02-15 05-31 06-18 06-19 07-04 07-05 09-06 10-11 11-11 11-25 12-24 12-25 12-31",
    2022: "01-01 01-17 02-21 05-30 06-19 06-20 07-04 09-05 10-10 11-11 11-24 12-25 12-26",
    2026: "01-01 01-19 02-16 05-25 06-19 07-03 07-04 09-07 10-12 11-11 11-26 12-25",
    2027: "01-01 01-18 02-15 05-31 06-18 06-19 07-04 07-05 09-06 10-11 11-11 11-25 12-24 12-25 12-31",
    2028: "01-01 01-17 02-21 05-29 06-19 07-04 09-04 10-09 11-10 11-11 11-23 12-25",
}


def days_of(year):
    begin, end = date(year, 1, 1).toordinal(), date(year + 1, 1, 1).toordinal()
    return [date.fromordinal(number) for number in range(begin, end)]


@pytest.mark.parametrize("year", PUBLISHED)
def test_federal_holidays_fall_where_they_are_published(year):
    expected = PUBLISHED[year].split()

    found = [f"{day:%m-%d}" for day in days_of(year) if holidays.holidays_on(day)]

    assert found == expected


@pytest.mark.parametrize(
    ("day", "names"),
    [
        ("2027-01-18", ["Martin Luther King Jr. Day"]),
        ("2028-11-23", ["Thanksgiving"]),
        ("2028-11-30", []),
        ("2027-12-31", ["New Year's Day (observed)"]),
        ("2026-07-03", ["Independence Day (observed)"]),
        ("2022-06-20", ["Juneteenth (observed)"]),
        ("2020-06-19", []),
        ("2021-06-18", ["Juneteenth (observed)"]),
        ("2026-10-12", ["Indigenous Peoples' Day (Columbus Day)"]),
        ("2026-12-15", []),
    ],
)
def test_a_day_is_called_by_what_it_is(day, names):
    assert holidays.holidays_on(date.fromisoformat(day)) == names


@pytest.mark.processes
def test_the_library_is_loaded_at_the_first_question_and_answers_in_english():
    program = (
        "import sys; import cop.app; print('holidays' in sys.modules);"
        "from datetime import date; from cop.community import holidays;"
        "print(holidays.holidays_on(date(2026, 12, 25)))"
    )

    result = subprocess.run(
        [sys.executable, "-c", program], env={**os.environ, "LANGUAGE": "th"},
        capture_output=True, text=True, check=True,
    )  # fmt: skip

    assert result.stdout.splitlines() == ["False", "['Christmas Day']"]


def test_the_third_tuesdays_that_are_juneteenth_are_found():
    days = [day for year in range(2021, 2041) for day in days_of(year)]
    third_tuesdays = [day for day in days if day.weekday() == 1 and 15 <= day.day <= 21]

    special = [day.isoformat() for day in third_tuesdays if holidays.holidays_on(day)]

    assert special == ["2029-06-19", "2035-06-19", "2040-06-19"]


def test_an_observance_is_named_after_the_holiday_of_its_day():
    kept = ["2027-06-18 A day of ours", "2027-06-19 Another", "2027-06-180 Nothing"]

    names = holidays.holidays_on(date(2027, 6, 18), kept)

    assert names == ["Juneteenth (observed)", "A day of ours"]


def test_the_shipped_list_is_one_that_can_be_typed_and_is_in_order():
    shipped = holidays.DEFAULT_OBSERVANCES

    assert holidays.parse_observances("\n".join(shipped)) == shipped
    assert (shipped[0][:7], shipped[-1][:7]) == ("2026-11", "2028-12")
    assert "2027-03-26 Good Friday" in shipped


def test_the_shipped_list_has_the_third_tuesday_that_is_diwali():
    rhythm = Recurrence("FREQ=MONTHLY;BYDAY=3TU", *([None] * 3))

    on = [
        line for line in holidays.DEFAULT_OBSERVANCES if rhythm.names(date.fromisoformat(line[:10]))
    ]

    assert on == ["2028-10-17 Diwali"]


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("", []),
        (" \n\n", []),
        ("2027-03-26  Good  Friday ", ["2027-03-26 Good  Friday"]),
        ("2027-05-01 B\n2027-03-26 A\n2027-05-01 B", ["2027-03-26 A", "2027-05-01 B"]),
        ("2027-03-26 <b>x</b> '; --", ["2027-03-26 <b>x</b> '; --"]),
    ],
    ids=["nothing", "empty lines", "spaces", "order and twice", "hostile"],
)
def test_a_list_is_kept_in_order_and_each_line_once(text, kept):
    assert holidays.parse_observances(text) == kept


@pytest.mark.parametrize(
    "wrong",
    ["Good Friday", "2027-03-26", "2027-02-30 Never", "26.3.2027 Good Friday", "2027-3-26 x",
     "٢٠٢٧-03-26 x", f"2027-03-26 {'x' * 101}"],
    ids=ascii,
)  # fmt: skip
def test_a_line_that_is_no_day_is_refused_by_its_number(wrong):
    with pytest.raises(Refused, match="Mend line") as refusal:
        holidays.parse_observances(f"2027-01-01 Fine\n\n{wrong}")

    assert refusal.value.values == {"number": 3}


def test_a_list_that_nobody_reads_is_refused():
    with pytest.raises(Refused, match="Keep at most"):
        holidays.parse_observances("\n".join(f"2027-01-01 Day {number}" for number in range(501)))
