"""Days on which people may be away: federal holidays and observances."""

import re
from collections.abc import Iterable
from datetime import date
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from cop.errors import Refused
from cop.i18n import N_

if TYPE_CHECKING:
    from holidays import HolidayBase

_UNREADABLE = N_(
    "Line %(number)s of the dates to avoid: enter a date like 2027-03-26, a space and a name of up "
    "to 100 characters."
)

# The observances that a new installation begins with.
DEFAULT_OBSERVANCES = Path(__file__).with_name("observances.txt").read_text("utf-8").splitlines()
MAX_OBSERVANCES = 500
# The library returns official names; the console shows these instead.
_NAMES = {
    "Columbus Day": "Indigenous Peoples' Day (Columbus Day)",
    "Juneteenth National Independence Day": "Juneteenth",
    "Juneteenth National Independence Day (observed)": "Juneteenth (observed)",
    "Thanksgiving Day": "Thanksgiving",
    "Washington's Birthday": "Presidents' Day",
}
_LINE = re.compile(r"(\d{4}-\d{2}-\d{2})\s+(\S.{,99})", re.ASCII)


def holidays_on(day: date, observances: Iterable[str] = ()) -> list[str]:
    """Return the names of a day's federal holidays and observances."""
    federal_names = _federal(day.year).get_list(day)
    date_prefix = f"{day.isoformat()} "
    return [_NAMES.get(name, name) for name in federal_names] + [
        line.removeprefix(date_prefix) for line in observances if line.startswith(date_prefix)
    ]


def parse_observances(text: str) -> list[str]:
    """Parse a text with one observance on each line; return the lines sorted by date."""
    lines = [(number, line.strip()) for number, line in enumerate(text.splitlines(), 1)]
    entries = {_parse_line(number, line) for number, line in lines if line}
    if len(entries) > MAX_OBSERVANCES:
        raise Refused(
            N_("There are more than %(most)s dates to avoid. Delete those that have passed."),
            field="observances",
            most=MAX_OBSERVANCES,
        )
    return sorted(entries)


def _parse_line(number: int, line: str) -> str:
    match = _LINE.fullmatch(line)
    day, name = match.groups() if match else ("", "")
    try:
        date.fromisoformat(day)  # the empty string is invalid, too
    except ValueError as error:
        raise Refused(_UNREADABLE, field="observances", number=number) from error
    return f"{day} {name}"


@cache
def _federal(year: int) -> "HolidayBase":
    from holidays import country_holidays  # noqa: PLC0415 - large, and only the console uses it

    # The language is set, since the default would depend on the environment.
    return country_holidays("US", years=year, expand=False, language="en_US")
