"""The roster: who is coming to a meeting, on screen and as the attendee CSV."""

import csv
import json
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import cache
from itertools import chain, islice
from typing import Any, NamedTuple, TextIO
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, Select, Text, cast, func, inspect, select, true
from sqlalchemy.orm import Session

from cop import fields
from cop.models import Meeting, Member, Registration, RegistrationStatus

STATUSES = tuple(RegistrationStatus)
USUAL_STATUSES = (RegistrationStatus.HELD, RegistrationStatus.WAITING)
LIST_SEPARATOR = "; "
# What makes a spreadsheet read a cell as a formula, also in full width. Spaces and quotes before it
# do not count, since readers may drop them.
_FORMULA = r"[\s\"]*[=+@|%\t＝＋－＠｜％-]"  # noqa: RUF001
_FORMULA_AT_START = re.compile(rf"[\t\r\n]|{_FORMULA}")
# Excel splits at ";" in many locales, others at tabs. The quotes around our cells mean nothing to
# them, since their cells begin elsewhere, so that a line break ends their row, too.
_FORMULA_INSIDE = re.compile(rf"[;\t\r\n](?={_FORMULA})")
_ANY_FORMULA = re.compile(rf"[\0;\t\r\n](?:{_FORMULA}|[\r\n])")  # each cell behind a NUL
# Columns of our own words and numbers, in which nothing is that somebody typed.
_NEVER_TYPED = {
    *("session_date", "status", "taking_part", "first_time", "mailing_list", "registered_at"),
    "attended",
}
_SAID = {True: "yes", False: "no", None: ""}

# Columns instead of attributes: rows are made twice as fast without a look at what they are of.
_OF, _BY, _AT = inspect(Registration).columns, inspect(Member).columns, inspect(Meeting).columns
# The columns of the attendee list, always in this order, and what each is made from. Lists are read
# as text: there are few of them, so that each needs to be understood only once.
_READ: dict[str, tuple[ColumnElement[Any], ...]] = {
    "session_date": (_AT.starts_at,),
    "session_topic": (func.coalesce(_AT.topic, ""),),
    "status": (_OF.status,),
    "name": (_OF.name,),
    "email": (_BY.email,),
    "organization": (_OF.organization,),
    "pronouns": (_OF.pronouns,),
    "hats": (cast(_OF.hats, Text), _OF.hats_other),
    "taking_part": (cast(_OF.taking_part, Text),),
    "first_time": (_OF.first_time,),
    "prep_answer": (_OF.prep_answer,),
    "mailing_list": (_BY.list_confirmed_at.is_not(None),),
    "registered_at": (_OF.registered_at,),
    "attended": (_OF.attended,),
    "access": (cast(_OF.access, Text), _OF.access_language, _OF.access_other),
}
COLUMNS = tuple(_READ)
USUAL_COLUMNS = tuple(name for name in COLUMNS if name != "access")


def guarded(cell: str) -> str:
    """Make a CSV cell harmless in spreadsheets: an apostrophe before it, and nothing removed.

    One more goes before each part inside it that would be a formula to a reader that splits at
    semicolons, tabs or line breaks: there, the apostrophe before the whole cell protects nothing.
    """
    text = cell.lstrip()
    inside = _FORMULA_INSIDE.sub(r"\g<0>'", text)
    if inside == text and not _FORMULA_AT_START.match(cell):
        return cell
    whole = cell.removesuffix(text) + inside
    return whole if whole.startswith("'") else f"'{whole}"


def _guard_column(cells: Sequence[str]) -> Sequence[str]:
    """Guard the cells of a column; nearly all columns need no more than one look at the whole."""
    if _ANY_FORMULA.search("\0".join(["", *cells])):
        return list(map(guarded, cells))
    return cells


def write_csv(
    db_session: Session,
    out: TextIO,
    *,
    zone: ZoneInfo,
    meeting_id: int | None = None,
    statuses: Sequence[str] = USUAL_STATUSES,
    columns: Sequence[str] = USUAL_COLUMNS,
) -> None:
    """Write the attendee list (RFC 4180: CRLF, quotes doubled) to `out`, one row a registration.

    Rows are written as they are read, so memory does not grow with their number; some at a time
    and column by column, since a call for each cell takes longer than all else.
    """
    writer = csv.writer(out, lineterminator="\r\n")
    wanted = [name for name in COLUMNS if name in columns]
    made = _made(zone)
    writer.writerow(wanted)
    query = _rows(wanted, meeting_id, statuses).execution_options(yield_per=100)
    for rows in db_session.execute(query).partitions():
        values = zip(*rows, strict=True)
        cells = [_column(name, islice(values, len(_READ[name])), made.get(name)) for name in wanted]
        writer.writerows(zip(*cells, strict=True))


def _column(
    name: str, values: Iterator[tuple[Any, ...]], make: Callable[..., str] | None
) -> Sequence[str]:
    """The cells of a column for some rows, made from what was read for it."""
    cells = list(map(make, *values)) if make else next(values)
    return cells if name in _NEVER_TYPED else _guard_column(cells)


