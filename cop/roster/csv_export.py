"""The attendee list as CSV."""

import csv
import json
from collections.abc import Callable, Iterable, Sequence
from functools import cache
from itertools import chain, islice
from typing import Any, TextIO
from zoneinfo import ZoneInfo

from sqlalchemy import JSON, ColumnElement, Select, Text, cast, func, select
from sqlalchemy.orm import Session

from cop.models.registration import RegistrationStatus
from cop.questions import registry
from cop.questions.field import Export, Field, Kind
from cop.roster.roster import OF_MEETING, OF_MEMBER, OF_REGISTRATION
from cop.web import downloads

DEFAULT_STATUSES = (RegistrationStatus.HELD, RegistrationStatus.WAITING)
_STATUSES = {"held": "registered", "waiting": "waiting list", "cancelled": "canceled"}
_YES_NO = {True: "yes", False: "no", None: ""}


def _sources(question: Field) -> tuple[ColumnElement[Any], ...]:
    """The database columns that a question's cells are made from.

    Lists are read as JSON text, so that each distinct one is parsed only once (see `_formatter`).
    """
    if question is registry.EMAIL:
        return (OF_MEMBER.email,)
    columns = [OF_REGISTRATION[name] for name in question.columns]
    return tuple(cast(c, Text) if isinstance(c.type, JSON) else c for c in columns)


_EXPORTED = {q.name: q for q in registry.QUESTIONS if q.columns and q.export is not Export.NEVER}
_ON_REQUEST = [name for name, q in _EXPORTED.items() if q.export is Export.ON_REQUEST]
# The columns of the CSV in their order, each with the database columns it is made from.
_SOURCES: dict[str, tuple[ColumnElement[Any], ...]] = {
    "session_date": (OF_MEETING.starts_at,),
    "session_topic": (func.coalesce(OF_MEETING.topic, ""),),
    "status": (OF_REGISTRATION.status,),
    **{name: _sources(q) for name, q in _EXPORTED.items() if name not in _ON_REQUEST},
    "mailing_list": (OF_MEMBER.list_confirmed_at.is_not(None),),
    "registered_at": (OF_REGISTRATION.registered_at,),
    "attended": (OF_REGISTRATION.attended,),
    **{name: _sources(_EXPORTED[name]) for name in _ON_REQUEST},
}
COLUMNS = tuple(_SOURCES)
DEFAULT_COLUMNS = tuple(name for name in COLUMNS if name not in _ON_REQUEST)


def write_csv(
    db_session: Session,
    out: TextIO,
    *,
    zone: ZoneInfo,
    meeting_id: int | None = None,
    statuses: Sequence[str] = DEFAULT_STATUSES,
    columns: Sequence[str] = DEFAULT_COLUMNS,
) -> None:
    """Write the attendee list to `out`, one row per registration (RFC 4180).

    Rows are read and written in batches, so memory does not grow with their number. Each batch is
    formatted column by column, by `map`: a Python loop over all cells would take most of the time.
    """
    writer = csv.writer(out, lineterminator="\r\n")
    wanted = [name for name in COLUMNS if name in columns]
    formatters = _formatters(zone)
    writer.writerow(wanted)
    query = _query(wanted, meeting_id, statuses).execution_options(yield_per=100)
    for rows in db_session.execute(query).partitions():
        database_columns = zip(*rows, strict=True)
        csv_columns = []
        for name in wanted:
            # Take the next database columns, as many as this CSV column is made from.
            sources = islice(database_columns, len(_SOURCES[name]))
            formatter = formatters.get(name)
            cells = list(map(formatter, *sources)) if formatter else next(sources)
            csv_columns.append(downloads.guard_column(cells))
        writer.writerows(zip(*csv_columns, strict=True))


def _query(wanted: Iterable[str], meeting_id: int | None, statuses: Sequence[str]) -> Select[Any]:
    query = (
        select(*chain.from_iterable(_SOURCES[name] for name in wanted))
        .select_from(OF_REGISTRATION.id.table)
        .join(OF_MEETING.id.table)
        .join(OF_MEMBER.id.table)
        .where(OF_REGISTRATION.status.in_(statuses))
        .order_by(OF_MEETING.starts_at, OF_MEETING.id)
        .order_by(OF_REGISTRATION.registered_at, OF_REGISTRATION.id)
    )
    return query if meeting_id is None else query.where(OF_MEETING.id == meeting_id)


def _formatters(zone: ZoneInfo) -> dict[str, Callable[..., str] | None]:
    """The functions that turn database values into cells, by CSV column."""
    return {
        "session_date": cache(lambda time: time.astimezone(zone).date().isoformat()),
        "status": _STATUSES.__getitem__,
        "mailing_list": _YES_NO.__getitem__,
        "registered_at": lambda time: time.astimezone(zone).isoformat(timespec="seconds"),
        "attended": _YES_NO.__getitem__,
        **{name: _formatter(question) for name, question in _EXPORTED.items()},
    }


def _formatter(question: Field) -> Callable[..., str] | None:
    """The function that formats answers to a question; None if they need no change."""
    if question.kind is Kind.CHECKBOX:
        return _YES_NO.__getitem__
    if question.kind is Kind.ONE_OF:
        return question.label_of
    if question.kind is not Kind.SEVERAL:
        return None
    # The arguments are the choices as JSON, and then the other texts.
    labels = cache(lambda choices: _join(*map(question.label_of, json.loads(choices))))
    prefixes = [text.export_prefix for text in question.other_texts]
    return lambda choices, *texts: _join(
        labels(choices),
        *(text and f"{prefix}{text}" for prefix, text in zip(prefixes, texts, strict=True)),
    )


def _join(*values: str) -> str:
    return "; ".join(filter(None, values))
