"""Zoom's participants report: from the bytes of a file to who was there, and for how long.

Zoom has had many shapes of it; so the header is found by what stands in it, wherever it stands and
in whichever order, and what is not understood is left out.
"""

import csv
import io
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from cop.errors import Refused
from cop.i18n import N_
from cop.person_names import fold

_MISSING = N_("Choose the file that Zoom gave you: nobody is named in what arrived here.")
_ENDLESS = N_("This file has longer lines, or more of them, than Zoom writes. Export it again.")

MAX_LINE_LENGTH, MAX_COLUMNS, MAX_ROWS = 20_000, 50, 50_000
MAX_MINUTES = 10_000  # a week: beyond it somebody's clock was wrong
COLUMN_TITLES = ("name", "user name")  # how the title of the one column begins that must be
# How the titles of the columns begin, folded.
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
_CONTROLS = re.compile(r"[\x00-\x08\x0e-\x1f]")
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_WHEN = re.compile(
    r"(?:(?P<year>\d{4})-(?P<month>\d\d)-(?P<day>\d\d)|(?P<one>\d\d?)[/.](?P<two>\d\d?)[/.](?P<y>\d{4})"
    r"|(?P<named>[a-z]{3})[a-z]*\.? (?P<d>\d\d?),? (?P<of>\d{4}))"
    r",?[ t]+(?P<hour>\d\d?):(?P<minute>\d\d)(?::(?P<second>\d\d))?(?:\.\d+)? ?(?P<half>[ap]m)?",
    re.IGNORECASE,
)

_Interval = tuple[datetime, datetime]


@dataclass(frozen=True)
class Participant:
    """Somebody in the report: as Zoom shows them, with an address where there is one."""

    name: str
    email: str
    minutes: int


@dataclass
class _ParticipantRows:
    """What the rows of one person say, as they are read."""

    name: str
    email: str
    stays: list[_Interval] = field(default_factory=list)
    minutes: int = 0  # of the rows without times

    def take_in(self, other: "_ParticipantRows") -> None:
        self.stays += other.stays
        self.minutes += other.minutes

    def as_participant(self) -> Participant:
        minutes = self.minutes + _seconds(self.stays) // 60
        return Participant(self.name[:200], self.email[:254], min(minutes, MAX_MINUTES))


def read(content: bytes) -> list[Participant]:
    """Read who was there, each once, in the order in which the report names them.

    The rows of one person are added up, and where they overlap the time counts once; rows of the
    waiting room are left out.
    """
    rows = _people(_text(content))
    moments = _parse_times({row[name] for row in rows for name in ("joined", "left")})
    seen: dict[str, _ParticipantRows] = {}
    for row in rows:
        if here := _seen(row, moments):
            key = here.email.casefold() or f" {fold(here.name) or here.name}"
            seen[key].take_in(here) if key in seen else seen.update({key: here})
    return [person.as_participant() for person in _joined(seen)]


def _seen(row: Mapping[str, str], moments: Mapping[str, datetime]) -> _ParticipantRows | None:
    """What one row says; who has neither times nor minutes was never let in."""
    here = _ParticipantRows(row["name"], row["email"])
    joined, left = moments.get(row["joined"]), moments.get(row["left"])
    if joined and left:
        here.stays.append((joined, left))
    elif row["minutes"]:
        here.minutes = _number(row["minutes"])
    else:
        return None
    return here


def _text(content: bytes) -> str:
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        return _CONTROLS.sub("", content.decode("utf-16", "replace"))
    if content.startswith((b"PK\x03\x04", b"%PDF")) or _CONTROLS.search(content.decode("latin-1")):
        raise Refused(
            N_(
                "This file is a workbook, a picture or a document. Zoom's Export button gives a "
                "CSV file; a workbook can be saved as one: CSV UTF-8."
            ),
            field="report",
        )
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:  # saved again by an older spreadsheet
        return content.decode("cp1252", "replace")


def _people(text: str) -> list[dict[str, str]]:
    """The rows of people, by our names of the columns."""
    if not text.strip():
        raise Refused(_MISSING, field="report")
    if any(len(line) > MAX_LINE_LENGTH for line in text.splitlines()):
        raise Refused(_ENDLESS, field="report")
    for delimiter in DELIMITERS:
        people = _below_titles(_rows(text, delimiter))
        if people:
            return people
        if people is not None:
            raise Refused(_MISSING, field="report")
    raise _error_for_other_file(text)


def _rows(text: str, delimiter: str) -> Iterator[list[str]]:
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    try:
        for number, row in enumerate(reader):
            if number == MAX_ROWS:
                raise Refused(_ENDLESS, field="report")
            yield [" ".join(cell.split()) for cell in row]
    except csv.Error as error:  # as when a quote never ends
        raise Refused(_ENDLESS, field="report") from error


