"""The console's attendance pages: marks by hand, and Zoom reports."""

from flask import Response, abort, flash, redirect, request, url_for
from flask.typing import ResponseReturnValue
from wtforms import FileField

from cop.attendance import attendance, zoom_report
from cop.attendance.attendance import AttendanceSheet, ReportResult
from cop.attendance.matching import Match, MatchKind, closest_names
from cop.audit.audit_log import Action
from cop.audit.views import note_action, note_viewing
from cop.db.engine import erasing_tx, read_tx, write_tx
from cop.errors import Refused, ReportGone
from cop.meetings.schedule import Listing
from cop.meetings.views_common import meeting_or_404
from cop.models.registration import Registration
from cop.web.blueprints import console
from cop.web.forms import ConsoleForm, numbered_fields
from cop.web.i18n import gettext, ngettext
from cop.web.rendering import current_community, now, render
from cop.web.security import takes_file, takes_long_form

MARKS = {"came": True, "not": False, "unknown": None}
MARK_NAMES = {mark: name for name, mark in MARKS.items()}
MAX_CHOICES, MAX_OPTIONS = 200, 5_000  # <select>s on a page, and <option>s in all of them

Choices = dict[MatchKind, list[tuple[Match, list[Registration]]]]


class ReportForm(ConsoleForm):
    """Zoom's participants report."""

    report = FileField()


def _started_or_404(slug: str) -> Listing:
    meeting = meeting_or_404(slug)
    return meeting if meeting.has_begun and not meeting.is_cancelled else abort(404)


@console.route("/sessions/<slug:slug>/attendance", methods=["GET", "POST"], endpoint="attendance")
@takes_long_form
def mark_attendance(slug: str) -> ResponseReturnValue:
    """Show the attendance sheet, or save its marks."""
    if request.method != "POST":
        return _page(meeting_or_404(slug), ReportForm())
    meeting, zone = _started_or_404(slug), current_community().zone_info
    with write_tx() as db_session:
        changed = attendance.mark(db_session, meeting.id, _marks(), zone=zone)
        note_action(db_session, Action.MARKED_ATTENDANCE, meeting_id=meeting.id, item_count=changed)
    flash(ngettext("Saved: %(num)s change.", "Saved: %(num)s changes.", changed))
    return redirect(url_for("console.attendance", slug=slug), 303)


@console.post("/sessions/<slug:slug>/attendance/report")
@takes_file
def upload_report(slug: str) -> ResponseReturnValue:
    meeting, form = _started_or_404(slug), ReportForm()
    try:
        file = request.files.get("report")
        if file:
            file.seek(0)  # the view may run again, if its transaction is retried
        participants = zoom_report.read(file.read() if file else b"")
        with write_tx() as db_session:
            attendance.store_report(db_session, meeting.id, participants, now=now())
    except Refused as refusal:
        form.refuse(refusal, at="report")
        return _page(meeting, form)
    return redirect(url_for("console.report", slug=slug), 303)


def _page(meeting: Listing, form: ReportForm) -> Response:
    with read_tx() as db_session:
        sheet = attendance.read_sheet(db_session, meeting.id)
    note_viewing("roster", meeting.id)
    return render(
        "attendance/attendance.html",
        meeting=meeting,
        form=form,
        sheet=sheet,
        names=MARK_NAMES,
        suggested=sum(each.suggested_attendance is not each.attended for each in sheet.people),
        shown=request.form.get("shown")  # of a form that is shown again
        or " ".join(f"{person.id}:{MARK_NAMES[person.attended]}" for person in sheet.people),
    )


def _marks() -> dict[int, bool | None]:
    """The marks that differ from those shown on the page.

    The others are left out, since another coordinator may have changed them meanwhile. `others` in
    the form marks everybody as absent who has no mark.
    """
    shown = set(request.form.get("shown", "").split())
    default = "not" if "others" in request.form else "unknown"
    names = numbered_fields("person-")
    marks = {id_: default if name == "unknown" else name for id_, name in names.items()}
    return {
        id_: MARKS[name]
        for id_, name in marks.items()
        if name in MARKS and f"{id_}:{name}" not in shown
    }


