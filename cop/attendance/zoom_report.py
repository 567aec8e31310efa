"""Parse Zoom's participants report (CSV) into participants and their minutes.

Zoom has changed its format many times. So columns are found by their titles, in any row and any
order, and unknown columns are ignored.
"""

import csv
import io
import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from cop.errors import Refused
from cop.i18n import N_
from cop.person_names import fold

_NOBODY = N_("We found no participants. Choose the CSV file that you exported from Zoom.")
_TOO_LONG = N_("This file is too long or damaged. Export it from Zoom again.")

MAX_LINE_LENGTH, MAX_COLUMNS, MAX_ROWS = 20_000, 50, 50_000
MAX_MINUTES = 10_000  # a week; longer stays come from a wrong clock, and are capped
# Our name of each column, and what its title in the report begins with (folded).
_TITLES = {
    "name": ("name", "user name"),
    "email": ("user email", "email", "e mail"),
    "joined": ("join time",),
    "left": ("leave time",),
    "minutes": ("duration", "total duration", "time in session"),
    "waited": ("in waiting room",),
    "attended": ("attended",),
}
DELIMITERS = (",", ";", "\t")
_CONTROLS = re.compile(r"[\x00-\x08\x0e-\x1f]")  # all but tab, line breaks and form feed
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
# Like 2026-11-28 19:05, 11/28/2026 07:05:00 PM, 28.11.2026 19:05 or Nov 28, 2026 07:05 PM.
_DATE_TIME = re.compile(
    r"(?:(?P<year>\d{4})-(?P<month>\d\d)-(?P<day>\d\d)|(?P<one>\d\d?)[/.](?P<two>\d\d?)[/.](?P<year_last>\d{4})"
    r"|(?P<month_name>[a-z]{3})[a-z]*\.? (?P<day_after>\d\d?),? (?P<year_after>\d{4}))"
    r",?[ t]+(?P<hour>\d\d?):(?P<minute>\d\d)(?::(?P<second>\d\d))?(?:\.\d+)? ?(?P<am_pm>[ap]m)?",
    re.IGNORECASE,
)

_Interval = tuple[datetime, datetime]


@dataclass(frozen=True)
class Participant:
    """A participant as Zoom reports them; `email` is empty if there is none."""

    name: str
    email: str
    minutes: int


@dataclass
class _ParticipantRows:
    """The rows of one participant, added up."""

    name: str
    email: str
    intervals: list[_Interval] = field(default_factory=list)
    minutes: int = 0  # from rows that have a duration, and no times

    def add(self, other: "_ParticipantRows") -> None:
        self.intervals += other.intervals
        self.minutes += other.minutes

    def as_participant(self) -> Participant:
        minutes = self.minutes + _seconds(self.intervals) // 60
        return Participant(self.name[:200], self.email[:254], min(minutes, MAX_MINUTES))


def read(content: bytes) -> list[Participant]:
    """Parse a report; return each participant once, in the order of the report.

    The rows of one participant are added up, overlapping times counted once; rows of the waiting
    room are left out.
    """
    rows = _read_rows(_decode(content))
    times = _parse_times({row[name] for row in rows for name in ("joined", "left")})
    participants: dict[str, _ParticipantRows] = {}
    for row in rows:
        if parsed := _parse_row(row, times):
            # A key made from a name begins with a space, so that it never equals an address.
            key = parsed.email.casefold() or f" {fold(parsed.name) or parsed.name}"
            participants.setdefault(key, _ParticipantRows(parsed.name, parsed.email)).add(parsed)
    people = _merge_without_address(participants.values())
    return [person.as_participant() for person in people]


def _parse_row(row: Mapping[str, str], times: Mapping[str, datetime]) -> _ParticipantRows | None:
    """Parse one row; None if it has neither times nor minutes (not admitted)."""
    joined, left = times.get(row["joined"]), times.get(row["left"])
    if joined and left:
        return _ParticipantRows(row["name"], row["email"], [(joined, left)])
    if row["minutes"]:
        return _ParticipantRows(row["name"], row["email"], minutes=_parse_minutes(row["minutes"]))
    return None


def _decode(content: bytes) -> str:
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        return _CONTROLS.sub("", content.decode("utf-16", "replace"))
    if content.startswith((b"PK\x03\x04", b"%PDF")) or _CONTROLS.search(content.decode("latin-1")):
        raise Refused(
            N_(
                "This file is a spreadsheet, picture or document, not a CSV file. Export it from "
                "Zoom again, or save the spreadsheet as “CSV UTF-8”."
            )
        )
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:  # saved again by an older spreadsheet
        return content.decode("cp1252", "replace")


def _read_rows(text: str) -> list[dict[str, str]]:
    """The rows of participants, keyed as in `_TITLES`."""
    if not text.strip():
        raise Refused(_NOBODY)
    if any(len(line) > MAX_LINE_LENGTH for line in text.splitlines()):
        raise Refused(_TOO_LONG)
    for delimiter in DELIMITERS:
        rows = _rows_below_titles(_split_cells(text, delimiter))
        if rows:
            return rows
        if rows is not None:  # titles were found, so this is the delimiter
            raise Refused(_NOBODY)
    raise Refused(_sentence_about_other_file(text))


