"""Console: cancel a session, and restore it."""

from flask import abort, flash, redirect, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from cop.audit.audit_log import Action
from cop.audit.views import note_action
from cop.changes import changes, preview
from cop.db.engine import rehearsal_tx, write_tx
from cop.errors import Refused
from cop.i18n import N_
from cop.meetings import locking
from cop.meetings.schedule import Listing
from cop.meetings.views_common import meeting_or_404, open_or_404
from cop.web.blueprints import console
from cop.web.forms import ConsoleForm, Required, line
from cop.web.i18n import gettext, refusal_text
from cop.web.rendering import now, render, writer


class CancelForm(ConsoleForm):
    """Why a session does not take place."""

    reason = line(300, Required(N_("Write why: people see it on the schedule and in their mail.")))


@console.route("/sessions/<slug:slug>/cancel", methods=["GET", "POST"])
def cancel(slug: str) -> ResponseReturnValue:
    meeting = open_or_404(slug)
    form = CancelForm()
    emails: list[str] = []
    try:
        if form.validate_on_submit():
            with write_tx() as db_session:
                emails = _cancel(db_session, meeting, form.reason.data or "")
            return _changed(slug, gettext("The session is cancelled."), *emails)
        if not meeting.is_cancelled:
            with rehearsal_tx() as db_session:
                emails = _cancel(db_session, meeting, "")
    except Refused as refusal:
        form.refuse(refusal)
    return render(
        "changes/cancel.html",
        meeting=meeting,
        form=form,
        emails=emails,
    )


@console.route("/sessions/<slug:slug>/restore", methods=["GET", "POST"])
def restore(slug: str) -> ResponseReturnValue:
    meeting = meeting_or_404(slug)
    if meeting.is_over and not meeting.is_cancelled:
        abort(404)
    is_sent, emails, refused = request.method == "POST", [], ""
    try:
        with write_tx() if is_sent else rehearsal_tx() as db_session:
            emails = _restore(db_session, meeting)
    except Refused as refusal:
        refused = refusal_text(refusal)
    if is_sent and not refused:
        return _changed(slug, gettext("The session takes place after all."), *emails)
    return render(
        "changes/restore.html",
        status=422 if is_sent else 200,
        meeting=meeting,
        emails=emails,
        refused=refused,
        days=changes.RESTORABLE_FOR.days,
    )


def _cancel(db_session: Session, meeting: Listing, reason: str) -> list[str]:
    """Cancel the session; return who is emailed, in sentences."""
    locked = locking.lock_one(db_session, meeting.id)
    changes.cancel(db_session, locked, reason=reason, writer=writer())
    return _note(db_session, Action.CANCELLED_MEETING, meeting, promoted=[])


def _restore(db_session: Session, meeting: Listing) -> list[str]:
    """Restore the session; return who is emailed, in sentences."""
    locked = locking.lock_one(db_session, meeting.id)
    promoted = changes.restore(db_session, locked, writer=writer())
    return _note(db_session, Action.RESTORED_MEETING, meeting, promoted=promoted)


def _note(
    db_session: Session, action: Action, meeting: Listing, *, promoted: list[int]
) -> list[str]:
    note_action(db_session, action, meeting_id=meeting.id)
    [changed] = locking.read(db_session, [meeting.id])
    found = preview.preview_promotions(db_session, changed, promoted=promoted, now=now())
    return preview.emails(found, about=preview.STATUS)


def _changed(slug: str, *sentences: str) -> ResponseReturnValue:
    for sentence in sentences:
        flash(sentence)
    return redirect(url_for("console.meeting", slug=slug), 303)
