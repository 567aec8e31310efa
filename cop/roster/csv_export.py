"""The roster: who is coming to a meeting, on screen and as the attendee CSV."""

import csv
import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import date
from functools import cache
from itertools import chain, islice
from typing import Any, TextIO
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, Select, Text, cast, func, select, true
from sqlalchemy.orm import Session

from cop.models.registration import RegistrationStatus
from cop.questions import field, registry
from cop.roster.roster import OF_MEETING, OF_MEMBER, OF_REGISTRATION
from cop.web import downloads

USUAL_STATUSES = (RegistrationStatus.HELD, RegistrationStatus.WAITING)
LIST_SEPARATOR = "; "
# Columns of our own words and numbers, in which nothing is that somebody typed.
_NEVER_TYPED = {
    *("session_date", "status", "taking_part", "first_time", "mailing_list", "registered_at"),
    "attended",
}
_FORMATTERS = {True: "yes", False: "no", None: ""}
# The columns of the attendee list, always in this order, and what each is made from. Lists are read
# as text: there are few of them, so that each needs to be understood only once.
_READ: dict[str, tuple[ColumnElement[Any], ...]] = {
    "session_date": (OF_MEETING.starts_at,),
    "session_topic": (func.coalesce(OF_MEETING.topic, ""),),
    "status": (OF_REGISTRATION.status,),
    "name": (OF_REGISTRATION.name,),
    "email": (OF_MEMBER.email,),
    "organization": (OF_REGISTRATION.organization,),
    "pronouns": (OF_REGISTRATION.pronouns,),
    "hats": (cast(OF_REGISTRATION.hats, Text), OF_REGISTRATION.hats_other),
    "taking_part": (cast(OF_REGISTRATION.taking_part, Text),),
    "first_time": (OF_REGISTRATION.first_time,),
    "prep_answer": (OF_REGISTRATION.prep_answer,),
    "mailing_list": (OF_MEMBER.list_confirmed_at.is_not(None),),
    "registered_at": (OF_REGISTRATION.registered_at,),
    "attended": (OF_REGISTRATION.attended,),
    "access": (
        cast(OF_REGISTRATION.access, Text),
        OF_REGISTRATION.access_language,
        OF_REGISTRATION.access_other,
    ),
}
COLUMNS = tuple(_READ)
USUAL_COLUMNS = tuple(name for name in COLUMNS if name != "access")


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
    made = _derived_column(zone)
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
    return cells if name in _NEVER_TYPED else downloads.guard_column(cells)


def _rows(wanted: Iterable[str], meeting_id: int | None, statuses: Sequence[str]) -> Select[Any]:
    of_meeting = OF_REGISTRATION.meeting_id == meeting_id if meeting_id is not None else true()
    return (
        select(*chain.from_iterable(_READ[name] for name in wanted))
        .select_from(OF_REGISTRATION.id.table)
        .join(OF_MEETING.id.table, OF_MEETING.id == OF_REGISTRATION.meeting_id)
        .join(OF_MEMBER.id.table, OF_MEMBER.id == OF_REGISTRATION.member_id)
        .where(of_meeting, OF_REGISTRATION.status.in_(statuses))
        .order_by(
            OF_MEETING.starts_at, OF_MEETING.id, OF_REGISTRATION.registered_at, OF_REGISTRATION.id
        )
    )


def _derived_column(zone: ZoneInfo) -> dict[str, Callable[..., str]]:
    """How to make the cells that are not as the database has them."""
    hats, ways, access = map(_labels, (registry.HATS, registry.TAKING_PART, registry.ACCESS))
    return {
        "session_date": cache(lambda at: at.astimezone(zone).date().isoformat()),
        "hats": lambda values, own: _words(hats(values), own),
        "taking_part": ways,
        "first_time": _FORMATTERS.__getitem__,
        "mailing_list": _FORMATTERS.__getitem__,
        "registered_at": lambda at: at.astimezone(zone).isoformat(timespec="seconds"),
        "attended": _FORMATTERS.__getitem__,
        "access": lambda values, language, own: _words(
            access(values), language and f"language: {language}", own
        ),
    }


def _labels(field: field.Field) -> Callable[[str], str]:
    return cache(lambda values: _words(*map(field.label_of, json.loads(values))))


def _words(*values: str) -> str:
    return LIST_SEPARATOR.join(filter(None, values))


def file_name(community_slug: str, *, on: date | None) -> str:
    """What the attendee list is called: with its session's date, or without for all sessions."""
    return f"{community_slug}-{on.isoformat()}-attendees.csv" if on else (
        f"{community_slug}-attendees.csv"
    )  # fmt: skip
