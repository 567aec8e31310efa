"""Who came: marked by hand, or by a report of Zoom, which is looked at first."""

import re

from flask import Response, abort, flash, redirect, request, url_for
from flask.typing import ResponseReturnValue
from wtforms import FileField

from cop.attendance import attendance as attendance_attendance
from cop.attendance import zoom_report
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
MARK_LABELS = {mark: word for word, mark in MARKS.items()}
_MARK_FIELD = re.compile(r"person-(\d{1,9})", re.ASCII)


class ReportForm(ConsoleForm):
    """Zoom's report of who took part."""

    report = FileField()


def begun_or_404(slug: str) -> Listing:
    """The community, and its session, once people can have come to it."""
    found = meeting_or_404(slug)
    return found if found.has_begun and not found.is_cancelled else abort(404)


@console.get("/sessions/<slug:slug>/attendance")
def attendance(slug: str) -> Response:
    return _show(meeting_or_404(slug), ReportForm())


@console.post("/sessions/<slug:slug>/attendance")
@takes_long_form
def send_attendance(slug: str) -> ResponseReturnValue:
    found = begun_or_404(slug)
    with write_tx() as db_session:
        changed = attendance_attendance.mark(
            db_session, found.id, _marks(), zone=current_community().zone_info
        )
        note_action(db_session, Action.MARKED_ATTENDANCE, meeting_id=found.id, item_count=changed)
    flash(
        ngettext("Saved: %(num)s mark was changed.", "Saved: %(num)s marks were changed.", changed)
    )
    return redirect(url_for("console.attendance", slug=slug), 303)


@console.post("/sessions/<slug:slug>/attendance/report")
@takes_file
def send_report(slug: str) -> ResponseReturnValue:
    found = begun_or_404(slug)
    form = ReportForm()
    try:
        file = request.files.get("report")
        if file:
            file.seek(0)  # it was read before, where the database made us begin again
        participants = zoom_report.read(file.read() if file else b"")
        with write_tx() as db_session:
            attendance_attendance.store_report(db_session, found.id, participants, now=now())
    except Refused as refusal:
        form.refuse(refusal)
        return _show(found, form)
    return redirect(url_for("console.report", slug=slug), 303)


def _show(found: Listing, form: ReportForm) -> Response:
    with read_tx() as db_session:
        sheet = attendance_attendance.read_sheet(db_session, found.id)
    note_viewing("roster", found.id)
    marks = [person.attended for person in sheet.people]
    return render(
        "attendance/attendance.html",
        meeting=found,
        form=form,
        sheet=sheet,
        said=MARK_LABELS,
        words={"came": gettext("Came"), "not": gettext("Did not come"),
               "unknown": gettext("Not known")},
        counts={word: marks.count(mark) for word, mark in MARKS.items()},
        suggested=sum(person.suggested is not person.attended for person in sheet.people),
        shown=" ".join(f"{person.id}:{MARK_LABELS[person.attended]}" for person in sheet.people),
    )  # fmt: skip


def _marks() -> dict[int, bool | None]:
    """What was marked otherwise than the page showed it; others may have marked the rest since."""
    shown = set(request.form.get("shown", "").split())
    unknown = "not" if "others" in request.form else "unknown"
    found = ((_MARK_FIELD.fullmatch(name), value) for name, value in request.form.items())
    marks = {
        int(name[1]): unknown if value == "unknown" else value for name, value in found if name
    }
    return {
        id_: MARKS[word]
        for id_, word in marks.items()
        if word in MARKS and f"{id_}:{word}" not in shown
    }