def _rows(wanted: Iterable[str], meeting_id: int | None, statuses: Sequence[str]) -> Select[Any]:
    of_meeting = _OF.meeting_id == meeting_id if meeting_id is not None else true()
    return (
        select(*chain.from_iterable(_READ[name] for name in wanted))
        .select_from(_OF.id.table)
        .join(_AT.id.table, _AT.id == _OF.meeting_id)
        .join(_BY.id.table, _BY.id == _OF.member_id)
        .where(of_meeting, _OF.status.in_(statuses))
        .order_by(_AT.starts_at, _AT.id, _OF.registered_at, _OF.id)
    )


def _made(zone: ZoneInfo) -> dict[str, Callable[..., str]]:
    """How to make the cells that are not as the database has them."""
    hats, ways, access = map(_labels, (fields.HATS, fields.TAKING_PART, fields.ACCESS))
    return {
        "session_date": cache(lambda at: at.astimezone(zone).date().isoformat()),
        "hats": lambda values, own: _words(hats(values), own),
        "taking_part": ways,
        "first_time": _SAID.__getitem__,
        "mailing_list": _SAID.__getitem__,
        "registered_at": lambda at: at.astimezone(zone).isoformat(timespec="seconds"),
        "attended": _SAID.__getitem__,
        "access": lambda values, language, own: _words(
            access(values), language and f"language: {language}", own
        ),
    }


def _labels(field: fields.Field) -> Callable[[str], str]:
    return cache(lambda values: _words(*map(field.label_of, json.loads(values))))


def _words(*values: str) -> str:
    return LIST_SEPARATOR.join(filter(None, values))


def file_name(community_slug: str, *, on: date | None) -> str:
    """What the attendee list is called: with its session's date, or without for all sessions."""
    return f"{community_slug}-{on.isoformat()}-attendees.csv" if on else (
        f"{community_slug}-attendees.csv"
    )  # fmt: skip


ASKS_FOR_ACCESS = (
    (cast(_OF.access, Text) != "[]") | (_OF.access_language != "") | (_OF.access_other != "")
)


class Attendee(NamedTuple):
    """One line of a roster on the screen; what would help somebody take part is not on it."""

    id: int
    status: str
    name: str
    email: str
    organization: str
    pronouns: str
    hats: tuple[str, ...]
    hats_other: str
    first_time: bool
    prep_answer: str
    registered_at: datetime
    attended: bool | None
    joined_at: datetime | None
    undeliverable_at: datetime | None
    asks_for_access: bool


_OF_MEMBER: dict[str, Any] = {
    "email": _BY.email,
    "undeliverable_at": _BY.undeliverable_at,
    "asks_for_access": ASKS_FOR_ACCESS.label("asks_for_access"),
}
_LINE: Select[Any] = (
    select(*[_OF_MEMBER[n] if n in _OF_MEMBER else _OF[n] for n in Attendee._fields])
    .join(_BY.id.table, _BY.id == _OF.member_id)
    .order_by(_OF.registered_at, _OF.id)
)
RANK: dict[str, int] = {status: rank for rank, status in enumerate(STATUSES)}


def attendees(db_session: Session, meeting_id: int) -> list[Attendee]:
    """Who holds a place, who waits, and who cancelled, each by time of registration."""
    rows = db_session.execute(_LINE.where(_OF.meeting_id == meeting_id))
    people = [Attendee(*row) for row in rows]
    return sorted(people, key=lambda person: RANK[person.status])


def addresses(db_session: Session, meeting_id: int, *, status: str) -> list[str]:
    """The addresses of those who hold a place, or wait; not those from which mail comes back."""
    query = _LINE.with_only_columns(_BY.email).where(
        _OF.meeting_id == meeting_id, _OF.status == status, _BY.undeliverable_at.is_(None)
    )
    return list(db_session.scalars(query))


def member_of(db_session: Session, registration_id: int, *, meeting_id: int) -> int | None:
    """The member whose registration it is, if it is one for this meeting."""
    query = select(Registration.member_id).where(
        Registration.id == registration_id, Registration.meeting_id == meeting_id
    )
    return db_session.scalar(query)


@dataclass(frozen=True)
class Counts:
    """How many, at one meeting."""

    held: int = 0
    waiting: int = 0
    cancelled: int = 0
    first_time: int = 0
    access: int = 0
    came: int | None = None  # not known before somebody notes it


def tally(people: Sequence[Attendee]) -> Counts:
    """The counts of a roster that has been read."""
    statuses = Counter(person.status for person in people)
    live = [person for person in people if person.status != RegistrationStatus.CANCELLED]
    noted = [person.attended for person in people if person.attended is not None]
    return Counts(
        **{status.value: statuses[status] for status in STATUSES},
        first_time=sum(person.first_time for person in live),
        access=sum(person.asks_for_access for person in live),
        came=sum(noted) if noted else None,
    )