@console.get("/sessions/<slug:slug>/attendance/report")
def report(slug: str) -> ResponseReturnValue:
    meeting = _started_or_404(slug)
    with read_tx() as db_session:
        sheet = attendance.read_sheet(db_session, meeting.id)
    if sheet.report is None:
        return _report_gone(slug)
    note_viewing("roster", meeting.id)
    people = {person.id: person for person in sheet.people}
    by_kind = {kind: [m for m in sheet.matches if m.kind is kind] for kind in MatchKind}
    choices = _choices(sheet)
    unmatched_kinds = (MatchKind.UNKNOWN, MatchKind.DEVICE)
    return render(
        "attendance/report.html",
        meeting=meeting,
        report=sheet.report,
        kinds=MatchKind,
        by_email=[(m, people[m.person_id or 0]) for m in by_kind[MatchKind.BY_EMAIL]],
        bots=by_kind[MatchKind.BOT],
        choices=choices,
        left_out=sum(len(by_kind[kind]) - len(choices[kind]) for kind in unmatched_kinds),
        absent=[p for p in _unmatched(sheet) if p.is_held],
        marked_by_hand=sum(person.is_marked_by_hand for person in sheet.people),
    )


def _unmatched(sheet: AttendanceSheet) -> list[Registration]:
    matched = {match.person_id for match in sheet.matches}
    return [person for person in sheet.people if person.id not in matched]


def _choices(sheet: AttendanceSheet) -> Choices:
    """Participants whom a coordinator has to match, with candidates by similarity."""
    undecided = [match for match in sheet.matches if _needs_choice(match)][:MAX_CHOICES]
    limit = max(10, MAX_OPTIONS // (len(undecided) or 1))
    closest = closest_names(_unmatched(sheet))
    choices: Choices = {kind: [] for kind in MatchKind}
    for match in undecided:
        recognized = [person for person in sheet.people if person.id == match.person_id]
        people = recognized + closest(match.participant.name)[:limit]
        choices[match.kind].append((match, people))
    return choices


def _needs_choice(match: Match) -> bool:
    if match.kind in {MatchKind.UNKNOWN, MatchKind.DEVICE}:
        return match.participant.minutes >= attendance.MIN_MINUTES_ATTENDED
    return match.kind is MatchKind.BY_NAME


@console.post("/sessions/<slug:slug>/attendance/report/keep")
@takes_long_form
def apply_report(slug: str) -> ResponseReturnValue:
    meeting = _started_or_404(slug)
    try:
        with erasing_tx() as db_session:
            result = attendance.apply_report(
                db_session,
                meeting.id,
                _chosen(),
                version=request.form.get("version", ""),
                zone=current_community().zone_info,
                overwrite="overwrite" in request.form,
            )
            note_action(
                db_session,
                Action.IMPORTED_ATTENDANCE,
                meeting_id=meeting.id,
                item_count=result.attended,
            )
    except ReportGone:
        return _report_gone(slug)
    flash(_result_message(result))
    return redirect(url_for("console.attendance", slug=slug), 303)


def _chosen() -> dict[int, int | None]:
    """The registration id chosen for each participant number; None for nobody."""
    return {
        # Nine digits fit into the 32-bit id column of PostgreSQL.
        number: int(id_) if id_.isdecimal() and len(id_) < 10 else None
        for number, id_ in numbered_fields("line-").items()
    }


def _result_message(result: ReportResult) -> str:
    attended, absent, by_hand = result
    parts = [
        ngettext("Saved. %(num)s person attended.", "Saved. %(num)s people attended.", attended),
        ngettext("%(num)s person did not attend.", "%(num)s people did not attend.", absent),
        ngettext("%(num)s mark made by hand stays.", "%(num)s marks made by hand stay.", by_hand),
    ]
    return " ".join(parts if by_hand else parts[:2])


@console.post("/sessions/<slug:slug>/attendance/report/delete")
def delete_report(slug: str) -> ResponseReturnValue:
    meeting = _started_or_404(slug)
    with erasing_tx() as db_session:
        attendance.discard_report(db_session, meeting.id)
    flash(gettext("The report is deleted. Attendance didn't change."))
    return redirect(url_for("console.attendance", slug=slug), 303)


def _report_gone(slug: str) -> ResponseReturnValue:
    flash(
        gettext(
            "Nothing was changed, because this report was already saved, deleted or replaced. "
            "Check the attendance below, and upload the file again if you need to."
        )
    )
    return redirect(url_for("console.attendance", slug=slug), 303)