def _below_titles(rows: Iterable[Sequence[str]]) -> list[dict[str, str]] | None:
    """Everybody below the titles who was let in; None where there are no titles.

    The report of a webinar has titles for its hosts, and others further down for those who came.
    """
    columns, people = None, []
    for cells in rows:
        if titles := _titles(cells):
            columns = titles
        elif columns:
            row = dict.fromkeys(_TITLES, "")
            row |= {name: cells[at] for name, at in columns.items() if at < len(cells)}
            came = row["waited"].casefold() != "yes" and row["attended"].casefold() != "no"
            people += [row] if came and row["name"] else []
    return people if columns else None


def _titles(cells: Sequence[str]) -> Mapping[str, int] | None:
    """Where our columns stand, if these are the titles of a report."""
    if len(cells) > MAX_COLUMNS or not any(
        cell.casefold().startswith(COLUMN_TITLES) for cell in cells
    ):
        return None
    titles = [fold(cell) for cell in cells]
    columns: dict[str, int] = {}
    for name, beginnings in _TITLES.items():
        for beginning in reversed(beginnings):
            for place, title in enumerate(titles):
                if title == beginning or title.startswith(f"{beginning} "):
                    columns[name] = place
                    break
    is_report = "name" in columns and ("minutes" in columns or {"joined", "left"} <= set(columns))
    return columns if is_report else None


def _error_for_other_file(text: str) -> Refused:
    """What to say of a file without the titles of a report."""
    beginning = [fold(line) for line in text.splitlines()[:50]]
    if any("topic" in line and "participants" in line for line in beginning):
        return Refused(
            N_(
                "This is a list of meetings. Click the number of participants in the line of this "
                "session in Zoom, and export the list that opens."
            ),
            field="report",
        )
    if any("name" in line and "email" in line for line in beginning):
        return Refused(
            N_(
                "This list has names and no times, so it does not say who came. Look in Zoom under "
                "Reports, Usage, the number of participants, Export."
            ),
            field="report",
        )
    return Refused(
        N_(
            "This is no participants report: no line of it names columns like Name and Duration. "
            "Look in Zoom under Reports, Usage, the number of participants, Export."
        ),
        field="report",
    )


def _parse_times(cells: Iterable[str]) -> Mapping[str, datetime]:
    """The times of a report, which says neither its zone nor whether days or months come first.

    Only the time between them counts: of two ways to read them the closer one is right.
    """
    found = {cell: match for cell in cells if (match := _WHEN.match(cell))}
    ways = (
        {cell: at for cell, match in found.items() if (at := _parse_time(match, is_day_first=way))}
        for way in (False, True)
    )
    return min(ways, key=lambda way: (-len(way), max(way.values()) - min(way.values()))
               if way else (0, timedelta()))  # fmt: skip


def _parse_time(match: re.Match[str], *, is_day_first: bool) -> datetime | None:
    one, two = (match["two"], match["one"]) if is_day_first else (match["one"], match["two"])
    name = (match["named"] or "").casefold()
    month = match["month"] or one or (_MONTHS.index(name) + 1 if name in _MONTHS else 0)
    hour, half = int(match["hour"]), (match["half"] or "").casefold()
    if half:
        hour = hour % 12 + 12 * (half == "pm")
    try:
        return datetime(  # noqa: DTZ001 - Zoom's times have no zone
            int(match["year"] or match["y"] or match["of"]), int(month),
            int(match["day"] or two or match["d"]), hour, int(match["minute"]),
            int(match["second"] or 0),
        )  # fmt: skip
    except ValueError:
        return None


def _number(cell: str) -> int:
    """The minutes of a cell like `93` or `93.5`; of nothing else."""
    found = re.fullmatch(r"(\d{1,6})(?:[.,]\d*)?", cell, re.ASCII)
    return int(found[1]) if found else 0


def _joined(seen: Mapping[str, _ParticipantRows]) -> Iterable[_ParticipantRows]:
    """Add who came without an address, as by phone, to the one who has the same name and one."""
    named: dict[str, list[_ParticipantRows]] = {}
    for person in seen.values():
        if person.email:
            named.setdefault(fold(person.name), []).append(person)
    left = dict(seen)
    for key, person in seen.items():
        name = fold(person.name)  # nothing, where there are only signs that nobody can compare
        same = named.get(name, []) if name and not person.email else []
        if len(same) == 1:
            same[0].take_in(left.pop(key))
    return left.values()


def _seconds(stays: Iterable[_Interval]) -> int:
    """How long somebody was there, overlaps counted once."""
    total, until = 0.0, datetime.min  # noqa: DTZ901
    for joined, left in sorted(stays):
        total += max(0.0, (left - max(joined, until)).total_seconds())
        until = max(until, left)
    return int(total)
