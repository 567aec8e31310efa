"""Small groups: mixed, changed by hand, and taken along."""

import re
from collections.abc import Callable
from functools import partial

from flask import Response, abort, flash, redirect, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session
from wtforms import StringField
from wtforms.validators import ValidationError

from cop.accounts.access_control import requires_export
from cop.audit.audit_log import Action
from cop.audit.views import note_action, note_viewing
from cop.db.engine import read_tx, write_tx
from cop.groups import groups as groups_groups
from cop.groups.groups import DEFAULT_SIZE
from cop.meetings.schedule import Listing
from cop.meetings.views_common import meeting_or_404
from cop.web.blueprints import console
from cop.web.downloads import csv_file
from cop.web.forms import ConsoleForm, line, parse_integer
from cop.web.i18n import gettext, ngettext
from cop.web.rendering import current_community, render
from cop.web.security import takes_long_form

SMALLEST, LARGEST = 2, 50
_PLACED = re.compile(r"person-(\d{1,9})", re.ASCII)


class RoomsForm(ConsoleForm):
    """How to mix people."""

    size = line(20)
    who = StringField()

    def validate_size(self, field: StringField) -> None:
        size = parse_integer(field.data or "")
        if size is None or not SMALLEST <= size <= LARGEST:
            raise ValidationError(gettext("Write a number of people from 2 to 50, like 4."))


@console.get("/sessions/<slug:slug>/rooms")
def rooms(slug: str) -> Response:
    return _show(meeting_or_404(slug), None)


@console.post("/sessions/<slug:slug>/rooms")
@takes_long_form
def send_rooms(slug: str) -> ResponseReturnValue:
    """Move people by hand."""
    found = _held_or_404(slug)
    moved = _do(found, partial(groups_groups.move, room_of=_moved()))
    flash(ngettext("Saved: %(num)s person moved.", "Saved: %(num)s people moved.", moved))
    return redirect(url_for("console.rooms", slug=slug), 303)


@console.post("/sessions/<slug:slug>/rooms/mix")
def mix_rooms(slug: str) -> ResponseReturnValue:
    found = _held_or_404(slug)
    form = RoomsForm()
    if not form.validate():
        return _show(found, form)
    size, came = int(form.size.data or DEFAULT_SIZE), form.who.data == "came"
    people = _do(found, partial(groups_groups.make_groups, size=size, came=came))
    flash(ngettext("%(num)s person has a room.", "%(num)s people have a room.", people))
    return redirect(url_for("console.rooms", slug=slug), 303)


@console.post("/sessions/<slug:slug>/rooms/give")
def give_rooms(slug: str) -> ResponseReturnValue:
    found = _held_or_404(slug)
    people = _do(found, groups_groups.assign_late_arrivals)
    flash(ngettext("%(num)s person got a room.", "%(num)s people got a room.", people))
    return redirect(url_for("console.rooms", slug=slug), 303)


@console.get("/sessions/<slug:slug>/rooms.csv")
@requires_export
def export_rooms(slug: str) -> Response:
    found = meeting_or_404(slug)
    note_viewing("rooms", found.id)  # before it is sent
    on = found.starts_at.astimezone(current_community().zone_info).date()
    write = partial(groups_groups.write_csv, meeting_id=found.id)
    return csv_file(f"{current_community().slug}-{on.isoformat()}-rooms.csv", write)


def _held_or_404(slug: str) -> Listing:
    found = meeting_or_404(slug)
    return found if not found.is_cancelled else abort(404)


def _do(found: Listing, act: Callable[[Session, int], int]) -> int:
    """Do something with the rooms and write it down; return with how many people."""
    with write_tx() as db_session:
        people = act(db_session, found.id)
        note_action(db_session, Action.MADE_ROOMS, meeting_id=found.id, item_count=people)
    return people


def _moved() -> dict[int, int | None]:
    """Who was put elsewhere than the page showed them; the rest may have been moved meanwhile."""
    shown = set(request.form.get("shown", "").split())
    found = ((_PLACED.fullmatch(name), room) for name, room in request.form.items())
    chosen = {int(name[1]): room for name, room in found if name}
    return {
        id_: parse_integer(room) or None
        for id_, room in chosen.items()
        if f"{id_}:{room}" not in shown
    }


def _show(found: Listing, form: RoomsForm | None) -> Response:
    with read_tx() as db_session:
        groups = groups_groups.read_groups(db_session, found.id)
    note_viewing("roster", found.id, ["access"] if groups.staying else ())
    form = form or RoomsForm({"size": str(groups.size or DEFAULT_SIZE), "who": "came"})
    room = gettext("Room %(number)s")
    names = {n: ", ".join(p.name for p in people) for n, people in groups.rooms.items() if people}
    return render(
        "groups/groups.html",
        meeting=found,
        form=form,
        groups=groups,
        to_paste="\n".join(f"{room % {'number': n}}: {said}" for n, said in names.items()),
        shown=" ".join(f"{person.id}:{person.room or ''}" for person in groups.people),
    )
