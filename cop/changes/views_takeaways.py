"""Console: publish the takeaways of a session."""

from flask import flash, redirect, request, url_for
from flask.typing import ResponseReturnValue

from cop.audit import audit_log
from cop.audit.audit_log import Action
from cop.audit.views import note_action
from cop.changes import changes
from cop.db.engine import read_tx, write_tx
from cop.errors import Refused
from cop.meetings import locking
from cop.meetings.locking import MeetingFacts
from cop.meetings.views_common import over_or_404
from cop.web.blueprints import console
from cop.web.edit_conflicts import EditConflictForm
from cop.web.forms import Https, area, line
from cop.web.i18n import gettext, ngettext
from cop.web.rendering import render, writer


class TakeawaysForm(EditConflictForm):
    """What was taken away from a session, and where its recording is."""

    takeaways = area(20_000)
    recording_url = line(2000, Https())

    def __init__(self, meeting: MeetingFacts) -> None:
        super().__init__(self.shown(meeting))

    @staticmethod
    def shown(meeting: MeetingFacts) -> dict[str, str]:
        """Return the stored values as the form shows them."""
        return {
            "takeaways": meeting.takeaways or "",
            "recording_url": meeting.recording_url or "",
        }


@console.route("/sessions/<slug:slug>/takeaways", methods=["GET", "POST"])
def takeaways(slug: str) -> ResponseReturnValue:
    meeting = over_or_404(slug)
    with read_tx() as db_session:
        [stored] = locking.read(db_session, [meeting.id])
        people = len(changes.takeaways_recipients(db_session, meeting.id))
    form = TakeawaysForm(stored)
    is_preview = "preview" in request.form
    if form.validate_on_submit() and not is_preview:
        try:
            emails = _publish(form, meeting.id)
        except Refused as refusal:
            form.refuse(refusal)
        if not form.errors:
            flash(_show_published(emails))
            return redirect(url_for("console.meeting", slug=slug), 303)
    return render(
        "changes/takeaways.html",
        meeting=meeting,
        form=form,
        people=people,
        preview=form.takeaways.data if is_preview and not form.errors else None,
    )


def _publish(form: TakeawaysForm, meeting_id: int) -> int:
    """Publish and return the number of emails; a conflict is shown in the form instead."""
    with write_tx() as db_session:
        meeting = locking.lock_one(db_session, meeting_id)
        editor = audit_log.last_editor(db_session, meeting_id=meeting_id)
        if form.has_conflict(form.shown(meeting), editor=editor):
            return 0
        emails = changes.publish_takeaways(
            db_session,
            meeting,
            takeaways=form.value("takeaways"),
            recording_url=form.value("recording_url"),
            writer=writer(),
        )
        note_action(db_session, Action.PUBLISHED, meeting_id=meeting_id, item_count=emails)
    return emails


def _show_published(emails: int) -> str:
    if not emails:
        return gettext("Published on the session's page.")
    return ngettext(
        "Published on the session's page, and mailed to %(num)s person.",
        "Published on the session's page, and mailed to %(num)s people.",
        emails,
    )
