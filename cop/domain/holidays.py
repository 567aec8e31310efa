"""Days on which people may be elsewhere: federal holidays, and those that the community keeps."""

import re
from collections.abc import Iterable, Iterator
from datetime import date, timedelta
from functools import cache
from pathlib import Path

from cop.domain.errors import ObservanceRefused, ObservancesTooMany
from cop.words import N_

SHIPPED = Path(__file__).with_name("observances.txt")
MOST, LONGEST = 500, 100  # lines, letters of a name
JUNETEENTH_SINCE = 2021  # the year in which it became a federal holiday

_FIXED = (
    (1, 1, N_("New Year's Day"), N_("New Year's Day (observed)")),
    (6, 19, N_("Juneteenth"), N_("Juneteenth (observed)")),
    (7, 4, N_("Independence Day"), N_("Independence Day (observed)")),
    (11, 11, N_("Veterans Day"), N_("Veterans Day (observed)")),
    (12, 25, N_("Christmas Day"), N_("Christmas Day (observed)")),
)
# The month, which of its weeks (or the last), the weekday.
_FLOATING = (
    (1, 3, 0, N_("Martin Luther King Jr. Day")),
    (2, 3, 0, N_("Presidents' Day")),
    (5, -1, 0, N_("Memorial Day")),
    (9, 1, 0, N_("Labor Day")),
    (10, 2, 0, N_("Indigenous Peoples' Day (Columbus Day)")),
    (11, 4, 3, N_("Thanksgiving")),
)
_LINE = re.compile(r"(\d{4}-\d{2}-\d{2})\s+(\S.*)", re.ASCII)


def on(day: date, observances: Iterable[str] = ()) -> list[str]:
    """What a day is, by name: marked for translation where it is a federal holiday."""
    # The New Year's Day of next year can be observed on the last day of this one.
    federal = {*_federal(day.year), *_federal(day.year + 1)}
    names = [name for on_, name in sorted(federal) if on_ == day]
    kept = (line.partition(" ") for line in observances)
    return names + [name for on_, _, name in kept if on_ == day.isoformat()]


def shipped() -> list[str]:
    """The observances that a new installation begins with."""
    return SHIPPED.read_text("utf-8").splitlines()


def read(text: str) -> list[str]:
    """The observances of a text with one on each line, in the order of their dates.

    Raises:
        ObservanceRefused: a line is no date with a name after it.
        ObservancesTooMany: the list is too long.
    """
    lines = [(number, line.strip()) for number, line in enumerate(text.splitlines(), 1)]
    kept = {_checked(number, line) for number, line in lines if line}
    if len(kept) > MOST:
        raise ObservancesTooMany(most=MOST)
    return sorted(kept)


def _checked(number: int, line: str) -> str:
    found = _LINE.fullmatch(line)
    if not found or len(found[2]) > LONGEST:
        raise ObservanceRefused(number=number)
    try:
        date.fromisoformat(found[1])
    except ValueError as error:
        raise ObservanceRefused(number=number) from error
    return f"{found[1]} {found[2]}"


@cache
def _federal(year: int) -> frozenset[tuple[date, str]]:
    floating = ((_nth(year, month, week, weekday), n) for month, week, weekday, n in _FLOATING)
    return frozenset((*_fixed(year), *floating))


def _fixed(year: int) -> Iterator[tuple[date, str]]:
    for month, number, name, observed in _FIXED:
        day = date(year, month, number)
        if month == 6 and year < JUNETEENTH_SINCE:
            continue
        yield day, name
        # 5 U.S.C. 6103: Saturday's holiday is observed on Friday, Sunday's on Monday.
        if shift := {5: -1, 6: 1}.get(day.weekday()):
            yield day + timedelta(days=shift), observed


def _nth(year: int, month: int, week: int, weekday: int) -> date:
    first = date(year, month, 1)
    if week < 0:  # the last of the month is a week before the first of the next
        return _nth(year, month + 1, 1, weekday) - timedelta(weeks=1)
    return first + timedelta(days=(weekday - first.weekday()) % 7, weeks=week - 1)
