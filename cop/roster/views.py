"""The roster of a session: everybody on it, or those whom a coordinator looks for."""

from math import ceil
from typing import NamedTuple

from flask import Response, abort, request, session

from cop.accounts.access_control import requires_export
from cop.audit.views import note_viewing
from cop.db.engine import read_tx
from cop.i18n import N_
from cop.meetings.views_common import meeting_or_404
from cop.questions import registry
from cop.roster import access_needs, csv_export, roster, search
from cop.roster.roster import Attendee
from cop.roster.search import SORTS, RosterFilter
from cop.web.blueprints import console
from cop.web.forms import parse_integer, strip_to_one_line
from cop.web.i18n import gettext
from cop.web.rendering import now, render

STATUSES = {"held": N_("coming"), "waiting": N_("waiting"), "cancelled": N_("cancelled")}
ATTENDANCE_LABELS = {"yes": N_("came"), "no": N_("did not come"), "unknown": N_("not known")}
SORTED = {
    "registered": N_("time of registration"),
    "name": N_("name"),
    "organization": N_("organization"),
}
HATS = {choice.value: choice.label for choice in registry.HATS.choices}
FILTER_CHOICES = {"status": STATUSES, "hat": HATS, "came": ATTENDANCE_LABELS, "sort": SORTED}
PAGE_SIZE = 100  # of a page
ALL = "all"
VIEWING_INTERVAL = 600  # seconds, however much somebody types meanwhile


class Page(NamedTuple):
    """Some people of a list, and where in it they stand."""

    people: list[Attendee]
    found: int
    number: int
    last: int


@console.get("/sessions/<slug:slug>")
def meeting(slug: str) -> Response:
    return _show(slug, RosterFilter())


@console.post("/sessions/<slug:slug>/people")
def people(slug: str) -> Response:
    """Search: by a form, since a name or an address has no business in the address of a page."""
    return _show(slug, _wanted(), is_search=True)


def _wanted() -> RosterFilter:
    picked = {name: request.form.get(name) or "" for name in FILTER_CHOICES}
    if any(value and value not in FILTER_CHOICES[name] for name, value in picked.items()):
        abort(422)
    return RosterFilter(
        text=strip_to_one_line(request.form.get("text"))[:200],
        status=picked["status"],
        hat=picked["hat"],
        came=picked["came"],
        first_time="first_time" in request.form,
        access="access" in request.form,
        sort=picked["sort"] or SORTS[0],
    )


def _show(slug: str, wanted: RosterFilter, *, is_search: bool = False) -> Response:
    found = meeting_or_404(slug)
    with read_tx() as db_session:
        everybody = roster.attendees(db_session, found.id)
    look = [found.id, wanted.access, int(now().timestamp() // VIEWING_INTERVAL)]
    if not is_search or session.get("look") != look:
        note_viewing("roster", found.id, ["asked_for_access"] if wanted.access else ())
        session["look"] = look
    return render(
        "roster/roster.html",
        fragment="roster/_people.html",
        meeting=found,
        counts=roster.count_statuses(everybody),
        is_empty=not everybody,
        shown=_page(search.filter_attendees(everybody, wanted)),
        has_turned="page" in request.form,
        wanted=wanted,
        offered={name: _said(choices) for name, choices in FILTER_CHOICES.items()},
        all_columns=csv_export.COLUMNS,
    )


def _said(choices: dict[str, str]) -> dict[str, str]:
    return {value: gettext(words) for value, words in choices.items()}


def _page(found: list[Attendee]) -> Page:
    """The page that is asked for, or all of it on one."""
    asked, last = request.form.get("page", ""), max(1, ceil(len(found) / PAGE_SIZE))
    if asked == ALL:
        return Page(found, len(found), 1, 1)
    wanted = min(max(1, parse_integer(asked) or 1), last)
    return Page(found[PAGE_SIZE * (wanted - 1) : PAGE_SIZE * wanted], len(found), wanted, last)


@console.get("/sessions/<slug:slug>/access")
def access(slug: str) -> Response:
    found = meeting_or_404(slug)
    with read_tx() as db_session:
        asked = access_needs.access_needs(db_session, found.id)
    note_viewing("access", found.id)
    book_by = found.starts_at - access_needs.BOOKING_LEAD_TIME
    return render(
        "roster/access_needs.html",
        meeting=found,
        needs=asked,
        people=len({person.id for need in asked for person, _ in need.people}),
        book_by=book_by,
        is_late=book_by <= now(),
        statuses=STATUSES,
    )


@console.get("/sessions/<slug:slug>/emails")
@requires_export
def emails(slug: str) -> Response:
    found = meeting_or_404(slug)
    asked_for = {"held": found.held, "waiting": found.waiting}
    status = request.args.get("status", "held")
    if status not in asked_for:
        abort(422)
    with read_tx() as db_session:
        listed = roster.addresses(db_session, found.id, status=status)
    note_viewing("emails", found.id)
    return render(
        "roster/addresses.html",
        meeting=found,
        of=status,
        addresses=listed,
        left_out=asked_for[status] - len(listed),
    )
