"""The roster of a session: everybody on it, or those whom a coordinator looks for."""

from math import ceil
from typing import NamedTuple

from flask import Response, abort, request, session

from cop import fields
from cop.db import read_tx
from cop.domain import roster, searching
from cop.domain.roster import Attendee
from cop.domain.searching import SORTS, Wanted
from cop.web.console import console, note_viewing
from cop.web.console.finding import meeting_or_404
from cop.web.console.forms import number
from cop.web.forms import one_line
from cop.web.rendering import now, render
from cop.web.saying import gettext
from cop.words import N_

STATUSES = {"held": N_("coming"), "waiting": N_("waiting"), "cancelled": N_("cancelled")}
CAME = {"yes": N_("came"), "no": N_("did not come"), "unknown": N_("not known")}
SORTED = {
    "registered": N_("time of registration"),
    "name": N_("name"),
    "organization": N_("organization"),
}
HATS = {choice.value: choice.label for choice in fields.HATS.choices}
OFFERED = {"status": STATUSES, "hat": HATS, "came": CAME, "sort": SORTED}
LENGTH = 100  # of a page
ALL = "all"
ONE_LOOK = 600  # seconds, however much somebody types meanwhile


class Page(NamedTuple):
    """Some people of a list, and where in it they stand."""

    people: list[Attendee]
    found: int
    number: int
    last: int


@console.get("/sessions/<slug:slug>")
def meeting(slug: str) -> Response:
    return _show(slug, Wanted())


@console.post("/sessions/<slug:slug>/people")
def people(slug: str) -> Response:
    """Search: by a form, since a name or an address has no business in the address of a page."""
    return _show(slug, _wanted(), is_search=True)


def _wanted() -> Wanted:
    picked = {name: request.form.get(name) or "" for name in OFFERED}
    if any(value and value not in OFFERED[name] for name, value in picked.items()):
        abort(422)
    return Wanted(
        text=one_line(request.form.get("text"))[:200],
        status=picked["status"],
        hat=picked["hat"],
        came=picked["came"],
        first_time="first_time" in request.form,
        access="access" in request.form,
        sort=picked["sort"] or SORTS[0],
    )


def _show(slug: str, wanted: Wanted, *, is_search: bool = False) -> Response:
    found = meeting_or_404(slug)
    with read_tx() as db_session:
        everybody = roster.attendees(db_session, found.id)
    look = [found.id, wanted.access, int(now().timestamp() // ONE_LOOK)]
    if not is_search or session.get("look") != look:
        note_viewing("roster", found.id, ["asked_for_access"] if wanted.access else ())
        session["look"] = look
    return render(
        "roster/roster.html",
        fragment="roster/_people.html",
        meeting=found,
        counts=roster.tally(everybody),
        is_empty=not everybody,
        shown=_page(searching.among(everybody, wanted)),
        has_turned="page" in request.form,
        wanted=wanted,
        offered={name: _said(choices) for name, choices in OFFERED.items()},
        all_columns=roster.COLUMNS,
    )


def _said(choices: dict[str, str]) -> dict[str, str]:
    return {value: gettext(words) for value, words in choices.items()}


def _page(found: list[Attendee]) -> Page:
    """The page that is asked for, or all of it on one."""
    asked, last = request.form.get("page", ""), max(1, ceil(len(found) / LENGTH))
    if asked == ALL:
        return Page(found, len(found), 1, 1)
    wanted = min(max(1, number(asked) or 1), last)
    return Page(found[LENGTH * (wanted - 1) : LENGTH * wanted], len(found), wanted, last)
