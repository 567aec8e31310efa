"""The attendee list as CSV, and how any list is sent."""

import io
import os
import tempfile
from collections.abc import Callable
from contextlib import ExitStack
from datetime import date
from functools import partial
from typing import BinaryIO, TextIO, cast

from flask import Response, abort, request, send_file
from sqlalchemy.orm import Session

from cop.db import read_tx, snapshot_tx
from cop.domain import roster, schedule
from cop.domain.schedule import Listing
from cop.web.console import console, exporting_or_403, note_viewing
from cop.web.rendering import current_community, now

SECONDS = 120  # that the database may take to read all of it


@console.get("/export.csv")
def export() -> Response:
    exporting_or_403()
    statuses = _asked("status", roster.USUAL_STATUSES, roster.STATUSES)
    columns = _asked("columns", roster.USUAL_COLUMNS, roster.COLUMNS)
    with read_tx() as db_session:
        meeting = _meeting_or_404(db_session)
    meeting_id = meeting.id if meeting else None
    note_viewing("export", meeting_id, columns)  # before it is sent
    on = _date(meeting) if meeting else None
    write = partial(
        roster.write_csv,
        zone=current_community().zone_info,
        meeting_id=meeting_id,
        statuses=statuses,
        columns=columns,
    )
    return csv_file(roster.file_name(current_community().slug, on=on), write)


def _asked(name: str, usual: tuple[str, ...], all_: tuple[str, ...]) -> list[str]:
    """The values of an argument, with commas or one by one; 422 where one does not exist."""
    if name not in request.args:
        return list(usual)
    given = ",".join(request.args.getlist(name)).split(",")
    values = [value.strip() for value in given if value.strip()]
    if not values or not set(values) <= set(all_):
        abort(422)
    return values


def _meeting_or_404(db_session: Session) -> Listing | None:
    slug = request.args.get("session")
    if slug is None:
        return None
    return schedule.find(db_session, slug, now=now()) or abort(404)


def _date(meeting: Listing) -> date:
    return meeting.starts_at.astimezone(current_community().zone_info).date()


def csv_file(name: str, write: Callable[[Session, TextIO], None]) -> Response:
    """A list as a file to keep, whose length is known before its first byte is sent."""
    file = _written(write)
    response = send_file(file, mimetype="text/csv", as_attachment=True, download_name=name)
    response.content_length = os.fstat(file.fileno()).st_size
    response.cache_control.no_store = True
    return response


def _written(write: Callable[[Session, TextIO], None]) -> BinaryIO:
    """The list, whole, in a file without a name that only this process can read.

    Written before the first byte is sent: no slow client holds a transaction, and a fault half-way
    is an answer that says so, never a shorter list.
    """
    file = tempfile.TemporaryFile()  # noqa: SIM115 - the answer closes it
    text = io.TextIOWrapper(file, encoding="utf-8", newline="", write_through=False)
    text.write("\ufeff")  # for Excel; Python's "utf-8-sig" would look for it at each line
    with ExitStack() as unless_written, snapshot_tx(seconds=SECONDS) as db_session:
        unless_written.callback(text.close)
        write(db_session, text)
        unless_written.pop_all()
    text.flush()
    text.detach()
    file.seek(0)
    return cast("BinaryIO", file)
