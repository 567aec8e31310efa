"""The console's preview of a Zoom report: who is recognized, and who has to be chosen."""

import re

from flask import flash, redirect, request, url_for
from flask.typing import ResponseReturnValue

from cop.attendance import attendance
from cop.attendance.attendance import MIN_MINUTES_ATTENDED, AttendanceSheet, ReportResult
from cop.attendance.matching import Match, MatchKind, closest_names
from cop.attendance.views import started_meeting_or_404
from cop.audit.audit_log import Action
from cop.audit.views import note_action, note_viewing
from cop.db.engine import erasing_tx, read_tx
from cop.errors import ReportGone
from cop.models.registration import Registration
from cop.web.blueprints import console
from cop.web.i18n import gettext, ngettext
from cop.web.rendering import current_community, render
from cop.web.security import takes_long_form

MAX_CHOICES, MAX_OPTIONS = 200, 5_000  # selects on one page, and options in all of them
_FIELD, _NUMBER = re.compile(r"line-(\d{1,6})", re.ASCII), re.compile(r"\d{1,9}", re.ASCII)

Choices = dict[MatchKind, list[tuple[Match, list[Registration]]]]


@console.get("/sessions/<slug:slug>/attendance/report")
def report(slug: str) -> ResponseReturnValue:
    meeting = started_meeting_or_404(slug)
    with read_tx() as db_session:
        sheet = attendance.read_sheet(db_session, meeting.id)
    if sheet.report is None:
        return _report_gone(slug)
    note_viewing("roster", meeting.id)
    people = {person.id: person for person in sheet.people}
    by_kind = {kind: [m for m in sheet.matches if m.kind is kind] for kind in MatchKind}
    choices = _choices(sheet)
    strangers = (MatchKind.UNKNOWN, MatchKind.DEVICE)
    return render(
        "attendance/report.html",
        meeting=meeting,
        report=sheet.report,
        kinds=MatchKind,
        by_email=[(m, people[m.person_id or 0]) for m in by_kind[MatchKind.BY_EMAIL]],
        bots=by_kind[MatchKind.BOT],
        choices=choices,
        left_out=sum(len(by_kind[kind]) - len(choices[kind]) for kind in strangers),
        absent=[p for p in _unmatched(sheet) if p.is_held],
        marked_by_hand=sum(person.is_marked_by_hand for person in sheet.people),
    )


def _unmatched(sheet: AttendanceSheet) -> list[Registration]:
    matched = {match.person_id for match in sheet.matches}
    return [person for person in sheet.people if person.id not in matched]


def _choices(sheet: AttendanceSheet) -> Choices:
    """Participants that need a choice, with candidates, closest names first."""
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
        return match.participant.minutes >= MIN_MINUTES_ATTENDED
    return match.kind is MatchKind.BY_NAME


@console.post("/sessions/<slug:slug>/attendance/report/keep")
@takes_long_form
def apply_report(slug: str) -> ResponseReturnValue:
    meeting = started_meeting_or_404(slug)
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
    """The registration chosen for each participant, by number; None: nobody on the roster."""
    fields = ((_FIELD.fullmatch(name), value) for name, value in request.form.items())
    return {
        int(name[1]): int(value) if _NUMBER.fullmatch(value) else None
        for name, value in fields
        if name
    }


def _result_message(result: ReportResult) -> str:
    attended, absent, by_hand = result
    parts = [
        ngettext("Kept: %(num)s person came.", "Kept: %(num)s people came.", attended),
        ngettext("%(num)s person did not come.", "%(num)s people did not come.", absent),
        ngettext(
            "%(num)s mark made by hand stayed.", "%(num)s marks made by hand stayed.", by_hand
        ),
    ]
    return " ".join(parts if by_hand else parts[:2])


@console.post("/sessions/<slug:slug>/attendance/report/delete")
def delete_report(slug: str) -> ResponseReturnValue:
    meeting = started_meeting_or_404(slug)
    with erasing_tx() as db_session:
        attendance.discard_report(db_session, meeting.id)
    flash(gettext("The report is deleted. Nobody's attendance was changed."))
    return redirect(url_for("console.attendance", slug=slug), 303)


def _report_gone(slug: str) -> ResponseReturnValue:
    flash(
        gettext(
            "This report has been kept or deleted meanwhile, or another one took its place. "
            "Nothing was changed. Look at what stands here now, and choose the file again if "
            "need be."
        )
    )
    return redirect(url_for("console.attendance", slug=slug), 303)
