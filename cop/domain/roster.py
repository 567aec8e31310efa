"""The roster: who is coming to a meeting, on screen and as the attendee CSV."""

import csv
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, NamedTuple, TextIO
from zoneinfo import ZoneInfo

from sqlalchemy import Row, Select, Text, case, cast, func, inspect, select, true
from sqlalchemy.orm import Session

from cop import fields
from cop.models import Meeting, Member, Registration, RegistrationStatus

STATUSES = tuple(RegistrationStatus)
USUAL_STATUSES = (RegistrationStatus.HELD, RegistrationStatus.WAITING)
LIST_SEPARATOR = "; "
# What makes a spreadsheet run a cell: also in full width, and behind spaces.
RUN_BY_SPREADSHEETS = tuple("=+-@|%\t\r\n＝＋－＠｜％")  # noqa: RUF001

_ROW = (
    select(
        Registration.id,
        Meeting.starts_at,
        Meeting.topic,
        Registration.status,
        Registration.name,
        Member.email,
        Registration.organization,
        Registration.hats,
        Registration.hats_other,
        Registration.taking_part,
        Registration.first_time,
        Registration.pronouns,
        Registration.prep_answer,
        Member.list_confirmed_at,
        Registration.registered_at,
        Registration.attended,
        Registration.joined_at,
        Member.undeliverable_at,
        Registration.access,
        Registration.access_language,
        Registration.access_other,
    )
    .join(Meeting, Meeting.id == Registration.meeting_id)
    .join(Member, Member.id == Registration.member_id)
    .order_by(Meeting.starts_at, Meeting.id, Registration.registered_at, Registration.id)
)
_Registered = Row[Any]


def _words(*values: str) -> str:
    return LIST_SEPARATOR.join(filter(None, values))


def _picked(field: fields.Field, values: Iterable[str], *own: str) -> str:
    return _words(*(field.label_of(value) for value in values), *own)


def _yes(value: object) -> str:
    return "yes" if value else "no"


def _access(row: _Registered) -> str:
    language = row.access_language and f"language: {row.access_language}"
    return _picked(fields.ACCESS, row.access, language, row.access_other)


# The columns of the attendee list, always in this order; `access` only when it is asked for.
_CELLS: dict[str, Callable[[_Registered, ZoneInfo], str]] = {
    "session_date": lambda row, zone: row.starts_at.astimezone(zone).date().isoformat(),
    "session_topic": lambda row, _: row.topic or "",
    "status": lambda row, _: row.status,
    "name": lambda row, _: row.name,
    "email": lambda row, _: row.email,
    "organization": lambda row, _: row.organization,
    "pronouns": lambda row, _: row.pronouns,
    "hats": lambda row, _: _picked(fields.HATS, row.hats, row.hats_other),
    "taking_part": lambda row, _: _picked(fields.TAKING_PART, row.taking_part),
    "first_time": lambda row, _: _yes(row.first_time),
    "prep_answer": lambda row, _: row.prep_answer,
    "mailing_list": lambda row, _: _yes(row.list_confirmed_at),
    "registered_at": lambda row, zone: _moment(row.registered_at, zone),
    "attended": lambda row, _: "" if row.attended is None else _yes(row.attended),
    "access": lambda row, _: _access(row),
}
COLUMNS = tuple(_CELLS)
USUAL_COLUMNS = tuple(name for name in COLUMNS if name != "access")


def _moment(moment: datetime, zone: ZoneInfo) -> str:
    return moment.astimezone(zone).isoformat(timespec="seconds")


def guarded(cell: str) -> str:
    """A cell that no spreadsheet will run: nothing is taken away, an apostrophe may go first."""
    if cell.startswith(RUN_BY_SPREADSHEETS) or cell.lstrip().startswith(RUN_BY_SPREADSHEETS):
        return "'" + cell
    return cell


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

    Rows are read as they are written, so memory does not grow with their number.
    """
    writer = csv.writer(out, lineterminator="\r\n")
    wanted = [name for name in COLUMNS if name in columns]
    cells = [_CELLS[name] for name in wanted]
    writer.writerow(wanted)
    query = _of(meeting_id, statuses).execution_options(yield_per=1000)
    for row in db_session.execute(query):
        writer.writerow([guarded(cell(row, zone)) for cell in cells])


def _of(meeting_id: int | None, statuses: Sequence[str]) -> Select[*tuple[Any, ...]]:
    meeting = Registration.meeting_id == meeting_id if meeting_id is not None else true()
    return _ROW.where(meeting, Registration.status.in_(statuses))


def file_name(community_slug: str, *, on: date | None) -> str:
    """What the attendee list is called: with its session's date, or without for all sessions."""
    return f"{community_slug}-{on.isoformat()}-attendees.csv" if on else (
        f"{community_slug}-attendees.csv"
    )  # fmt: skip


# Columns instead of attributes: rows are made twice as fast without a look at what they are of.
_OF, _BY = inspect(Registration).columns, inspect(Member).columns
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


def counts(db_session: Session) -> dict[int, Counts]:
    """The counts of every meeting that somebody has registered for, by the meeting's id."""

    def how_many(condition: Any) -> Any:
        return func.count().filter(condition)

    held = Registration.status == RegistrationStatus.HELD
    live = Registration.status != RegistrationStatus.CANCELLED
    query = select(
        Registration.meeting_id,
        how_many(held).label("held"),
        how_many(Registration.status == RegistrationStatus.WAITING).label("waiting"),
        how_many(~live).label("cancelled"),
        how_many(live & Registration.first_time).label("first_time"),
        how_many(live & ASKS_FOR_ACCESS).label("access"),
        case((func.count(Registration.attended) > 0, how_many(Registration.attended))).label(
            "came"
        ),
    ).group_by(Registration.meeting_id)
    return {
        row.meeting_id: Counts(**{n: getattr(row, n) for n in Counts.__dataclass_fields__})
        for row in db_session.execute(query)
    }


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
