"""Console: edit a session."""

from flask import abort, flash, redirect, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from cop.audit import audit_log
from cop.audit.audit_log import Action
from cop.audit.views import note_action
from cop.changes import changes, preview
from cop.changes.preview import PromotionPreview
from cop.db.engine import read_tx, rehearsal_tx, write_tx
from cop.errors import Refused
from cop.i18n import N_
from cop.meetings import locking
from cop.meetings.forms import TIMES, DateTimeForm, date_warnings
from cop.meetings.locking import MeetingFacts
from cop.meetings.schedule import Listing, Schedule
from cop.meetings.views_common import read_schedule
from cop.web.blueprints import console
from cop.web.edit_conflicts import EditConflictForm
from cop.web.forms import Https, IntegerText, area, line, parse_integer
from cop.web.i18n import gettext
from cop.web.rendering import current_community, now, render, writer

NUMBERS = ("capacity", "reading_minutes")
COLUMNS = ("capacity", "join_url", *changes.DESCRIPTIONS)


class EditForm(EditConflictForm, DateTimeForm):
    """Everything about a session that a coordinator decides."""

    reason = line(300)
    capacity = line(
        20, IntegerText(N_("Write how many places there are as a number, or leave it empty."))
    )
    join_url = line(2000, Https())
    topic = line(200)
    guests = line(300)
    summary = area(5000)
    reading_title = line(300)
    reading_url = line(2000, Https(or_http=True))
    reading_minutes = line(20, IntegerText(N_("Write the minutes as a number, or leave it empty.")))
    prep_question = line(300)

    def __init__(self, meeting: MeetingFacts) -> None:
        self.zone = current_community().zone_info
        super().__init__(self.shown(meeting))

    def shown(self, meeting: MeetingFacts) -> dict[str, str]:
        """Return a session as the form shows it."""
        starts_at = meeting.starts_at.astimezone(self.zone)
        ends_at = meeting.ends_at.astimezone(self.zone)
        columns = {name: getattr(meeting, name) for name in COLUMNS}
        return {
            "date": f"{starts_at:%Y-%m-%d}",
            "starts": f"{starts_at:%H:%M}",
            "ends": f"{ends_at:%H:%M}",
            **{name: "" if value is None else str(value) for name, value in columns.items()},
        }

    @property
    def values(self) -> dict[str, object]:
        """What was changed, by column; only once the form is valid."""
        changed = self.changed
        values: dict[str, object] = {name: self[name].data for name in changed.difference(TIMES)}
        values |= {
            name: parse_integer(self[name].data or "") for name in changed.intersection(NUMBERS)
        }
        if not changed.isdisjoint(TIMES):
            values |= {"starts_at": self.moment("starts"), "ends_at": self.moment("ends")}
        return values


@console.route("/sessions/<slug:slug>/edit", methods=["GET", "POST"])
@console.post("/sessions/<slug:slug>/edit/preview", endpoint="preview_edit")
def edit(slug: str) -> ResponseReturnValue:
    schedule = read_schedule()
    listing = schedule.find(slug) or abort(404)
    with read_tx() as db_session:
        [meeting] = locking.read(db_session, [listing.id])
        found = preview.preview_promotions(db_session, meeting, now=now())
    form = EditForm(meeting)
    is_preview = request.endpoint == "console.preview_edit"
    if form.validate_on_submit():
        try:
            if form.changed:
                found = _save(form, listing.id, is_preview=is_preview)
        except Refused as refusal:
            form.refuse(refusal)
        if not (is_preview or form.errors):
            for sentence in _saved(form, found):
                flash(sentence)
            return redirect(url_for("console.meeting", slug=slug), 303)
    return render(
        "changes/edit.html",
        fragment="changes/_preview.html",
        meeting=listing,
        form=form,
        effects=[] if form.errors else _effects(form, found),
        warnings=[] if form.errors else _warnings(form, listing, schedule),
        summary=form.value("summary"),
    )


def _save(form: EditForm, meeting_id: int, *, is_preview: bool) -> PromotionPreview:
    """Write what was changed; a preview rolls it back. A conflict is shown in the form instead."""
    with rehearsal_tx() if is_preview else write_tx() as db_session:
        meeting = locking.lock_one(db_session, meeting_id)
        editor = audit_log.last_editor(db_session, meeting_id=meeting_id)
        promoted: list[int] = []
        if is_preview or not form.has_conflict(form.shown(meeting), editor=editor):
            promoted = changes.edit(db_session, meeting, form.values, writer=writer())
            _note(db_session, meeting_id, form.changed)
        [changed] = locking.read(db_session, [meeting_id])
        return preview.preview_promotions(db_session, changed, promoted=promoted, now=now())


def _note(db_session: Session, meeting_id: int, changed: set[str]) -> None:
    if not changed.isdisjoint(TIMES):
        note_action(db_session, Action.MOVED_MEETING, meeting_id=meeting_id)
    if changed.difference(TIMES):
        note_action(db_session, Action.EDITED_MEETING, meeting_id=meeting_id)


def _saved(form: EditForm, found: PromotionPreview) -> list[str]:
    if not form.changed:
        return [gettext("Nothing was changed.")]
    return [gettext("Saved."), *_effects(form, found)]


def _effects(form: EditForm, found: PromotionPreview) -> list[str]:
    """Return the effects of saving, in sentences that hold before it and after."""
    return [
        *preview.emails(found, about=preview.changed_aspects(form.changed)),
        *preview.spots(found, parse_integer(form.value("capacity"))),
    ]


def _warnings(form: EditForm, listing: Listing, schedule: Schedule) -> list[str]:
    """Return what to know of the date: of another one, or of this one while it is to come."""
    if listing.is_over and form.changed.isdisjoint(TIMES):
        return []
    others = (other for other in (*schedule.upcoming, *schedule.past) if other != listing)
    return date_warnings(form.moment("starts"), others)
