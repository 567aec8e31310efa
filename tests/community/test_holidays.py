"""Days on which people may be elsewhere."""

import os
import subprocess
import sys
from datetime import date, timedelta

import pytest

from cop.community import holidays
from cop.errors import Refused

# As the Office of Personnel Management has published them: the day, and the one it is observed on.
PUBLISHED = {
    2021: "01-01 01-18 02-15 05-31 06-18 06-19 07-04 07-05 09-06 10-11 11-11 11-25 12-24 12-25 12-31",
    2028: "01-01 01-17 02-21 05-29 06-19 07-04 09-04 10-09 11-10 11-11 11-23 12-25",
}


@pytest.mark.parametrize("year", PUBLISHED)
def test_federal_holidays_fall_where_they_are_published(year):
    days = [date(year, 1, 1) + timedelta(days=number) for number in range(366)]

    found = [f"{day:%m-%d}" for day in days if day.year == year and holidays.holidays_on(day)]

    assert found == PUBLISHED[year].split()


@pytest.mark.parametrize(
    ("day", "names"),
    [
        ("2027-01-18", ["Martin Luther King Jr. Day"]),
        ("2028-11-23", ["Thanksgiving"]),
        ("2027-12-31", ["New Year's Day (observed)"]),
        ("2022-06-20", ["Juneteenth (observed)"]),
        ("2020-06-19", []),
        ("2026-10-12", ["Indigenous Peoples' Day (Columbus Day)"]),
        ("2026-12-15", []),
    ],
)
def test_a_day_has_the_name_of_its_holiday(day, names):
    assert holidays.holidays_on(date.fromisoformat(day)) == names


@pytest.mark.processes
def test_the_library_is_loaded_when_first_used_and_answers_in_english():
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


def test_an_observance_comes_after_the_holiday_of_its_day():
    observances = ["2027-06-18 Team day", "2027-06-19 Another", "2027-06-180 Nothing"]

    names = holidays.holidays_on(date(2027, 6, 18), observances)

    assert names == ["Juneteenth (observed)", "Team day"]


def test_the_shipped_observances_are_valid_and_sorted():
    shipped = holidays.DEFAULT_OBSERVANCES

    assert holidays.parse_observances("\n".join(shipped)) == shipped
    assert (shipped[0][:7], shipped[-1][:7]) == ("2026-11", "2028-12")
    assert "2028-10-17 Diwali" in shipped


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", []),
        ("2027-03-26  Good  Friday ", ["2027-03-26 Good  Friday"]),
        ("2027-05-01 B\n2027-03-26 A\n2027-05-01 B", ["2027-03-26 A", "2027-05-01 B"]),
        ("2027-03-26 <b>x</b> '; --", ["2027-03-26 <b>x</b> '; --"]),
    ],
    ids=["nothing", "spaces", "order and twice", "hostile"],
)
def test_observances_are_sorted_without_duplicates(text, expected):
    assert holidays.parse_observances(text) == expected


@pytest.mark.parametrize(
    "wrong",
    ["Good Friday", "2027-03-26", "2027-02-30 Never", "26.3.2027 Good Friday", "2027-3-26 x",
     "٢٠٢٧-03-26 x", f"2027-03-26 {'x' * 101}"],
    ids=ascii,
)  # fmt: skip
def test_an_invalid_line_is_refused_by_its_number(wrong):
    with pytest.raises(Refused, match="of the dates to avoid: enter") as refusal:
        holidays.parse_observances(f"2027-01-01 Fine\n\n{wrong}")

    assert refusal.value.values == {"number": 3}


def test_too_many_observances_are_refused():
    with pytest.raises(Refused, match="more than 500 dates"):
        holidays.parse_observances("\n".join(f"2027-01-01 Day {number}" for number in range(501)))
