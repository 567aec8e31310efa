"""The console's roster of a session: people, access needs, addresses, CSV export."""

from collections.abc import Sequence
from functools import partial
from math import ceil
from typing import Any, NamedTuple

from flask import Response, abort, request, session

from cop.accounts.access_control import requires_export
from cop.audit.views import note_viewing
from cop.db.engine import read_tx
from cop.i18n import N_
from cop.meetings.views_common import meeting_or_404
from cop.questions import registry
from cop.roster import access_needs, csv_export, roster
from cop.roster.roster import RosterFilter
from cop.web import downloads
from cop.web.blueprints import console
from cop.web.forms import parse_integer, strip_to_one_line
from cop.web.i18n import gettext
from cop.web.rendering import current_community, now, render

STATUSES = {"held": N_("Registered"), "waiting": N_("Waiting list"), "cancelled": N_("Canceled")}
ATTENDANCE_LABELS = {"yes": N_("Attended"), "no": N_("Did not attend"), "unknown": N_("Unknown")}
SORTING = {
    "registered": N_("Time of registration"),
    "name": N_("Name"),
    "organization": N_("Organization"),
}
HATS = {choice.value: choice.label for choice in registry.HATS.choices}
# By field of `RosterFilter`.
FILTER_CHOICES = {"status": STATUSES, "hat": HATS, "attended": ATTENDANCE_LABELS, "sort": SORTING}
PAGE_SIZE = 100
VIEWING_INTERVAL = 600  # seconds; searches within them are logged as one viewing


class Page(NamedTuple):
    """One page of a list of people."""

    people: Sequence[Any]
    total: int  # people in the list
    number: int  # of this page, from 1
    last: int  # number of the last page


@console.route("/people", methods=["GET", "POST"])
def everybody() -> Response:
    """Everybody with a live registration; searched by POST, like a roster."""
    text = _searched_text()
    with read_tx() as db_session:
        found = roster.search_all(db_session, text)
    _note_viewing("people")
    return render(
        "roster/everybody.html",
        fragment="roster/_everybody.html",
        shown=_page(found),
        has_turned_page="page" in request.form,
        text=text,
        all_columns=csv_export.COLUMNS,
    )


@console.get("/sessions/<slug:slug>")
@console.post("/sessions/<slug:slug>/people", endpoint="people")
def meeting(slug: str) -> Response:
    """Show the roster; searched by POST, so that names do not get into URLs and logs."""
    criteria, meeting = _criteria(), meeting_or_404(slug)
    with read_tx() as db_session:
        everybody = roster.attendees(db_session, meeting.id)
    _note_viewing("roster", meeting.id, ["asked_for_access"] if criteria.access else ())
    choices = {
        name: {value: gettext(label) for value, label in labels.items()}
        for name, labels in FILTER_CHOICES.items()
    }
    return render(
        "roster/roster.html",
        fragment="roster/_people.html",
        meeting=meeting,
        counts=roster.count_statuses(everybody),
        is_empty=not everybody,
        shown=_page(roster.filter_attendees(everybody, criteria)),
        has_turned_page="page" in request.form,
        criteria=criteria,
        choices=choices,
        all_columns=csv_export.COLUMNS,
    )


def _criteria() -> RosterFilter:
    picked = {name: request.form.get(name) or "" for name in FILTER_CHOICES}
    if any(value and value not in FILTER_CHOICES[name] for name, value in picked.items()):
        abort(422)
    return RosterFilter(
        text=_searched_text(),
        first_time="first_time" in request.form,
        access="access" in request.form,
        **picked,
    )


def _searched_text() -> str:
    return strip_to_one_line(request.form.get("text"))[:200]


def _note_viewing(
    resource: str, meeting_id: int | None = None, columns: Sequence[str] = ()
) -> None:
    """Record a viewing of a list; searches soon afterwards belong to it."""
    key = [resource, meeting_id, *columns, int(now().timestamp() // VIEWING_INTERVAL)]
    if request.method == "GET" or session.get("viewing") != key:
        note_viewing(resource, meeting_id, columns)
        session["viewing"] = key


def _page(found: Sequence[Any]) -> Page:
    """The requested page, or all people on one page."""
    requested, last = request.form.get("page", ""), max(1, ceil(len(found) / PAGE_SIZE))
    if requested == "all":
        return Page(found, len(found), 1, 1)
    number = min(max(1, parse_integer(requested) or 1), last)
    return Page(found[PAGE_SIZE * (number - 1) : PAGE_SIZE * number], len(found), number, last)


@console.get("/sessions/<slug:slug>/access")
def access(slug: str) -> Response:
    meeting = meeting_or_404(slug)
    with read_tx() as db_session:
        needs, lived_experience = access_needs.access_needs(db_session, meeting.id)
    note_viewing("access", meeting.id)
    book_by = meeting.starts_at - access_needs.BOOKING_LEAD_TIME
    return render(
        "roster/access_needs.html",
        meeting=meeting,
        needs=needs,
        people=len({person.id for need in needs for person, _ in need.people}),
        lived_experience=lived_experience,
        book_by=book_by,
        is_late=book_by <= now(),
        statuses=STATUSES,
    )


@console.get("/sessions/<slug:slug>/emails")
@requires_export
def emails(slug: str) -> Response:
    meeting, status = meeting_or_404(slug), request.args.get("status", "held")
    if status not in {"held", "waiting"}:
        abort(422)
    with read_tx() as db_session:
        everybody = roster.attendees(db_session, meeting.id)
    people = [person for person in everybody if person.status == status]
    addresses = [person.email for person in people if not person.undeliverable_at]
    note_viewing("emails", meeting.id)
    return render(
        "roster/addresses.html",
        meeting=meeting,
        listed_status=status,
        addresses=addresses,
        left_out=len(people) - len(addresses),
    )


@console.get("/export.csv")
@requires_export
def export() -> Response:
    """Export the attendee list of one session, or of all sessions."""
    statuses = _requested("status", csv_export.DEFAULT_STATUSES, tuple(STATUSES))
    columns = _requested("columns", csv_export.DEFAULT_COLUMNS, csv_export.COLUMNS)
    slug, zone = request.args.get("session"), current_community().zone_info
    meeting = None if slug is None else meeting_or_404(slug)
    meeting_id = meeting.id if meeting else None
    name = current_community().slug
    if meeting:
        name += f"-{meeting.starts_at.astimezone(zone).date().isoformat()}"
    note_viewing("export", meeting_id, columns)  # first: sending may fail halfway
    write = partial(
        csv_export.write_csv, zone=zone, meeting_id=meeting_id, statuses=statuses, columns=columns
    )
    return downloads.csv_file(f"{name}-attendees.csv", write)


def _requested(name: str, default: tuple[str, ...], allowed: tuple[str, ...]) -> list[str]:
    """The values of a query argument, comma-separated or repeated; 422 if unknown."""
    if name not in request.args:
        return list(default)
    given = ",".join(request.args.getlist(name)).split(",")
    values = [value.strip() for value in given if value.strip()]
    if not values or not set(values) <= set(allowed):
        abort(422)
    return values
