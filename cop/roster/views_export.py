"""The attendee list as CSV, and how any list is sent."""

from datetime import date
from functools import partial

from flask import Response, abort, request
from sqlalchemy.orm import Session

from cop.accounts.access_control import requires_export
from cop.audit.views import note_viewing
from cop.db.engine import read_tx
from cop.meetings import schedule
from cop.meetings.schedule import Listing
from cop.roster import csv_export, roster
from cop.web import downloads
from cop.web.blueprints import console
from cop.web.rendering import current_community, now


@console.get("/export.csv")
@requires_export
def export() -> Response:
    statuses = _requested_columns("status", csv_export.USUAL_STATUSES, roster.STATUSES)
    columns = _requested_columns("columns", csv_export.USUAL_COLUMNS, csv_export.COLUMNS)
    with read_tx() as db_session:
        meeting = _meeting_or_404(db_session)
    meeting_id = meeting.id if meeting else None
    note_viewing("export", meeting_id, columns)  # before it is sent
    on = _date(meeting) if meeting else None
    write = partial(
        csv_export.write_csv,
        zone=current_community().zone_info,
        meeting_id=meeting_id,
        statuses=statuses,
        columns=columns,
    )
    return downloads.csv_file(csv_export.file_name(current_community().slug, on=on), write)


def _requested_columns(name: str, usual: tuple[str, ...], all_: tuple[str, ...]) -> list[str]:
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
