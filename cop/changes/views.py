"""Console: edit, cancel and restore a session, and publish its takeaways."""

from dataclasses import replace

from flask import abort, flash, redirect, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from cop.audit import audit_log
from cop.audit.audit_log import Action
from cop.audit.views import note_action
from cop.changes import changes, effects
from cop.changes.effects import Effects
from cop.db.engine import read_tx, write_tx
from cop.errors import Refused
from cop.i18n import N_
from cop.meetings import locking
from cop.meetings.forms import TIMES, DateTimeForm, date_warnings
from cop.meetings.locking import MeetingFacts
from cop.meetings.schedule import Listing, Schedule
from cop.meetings.views_common import meeting_or_404, open_or_404, over_or_404, read_schedule
from cop.models.meeting import MeetingStatus
from cop.web.blueprints import console
from cop.web.edit_conflicts import EditConflictForm
from cop.web.forms import ConsoleForm, Https, IntegerText, Required, area, line, parse_integer
from cop.web.i18n import gettext, ngettext, refusal_text
from cop.web.rendering import current_community, render, writer

INTEGERS = ("capacity", "reading_minutes")
FORM_COLUMNS = ("capacity", "join_url", *changes.TEXT_COLUMNS)


class EditForm(EditConflictForm, DateTimeForm):
    """Everything about a session that coordinators can edit."""

    reason = line(300)
    capacity = line(20, IntegerText(N_("Spots: enter a number, or leave blank for no limit.")))
    join_url = line(2000, Https())
    topic = line(200)
    guests = line(300)
    summary = area(5000)
    reading_title = line(300)
    reading_url = line(2000, Https(or_http=True))
    reading_minutes = line(20, IntegerText(N_("Reading time: enter the minutes as a number.")))
    prep_question = line(300)

    def __init__(self, meeting: MeetingFacts) -> None:
        self.zone = current_community().zone_info
        super().__init__(meeting)

    def form_values(self, row: MeetingFacts) -> dict[str, str]:
        starts_at = row.starts_at.astimezone(self.zone)
        ends_at = row.ends_at.astimezone(self.zone)
        columns = {name: getattr(row, name) for name in FORM_COLUMNS}
        return {
            "date": f"{starts_at:%Y-%m-%d}",
            "starts": f"{starts_at:%H:%M}",
            "ends": f"{ends_at:%H:%M}",
            **{name: "" if value is None else str(value) for name, value in columns.items()},
        }

    @property
    def is_moved(self) -> bool:
        return not self.changed.isdisjoint(TIMES)

    @property
    def values(self) -> dict[str, object]:
        """The changed values of a valid form, by column."""
        values: dict[str, object] = {
            name: parse_integer(self[name].data or "") if name in INTEGERS else self[name].data
            for name in self.changed.difference(TIMES)
        }
        if self.is_moved:
            values |= {"starts_at": self.moment("starts"), "ends_at": self.moment("ends")}
        return values


class CancelForm(ConsoleForm):
    """Why a session does not take place."""

    reason = line(
        300, Required(N_("Enter a reason. Everyone sees it on the schedule and in our email."))
    )


class TakeawaysForm(EditConflictForm):
    """The takeaways of a session, and the address of its recording."""

    takeaways = area(20_000)
    recording_url = line(2000, Https())

    def form_values(self, row: MeetingFacts) -> dict[str, str]:
        return {"takeaways": row.takeaways or "", "recording_url": row.recording_url or ""}


@console.route("/sessions/<slug:slug>/edit", methods=["GET", "POST"])
@console.post("/sessions/<slug:slug>/edit/preview", endpoint="preview_edit")
def edit(slug: str) -> ResponseReturnValue:
    schedule = read_schedule()
    meeting = schedule.find(slug) or abort(404)
    with read_tx() as db_session:
        found = effects.count(db_session, meeting)
    form = EditForm(meeting)
    is_preview = request.endpoint == "console.preview_edit"
    if form.validate_on_submit():
        try:
            if form.changed:
                found = _save(form, meeting.id, is_preview=is_preview)
        except Refused as refusal:
            form.refuse(refusal)
        if not (is_preview or form.errors or form.changed):
            return _to_roster(slug, gettext("Nothing was changed."))
        if not (is_preview or form.errors):
            return _to_roster(slug, gettext("Saved."), *_edit_effects(form, found))
    return render(
        "changes/edit.html",
        fragment="changes/_preview.html",
        meeting=meeting,
        form=form,
        effects=[] if form.errors else _edit_effects(form, found),
        warnings=[] if form.errors else _edit_warnings(form, meeting, schedule),
        summary=form.value("summary"),
    )


def _save(form: EditForm, meeting_id: int, *, is_preview: bool) -> Effects:
    """Write what was changed, or only preview it; a conflict is shown in the form."""
    with write_tx(rehearse=is_preview) as db_session:
        meeting = locking.lock_one(db_session, meeting_id)
        editor = audit_log.last_editor(db_session, meeting_id=meeting_id)
        promoted: list[int] = []
        if is_preview or not form.has_conflict(meeting, editor=editor):
            promoted = changes.edit(db_session, meeting, form.values, writer=writer())
            if form.is_moved:
                note_action(db_session, Action.MOVED_MEETING, meeting_id=meeting_id)
            if form.changed.difference(TIMES):
                note_action(db_session, Action.EDITED_MEETING, meeting_id=meeting_id)
        [meeting] = locking.read(db_session, [meeting_id])
        return effects.count(db_session, meeting, promoted=promoted)


