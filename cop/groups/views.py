"""The console's page of small groups: mix people, move them by hand, export."""

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
from cop.groups import groups
from cop.meetings.schedule import Listing
from cop.meetings.views_common import meeting_or_404
from cop.web import downloads
from cop.web.blueprints import console
from cop.web.forms import ConsoleForm, line, numbered_fields, parse_integer
from cop.web.i18n import gettext, ngettext
from cop.web.rendering import current_community, render
from cop.web.security import takes_long_form

MIN_SIZE, MAX_SIZE = 2, 50


class RoomsForm(ConsoleForm):
    """The size of rooms, and whom to put into them."""

    size = line(20)
    who = StringField()

    def validate_size(self, field: StringField) -> None:
        size = parse_integer(field.data or "")
        if size is None or not MIN_SIZE <= size <= MAX_SIZE:
            raise ValidationError(gettext("People per room: enter a number from 2 to 50."))


@console.route("/sessions/<slug:slug>/rooms", methods=["GET", "POST"])
@takes_long_form
def rooms(slug: str) -> ResponseReturnValue:
    """Show the groups, or move people by hand."""
    meeting = meeting_or_404(slug)
    if request.method != "POST":
        return _page(meeting)
    moved = _change(meeting, partial(groups.move, room_of=_moves()))
    flash(ngettext("Saved. You moved %(num)s person.", "Saved. You moved %(num)s people.", moved))
    return redirect(url_for("console.rooms", slug=slug), 303)


@console.post("/sessions/<slug:slug>/rooms/mix")
def mix_rooms(slug: str) -> ResponseReturnValue:
    meeting, form = meeting_or_404(slug), RoomsForm()
    if not form.validate():
        return _page(meeting, form)
    size, attended_only = int(form.size.data or 0), form.who.data == "came"
    count = _change(meeting, partial(groups.make_groups, size=size, attended_only=attended_only))
    flash(ngettext("%(num)s person has a room.", "%(num)s people have a room.", count))
    return redirect(url_for("console.rooms", slug=slug), 303)


@console.post("/sessions/<slug:slug>/rooms/give")
def give_rooms(slug: str) -> ResponseReturnValue:
    count = _change(meeting_or_404(slug), groups.assign_late_arrivals)
    flash(ngettext("%(num)s person got a room.", "%(num)s people got a room.", count))
    return redirect(url_for("console.rooms", slug=slug), 303)


@console.get("/sessions/<slug:slug>/rooms.csv")
@requires_export
def export_rooms(slug: str) -> Response:
    meeting = meeting_or_404(slug)
    note_viewing("rooms", meeting.id)  # first: sending may fail halfway
    date = meeting.starts_at.astimezone(current_community().zone_info).date()
    write = partial(groups.write_csv, meeting_id=meeting.id)
    return downloads.csv_file(f"{current_community().slug}-{date.isoformat()}-rooms.csv", write)


def _change(meeting: Listing, change: Callable[[Session, int], int]) -> int:
    """Change the rooms of a session that is not canceled; return `change`'s count."""
    if meeting.is_cancelled:
        abort(404)
    with write_tx() as db_session:
        count = change(db_session, meeting.id)
        note_action(db_session, Action.MADE_ROOMS, meeting_id=meeting.id, item_count=count)
    return count


def _moves() -> dict[int, int | None]:
    """The rooms that differ from those shown on the page.

    The others are left out, since another coordinator may have changed them meanwhile.
    """
    shown = set(request.form.get("shown", "").split())
    chosen = numbered_fields("person-").items()
    return {
        id_: parse_integer(room) or None for id_, room in chosen if f"{id_}:{room}" not in shown
    }


def _page(meeting: Listing, form: RoomsForm | None = None) -> Response:
    with read_tx() as db_session:
        current = groups.read_groups(db_session, meeting.id)
    note_viewing("roster", meeting.id, ["access"] if current.staying else ())
    text = gettext("Room %(number)s: %(names)s")
    names = {n: ", ".join(p.name for p in people) for n, people in current.rooms.items() if people}
    return render(
        "groups/groups.html",
        meeting=meeting,
        form=form or RoomsForm({"size": str(current.size or groups.DEFAULT_SIZE), "who": "came"}),
        groups=current,
        to_paste="\n".join(text % {"number": n, "names": names[n]} for n in names),
        shown=request.form.get("shown")  # of a form that is shown again
        or " ".join(f"{person.id}:{person.room or ''}" for person in current.people),
    )
