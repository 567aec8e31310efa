"""The console's attendance page: mark by hand, or upload a Zoom report."""

import re

from flask import Response, abort, flash, redirect, request, url_for
from flask.typing import ResponseReturnValue
from wtforms import FileField

from cop.attendance import attendance, zoom_report
from cop.audit.audit_log import Action
from cop.audit.views import note_action, note_viewing
from cop.db.engine import read_tx, write_tx
from cop.errors import Refused
from cop.meetings.schedule import Listing
from cop.meetings.views_common import meeting_or_404
from cop.web.blueprints import console
from cop.web.forms import ConsoleForm
from cop.web.i18n import gettext, ngettext
from cop.web.rendering import current_community, now, render
from cop.web.security import takes_file, takes_long_form

MARKS = {"came": True, "not": False, "unknown": None}
NAMES = {mark: name for name, mark in MARKS.items()}
_PERSON_FIELD = re.compile(r"person-(\d{1,9})", re.ASCII)


class ReportForm(ConsoleForm):
    """Zoom's participants report."""

    report = FileField()


def started_meeting_or_404(slug: str) -> Listing:
    """Read a session that has begun and is not canceled."""
    meeting = meeting_or_404(slug)
    return meeting if meeting.has_begun and not meeting.is_cancelled else abort(404)


@console.route("/sessions/<slug:slug>/attendance", methods=["GET", "POST"], endpoint="attendance")
@takes_long_form
def mark_attendance(slug: str) -> ResponseReturnValue:
    """Show the attendance sheet, or save its marks."""
    if request.method != "POST":
        return _page(meeting_or_404(slug), ReportForm())
    meeting, zone = started_meeting_or_404(slug), current_community().zone_info
    with write_tx() as db_session:
        changed = attendance.mark(db_session, meeting.id, _marks(), zone=zone)
        note_action(db_session, Action.MARKED_ATTENDANCE, meeting_id=meeting.id, item_count=changed)
    flash(
        ngettext("Saved: %(num)s mark was changed.", "Saved: %(num)s marks were changed.", changed)
    )
    return redirect(url_for("console.attendance", slug=slug), 303)


@console.post("/sessions/<slug:slug>/attendance/report")
@takes_file
def upload_report(slug: str) -> ResponseReturnValue:
    meeting, form = started_meeting_or_404(slug), ReportForm()
    try:
        file = request.files.get("report")
        if file:
            file.seek(0)  # a retry of the transaction reads it again
        participants = zoom_report.read(file.read() if file else b"")
        with write_tx() as db_session:
            attendance.store_report(db_session, meeting.id, participants, now=now())
    except Refused as refusal:
        form.refuse(refusal)
        return _page(meeting, form)
    return redirect(url_for("console.report", slug=slug), 303)


def _page(meeting: Listing, form: ReportForm) -> Response:
    with read_tx() as db_session:
        sheet = attendance.read_sheet(db_session, meeting.id)
    note_viewing("roster", meeting.id)
    marks = [person.attended for person in sheet.people]
    labels = {
        "came": gettext("Came"),
        "not": gettext("Did not come"),
        "unknown": gettext("Not known"),
    }
    return render(
        "attendance/attendance.html",
        meeting=meeting,
        form=form,
        sheet=sheet,
        names=NAMES,
        labels=labels,
        counts={name: marks.count(mark) for name, mark in MARKS.items()},
        suggested=sum(each.suggested_attendance is not each.attended for each in sheet.people),
        shown=" ".join(f"{person.id}:{NAMES[person.attended]}" for person in sheet.people),
    )


def _marks() -> dict[int, bool | None]:
    """The submitted marks that differ from those shown; others may have changed."""
    shown = set(request.form.get("shown", "").split())
    unknown = "not" if "others" in request.form else "unknown"
    marks: dict[int, bool | None] = {}
    for field, value in request.form.items():
        name = unknown if value == "unknown" else value
        match = _PERSON_FIELD.fullmatch(field)
        if match and name in MARKS and f"{int(match[1])}:{name}" not in shown:
            marks[int(match[1])] = MARKS[name]
    return marks