def _split_cells(text: str, delimiter: str) -> Iterator[list[str]]:
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    try:
        for number, row in enumerate(reader):
            if number == MAX_ROWS:
                raise Refused(_TOO_LONG)
            yield [" ".join(cell.split()) for cell in row]
    except csv.Error as error:  # for example, an unclosed quote
        raise Refused(_TOO_LONG) from error


def _rows_below_titles(rows: Iterable[Sequence[str]]) -> list[dict[str, str]] | None:
    """The rows of admitted people below the titles; None if there are no titles.

    A webinar report has titles for hosts, and others further down for attendees.
    """
    columns, admitted = None, []
    for cells in rows:
        if found := _find_columns(cells):
            columns = found
        elif columns:
            row = dict.fromkeys(_TITLES, "")
            row |= {name: cells[index] for name, index in columns.items() if index < len(cells)}
            is_admitted = row["waited"].casefold() != "yes" and row["attended"].casefold() != "no"
            admitted += [row] if is_admitted and row["name"] else []
    return admitted if columns else None


def _find_columns(cells: Sequence[str]) -> Mapping[str, int] | None:
    """The index of each column in `_TITLES`; None if these cells are not the titles."""
    # A cheap check first, since nearly all rows are not titles.
    if len(cells) > MAX_COLUMNS or not any(
        cell.casefold().startswith(_TITLES["name"]) for cell in cells
    ):
        return None
    titles = [fold(cell) for cell in cells]
    columns: dict[str, int] = {}
    for name, beginnings in _TITLES.items():
        for beginning in beginnings:
            for index, title in enumerate(titles):
                if f"{title} ".startswith(f"{beginning} "):
                    columns.setdefault(name, index)
    is_report = "name" in columns and ("minutes" in columns or {"joined", "left"} <= set(columns))
    return columns if is_report else None


def _sentence_about_other_file(text: str) -> str:
    """Explain what a file seems to be that is not a report, and where to find one."""
    beginning = [fold(line) for line in text.splitlines()[:50]]
    if any("topic" in line and "participants" in line for line in beginning):
        return N_(
            "This is a list of meetings, not of participants. In Zoom, click the number of "
            "participants for this session, and export the list that opens."
        )
    if any("name" in line and "email" in line for line in beginning):
        return N_(
            "This list has no times, so it doesn't show who attended. In Zoom, go to Reports, "
            "then Usage. Click the number of participants, then Export."
        )
    return N_(
        "This isn't a participants report: it has no columns like Name and Duration. In Zoom, go "
        "to Reports, then Usage. Click the number of participants, then Export."
    )


def _parse_times(cells: Collection[str]) -> Mapping[str, datetime]:
    """Parse a report's times, by cell.

    They have no zone, which is not needed: only differences between times are used. Whether the day
    or the month comes first is guessed: the order in which more cells can be parsed, or else the
    one in which the times are closer together.
    """
    readings = (
        {cell: time for cell in cells if (time := _parse_time(cell, is_day_first=is_day_first))}
        for is_day_first in (False, True)
    )
    return min(readings, key=lambda times: (-len(times), _span(times.values())))


def _span(times: Collection[datetime]) -> timedelta:
    return max(times) - min(times) if times else timedelta()


def _parse_time(cell: str, *, is_day_first: bool) -> datetime | None:
    match = _DATE_TIME.match(cell)
    if match is None:
        return None
    # The month and the day of a date like 11/28/2026, or 28/11/2026 if the day is first.
    one, two = (match["two"], match["one"]) if is_day_first else (match["one"], match["two"])
    name = (match["month_name"] or "").casefold()
    month = match["month"] or one or (_MONTHS.index(name) + 1 if name in _MONTHS else 0)
    hour, am_pm = int(match["hour"]), (match["am_pm"] or "").casefold()
    if am_pm:
        hour = hour % 12 + 12 * (am_pm == "pm")
    year = match["year"] or match["year_last"] or match["year_after"]
    day = match["day"] or two or match["day_after"]
    minute, second = int(match["minute"]), int(match["second"] or 0)
    try:
        # Zoom's times have no zone.
        return datetime(int(year), int(month), int(day), hour, minute, second)  # noqa: DTZ001
    except ValueError:
        return None


def _parse_minutes(cell: str) -> int:
    """The minutes of a cell like `93` or `93.5`; 0 for anything else."""
    found = re.fullmatch(r"(\d{1,6})(?:[.,]\d*)?", cell, re.ASCII)
    return int(found[1]) if found else 0


def _merge_without_address(people: Collection[_ParticipantRows]) -> list[_ParticipantRows]:
    """Merge people without an address into the only one of that name who has one."""
    named: dict[str, list[_ParticipantRows]] = defaultdict(list)
    for person in people:
        if person.email:
            named[fold(person.name)].append(person)
    merged = []
    for person in people:
        name = fold(person.name)  # empty if it has no letters to compare
        if person.email or not name or len(named[name]) != 1:
            merged.append(person)
        else:
            named[name][0].add(person)
    return merged


def _seconds(intervals: Iterable[_Interval]) -> int:
    """The total length of intervals, overlaps counted once."""
    total, until = 0.0, datetime.min  # noqa: DTZ901 - Zoom's times have no zone
    for joined, left in sorted(intervals):
        total += max(0.0, (left - max(joined, until)).total_seconds())
        until = max(until, left)
    return int(total)
