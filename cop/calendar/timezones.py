"""VTIMEZONE components, from the rules of `zoneinfo`.

Times of changes are local times by the offset in force just before the change, as RFC 5545, 3.6.5,
requires.
"""

from bisect import bisect_left
from collections import defaultdict
from datetime import UTC, datetime, timedelta
from functools import cache
from itertools import pairwise
from typing import NamedTuple
from zoneinfo import ZoneInfo

from cop.calendar.ical import component, format_local, format_offset

FIRST, LAST = 2015, 2041  # years whose changes are listed; a yearly change becomes an endless rule
_DAY = timedelta(days=1)
_WEEKDAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")


class ChangeKind(NamedTuple):
    """A kind of clock change, with the offsets from UTC before and after it."""

    before: timedelta
    after: timedelta
    name: str
    is_summer: bool


@cache
def vtimezone(name: str) -> tuple[str, ...]:
    """Describe a zone as the lines of a VTIMEZONE."""
    lines = [f"TZID:{name}"]
    for kind, moments in _changes(ZoneInfo(name)).items():
        lines += _observance(kind, moments)
    return tuple(component("VTIMEZONE", lines))


def _changes(zone: ZoneInfo) -> dict[ChangeKind, list[datetime]]:
    """Return the local times of each kind of clock change."""
    begin, end = datetime(FIRST, 1, 1, tzinfo=UTC), datetime(LAST + 1, 1, 1, tzinfo=UTC)
    days = [begin + number * _DAY for number in range((end - begin).days + 1)]
    pairs = pairwise(day.astimezone(zone) for day in days)
    moments = [
        _find_change(zone, day) for day, later in pairs if day.utcoffset() != later.utcoffset()
    ]
    if not moments or moments[0].year > FIRST:
        moments.insert(0, begin)  # changes nothing, but states the offset until the first change
    changes = defaultdict(list)
    for moment in moments:
        before, after = (moment - timedelta(seconds=1)).astimezone(zone), moment.astimezone(zone)
        offset_before = _offset(after if moment == begin else before)
        name, is_summer = after.tzname() or zone.key, bool(after.dst())
        kind = ChangeKind(offset_before, _offset(after), name, is_summer)
        changes[kind].append((moment + offset_before).replace(tzinfo=None))
    return changes


def _find_change(zone: ZoneInfo, day: datetime) -> datetime:
    """Find the second of a day at which the zone's offset changes."""
    begin, offset = day.astimezone(UTC), day.utcoffset()

    def is_past(second: int) -> bool:
        return (begin + timedelta(seconds=second)).astimezone(zone).utcoffset() != offset

    return begin + timedelta(seconds=bisect_left(range(86_400), True, key=is_past))


def _offset(moment: datetime) -> timedelta:
    return moment.utcoffset() or timedelta()


def _observance(kind: ChangeKind, moments: list[datetime]) -> list[str]:
    lines = [f"DTSTART:{format_local(moments[0])}"]
    if rule := _yearly_rule(moments):
        lines.append(f"RRULE:{rule}")
    elif moments[1:]:
        # Some parsers read only lines of one date, and some of them not DTSTART beside those.
        lines += [f"RDATE:{format_local(moment)}" for moment in moments]
    lines += [
        f"TZNAME:{kind.name}",
        f"TZOFFSETFROM:{format_offset(kind.before)}",
        f"TZOFFSETTO:{format_offset(kind.after)}",
    ]
    return component("DAYLIGHT" if kind.is_summer else "STANDARD", lines)


def _yearly_rule(moments: list[datetime]) -> str:
    """Return the RRULE of a change such as the second Sunday of March, or ""."""
    first = moments[0]
    is_yearly = [moment.year for moment in moments] == list(range(FIRST, LAST + 1))
    if not is_yearly or len({(m.month, m.weekday(), m.time()) for m in moments}) > 1:
        return ""
    weeks = {(moment.day - 1) // 7 + 1 for moment in moments}
    is_always_last = all((moment + 7 * _DAY).month != moment.month for moment in moments)
    if len(weeks) > 1 and not is_always_last:
        return ""
    week = -1 if len(weeks) > 1 else weeks.pop()
    day = f"{week}{_WEEKDAYS[first.weekday()]}"
    return f"FREQ=YEARLY;BYDAY={day};BYMONTH={first.month}"
