"""A look at Zoom's report before it is kept: who is recognized, and who has to be decided."""

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from flask import flash, redirect, request, url_for
from flask.typing import ResponseReturnValue

from cop.attendance import attendance
from cop.attendance.attendance import (
    MIN_MINUTES_ATTENDED,
    AttendanceSheet,
    ExpectedAttendee,
    ReportResult,
)
from cop.attendance.matching import Match, MatchKind, closest_name, match_participants
from cop.attendance.views import begun_or_404
from cop.audit.audit_log import Action
from cop.audit.views import note_action, note_viewing
from cop.db.engine import erasing_tx, read_tx
from cop.errors import ReportGone
from cop.web.blueprints import console
from cop.web.i18n import gettext, ngettext
from cop.web.rendering import current_community, render
from cop.web.security import takes_long_form

MAX_LINES, MOST_OPTIONS = 200, 5_000  # that one page asks about, and offers in all
_LINE, _NUMBER = re.compile(r"line-(\d{1,6})", re.ASCII), re.compile(r"\d{1,9}", re.ASCII)


@dataclass(frozen=True)
class Choice:
    """A line to decide on, with whom it may be: the nearest names first."""

    line: Match
    people: list[ExpectedAttendee]


@dataclass(frozen=True)
class Preview:
    """What a report would say, and what has to be decided."""

    by_email: list[tuple[Match, ExpectedAttendee]]
    choices: dict[MatchKind, list[Choice]]
    bots: list[Match]
    left_out: int  # strangers who were there too shortly, or are too many to ask about
    did_not_come: list[ExpectedAttendee]
    by_hand: int


@console.get("/sessions/<slug:slug>/attendance/report")
def report(slug: str) -> ResponseReturnValue:
    found = begun_or_404(slug)
    with read_tx() as db_session:
        sheet = attendance.read_sheet(db_session, found.id)
    if sheet.report is None:
        return _report_gone(slug)
    note_viewing("roster", found.id)
    preview, stamp = _preview(sheet), sheet.report.stamp
    return render("attendance/report.html", meeting=found, preview=preview,
                  stamp=stamp, kinds=MatchKind, sheet=sheet)  # fmt: skip


@console.post("/sessions/<slug:slug>/attendance/report/keep")
@takes_long_form
def keep_report(slug: str) -> ResponseReturnValue:
    found = begun_or_404(slug)
    try:
        with erasing_tx() as db_session:
            kept = attendance.apply_report(
                db_session,
                found.id,
                _chosen(),
                stamp=request.form.get("stamp", ""),
                zone=current_community().zone_info,
                overrules="overrules" in request.form,
            )
            note_action(
                db_session, Action.IMPORTED_ATTENDANCE, meeting_id=found.id, item_count=kept.came
            )
    except ReportGone:
        return _report_gone(slug)
    flash(_said(kept))
    return redirect(url_for("console.attendance", slug=slug), 303)


@console.post("/sessions/<slug:slug>/attendance/report/delete")
def delete_report(slug: str) -> ResponseReturnValue:
    found = begun_or_404(slug)
    with erasing_tx() as db_session:
        attendance.discard_report(db_session, found.id)
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


def _preview(sheet: AttendanceSheet) -> Preview:
    people = {person.id: person for person in sheet.people}
    lines = match_participants(sheet.report.participants if sheet.report else (), sheet.people)
    asked = [line for line in lines if _needs_choice(line)][:MAX_LINES]
    recognized = {line.person_id for line in lines}
    strangers = [line for line in lines if line.kind in {MatchKind.UNKNOWN, MatchKind.DEVICE}]
    return Preview(
        by_email=[
            (line, people[line.person_id])
            for line in lines
            if line.kind is MatchKind.BY_EMAIL and line.person_id
        ],
        choices=_choices(asked, sheet.people, recognized),
        bots=[line for line in lines if line.kind is MatchKind.BOT],
        left_out=len(strangers) - sum(line.kind is not MatchKind.BY_NAME for line in asked),
        did_not_come=[p for p in sheet.people if p.is_held and p.id not in recognized],
        by_hand=sum(person.is_marked_by_hand for person in sheet.people),
    )


def _needs_choice(line: Match) -> bool:
    if line.kind is MatchKind.BY_NAME:
        return True
    is_stranger = line.kind in {MatchKind.UNKNOWN, MatchKind.DEVICE}
    return is_stranger and line.who.minutes >= MIN_MINUTES_ATTENDED


def _choices(
    asked: Sequence[Match], people: Sequence[ExpectedAttendee], recognized: Collection[int | None]
) -> dict[MatchKind, list[Choice]]:
    """Whom each line may be: whoever is recognized in it, then those who are in no line."""
    free = [person for person in people if person.id not in recognized]
    nearest, most = closest_name(free), max(10, MOST_OPTIONS // (len(asked) or 1))
    choices: dict[MatchKind, list[Choice]] = {kind: [] for kind in MatchKind}
    for line in asked:
        own = [person for person in people if person.id == line.person_id]
        choices[line.kind].append(Choice(line, own + nearest(line.who.name)[:most]))
    return choices


def _chosen() -> dict[int, int | None]:
    """The registration chosen for each line; None for nobody on the roster."""
    found = ((_LINE.fullmatch(name), value) for name, value in request.form.items())
    return {
        int(name[1]): int(value) if _NUMBER.fullmatch(value) else None
        for name, value in found
        if name
    }


def _said(kept: ReportResult) -> str:
    parts = [
        ngettext("Kept: %(num)s person came.", "Kept: %(num)s people came.", kept.came),
        ngettext("%(num)s person did not come.", "%(num)s people did not come.", kept.did_not_come),
    ]
    if kept.by_hand:
        parts.append(
            ngettext(
                "%(num)s mark made by hand stayed.",
                "%(num)s marks made by hand stayed.",
                kept.by_hand,
            )
        )
    return " ".join(parts)
