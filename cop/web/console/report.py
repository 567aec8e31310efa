"""A look at Zoom's report before it is kept: who is recognized, and who has to be decided."""

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from flask import flash, g, redirect, request, url_for
from flask.typing import ResponseReturnValue

from cop.db import erasing_tx, read_tx
from cop.domain import attendance as who_came
from cop.domain import record
from cop.domain.attendance import MINUTES_TO_HAVE_COME, Kept, Person, Sheet
from cop.domain.recognizing import Kind, Line, nearest_among, recognize
from cop.errors import ReportGone
from cop.web.console import console, note_viewing
from cop.web.console.attendance import begun_or_404
from cop.web.rendering import current_community, now, render
from cop.web.saying import gettext, ngettext

MOST_LINES, MOST_OPTIONS = 200, 5_000  # that one page asks about, and offers in all
_LINE, _NUMBER = re.compile(r"line-(\d{1,6})", re.ASCII), re.compile(r"\d{1,9}", re.ASCII)


@dataclass(frozen=True)
class Choice:
    """A line to decide on, with whom it may be: the nearest names first."""

    line: Line
    people: list[Person]


@dataclass(frozen=True)
class Preview:
    """What a report would say, and what has to be decided."""

    by_email: list[tuple[Line, Person]]
    choices: dict[Kind, list[Choice]]
    bots: list[Line]
    left_out: int  # strangers who were there too shortly, or are too many to ask about
    did_not_come: list[Person]
    by_hand: int


@console.get("/sessions/<slug:slug>/attendance/report")
def report(slug: str) -> ResponseReturnValue:
    found = begun_or_404(slug)
    with read_tx() as db_session:
        sheet = who_came.look(db_session, found.id)
    if sheet.report is None:
        return _gone(slug)
    note_viewing("roster", found.id)
    preview, stamp = _preview(sheet), sheet.report.stamp
    return render("attendance/report.html", meeting=found, preview=preview,
                  stamp=stamp, kinds=Kind, sheet=sheet)  # fmt: skip


@console.post("/sessions/<slug:slug>/attendance/report/keep")
def keep_report(slug: str) -> ResponseReturnValue:
    found = begun_or_404(slug)
    try:
        with erasing_tx() as db_session:
            kept = who_came.keep(
                db_session,
                found.id,
                _chosen(),
                stamp=request.form.get("stamp", ""),
                zone=current_community().zone_info,
                overrules="overrules" in request.form,
            )
            record.note(
                db_session,
                g.coordinator.id,
                record.Action.IMPORTED_ATTENDANCE,
                now=now(),
                meeting_id=found.id,
                item_count=kept.came,
            )
    except ReportGone:
        return _gone(slug)
    flash(_said(kept))
    return redirect(url_for("console.attendance", slug=slug), 303)


@console.post("/sessions/<slug:slug>/attendance/report/delete")
def delete_report(slug: str) -> ResponseReturnValue:
    found = begun_or_404(slug)
    with erasing_tx() as db_session:
        who_came.drop_report(db_session, found.id)
    flash(gettext("The report is deleted. Nobody's attendance was changed."))
    return redirect(url_for("console.attendance", slug=slug), 303)


def _gone(slug: str) -> ResponseReturnValue:
    flash(
        gettext(
            "This report has been kept or deleted meanwhile, or another one took its place. "
            "Nothing was changed. Look at what stands here now, and choose the file again if "
            "need be."
        )
    )
    return redirect(url_for("console.attendance", slug=slug), 303)


def _preview(sheet: Sheet) -> Preview:
    people = {person.id: person for person in sheet.people}
    lines = recognize(sheet.report.participants if sheet.report else (), sheet.people)
    asked = [line for line in lines if _is_asked_about(line)][:MOST_LINES]
    recognized = {line.person_id for line in lines}
    strangers = [line for line in lines if line.kind in {Kind.UNKNOWN, Kind.DEVICE}]
    return Preview(
        by_email=[
            (line, people[line.person_id])
            for line in lines
            if line.kind is Kind.BY_EMAIL and line.person_id
        ],
        choices=_choices(asked, sheet.people, recognized),
        bots=[line for line in lines if line.kind is Kind.BOT],
        left_out=len(strangers) - sum(line.kind is not Kind.BY_NAME for line in asked),
        did_not_come=[p for p in sheet.people if p.is_held and p.id not in recognized],
        by_hand=sum(person.is_marked_by_hand for person in sheet.people),
    )


def _is_asked_about(line: Line) -> bool:
    if line.kind is Kind.BY_NAME:
        return True
    is_stranger = line.kind in {Kind.UNKNOWN, Kind.DEVICE}
    return is_stranger and line.who.minutes >= MINUTES_TO_HAVE_COME


def _choices(
    asked: Sequence[Line], people: Sequence[Person], recognized: Collection[int | None]
) -> dict[Kind, list[Choice]]:
    """Whom each line may be: whoever is recognized in it, then those who are in no line."""
    free = [person for person in people if person.id not in recognized]
    nearest, most = nearest_among(free), max(10, MOST_OPTIONS // (len(asked) or 1))
    choices: dict[Kind, list[Choice]] = {kind: [] for kind in Kind}
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


def _said(kept: Kept) -> str:
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