def _edit_effects(form: EditForm, found: Effects) -> list[str]:
    """Return sentences about the effects of saving, for preview and result alike."""
    return [
        *effects.email_sentences(found, about=effects.sentence_about(form.changed)),
        *effects.taken_spot_sentences(found, parse_integer(form.value("capacity"))),
    ]


def _edit_warnings(form: EditForm, meeting: Listing, schedule: Schedule) -> list[str]:
    """Return warnings about the date, unless the session is over and keeps its date."""
    if meeting.is_over and not form.is_moved:
        return []
    others = (other for other in schedule.all if other != meeting)
    return date_warnings(form.moment("starts"), others)


@console.route("/sessions/<slug:slug>/cancel", methods=["GET", "POST"])
def cancel(slug: str) -> ResponseReturnValue:
    meeting = open_or_404(slug)
    form = CancelForm()
    with read_tx() as db_session:
        found = effects.count(db_session, replace(meeting, status=MeetingStatus.CANCELLED))
    emails = effects.email_sentences(found, about=effects.STATUS)
    try:
        if form.validate_on_submit():
            with write_tx() as db_session:
                locked = locking.lock_one(db_session, meeting.id)
                changes.cancel(db_session, locked, reason=form.reason.data or "", writer=writer())
                note_action(db_session, Action.CANCELLED_MEETING, meeting_id=meeting.id)
            return _to_roster(slug, gettext("The session is canceled."), *emails)
    except Refused as refusal:
        form.refuse(refusal)
    days = changes.RESTORABLE_FOR.days
    return render("changes/cancel.html", meeting=meeting, form=form, emails=emails, days=days)


@console.route("/sessions/<slug:slug>/restore", methods=["GET", "POST"])
def restore(slug: str) -> ResponseReturnValue:
    meeting = meeting_or_404(slug)
    if meeting.is_over and not meeting.is_cancelled:
        abort(404)
    is_post, emails, refused = request.method == "POST", [], ""
    try:
        with write_tx(rehearse=not is_post) as db_session:
            emails = _restore(db_session, meeting.id)
    except Refused as refusal:
        refused = refusal_text(refusal)
    if is_post and not refused:
        return _to_roster(slug, gettext("The session is back on."), *emails)
    return render(
        "changes/restore.html",
        status=422 if is_post else 200,
        meeting=meeting,
        emails=emails,
        refused=refused,
    )


def _restore(db_session: Session, meeting_id: int) -> list[str]:
    """Restore the session; return sentences about who is emailed."""
    meeting = locking.lock_one(db_session, meeting_id)
    promoted = changes.restore(db_session, meeting, writer=writer())
    note_action(db_session, Action.RESTORED_MEETING, meeting_id=meeting_id)
    [meeting] = locking.read(db_session, [meeting_id])
    found = effects.count(db_session, meeting, promoted=promoted)
    return effects.email_sentences(found, about=effects.STATUS)


@console.route("/sessions/<slug:slug>/takeaways", methods=["GET", "POST"])
def takeaways(slug: str) -> ResponseReturnValue:
    meeting = over_or_404(slug)
    with read_tx() as db_session:
        recipient_count = len(changes.takeaways_recipients(db_session, meeting.id))
    form = TakeawaysForm(meeting)
    is_preview = "preview" in request.form
    if form.validate_on_submit() and not is_preview:
        try:
            email_count = _publish(form, meeting.id)
        except Refused as refusal:
            form.refuse(refusal)
        if not form.errors:
            return _to_roster(slug, _success_message(email_count))
    return render(
        "changes/takeaways.html",
        meeting=meeting,
        form=form,
        people=recipient_count,
        preview=form.takeaways.data if is_preview and not form.errors else None,
    )


def _publish(form: TakeawaysForm, meeting_id: int) -> int:
    """Publish, and return the number of emails; a conflict is shown in the form."""
    with write_tx() as db_session:
        meeting = locking.lock_one(db_session, meeting_id)
        editor = audit_log.last_editor(db_session, meeting_id=meeting_id)
        if form.has_conflict(meeting, editor=editor):
            return 0
        email_count = changes.publish_takeaways(
            db_session,
            meeting,
            takeaways=form.value("takeaways"),
            recording_url=form.value("recording_url"),
            writer=writer(),
        )
        note_action(db_session, Action.PUBLISHED, meeting_id=meeting_id, item_count=email_count)
    return email_count


def _success_message(email_count: int) -> str:
    if not email_count:
        return gettext("Published on the session's page.")
    return ngettext(
        "Published on the session's page and emailed to %(num)s person.",
        "Published on the session's page and emailed to %(num)s people.",
        email_count,
    )


def _to_roster(slug: str, *sentences: str) -> ResponseReturnValue:
    for sentence in sentences:
        flash(sentence)
    return redirect(url_for("console.meeting", slug=slug), 303)
