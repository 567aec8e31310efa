"""The console's front page with all sessions, and the roster of each."""

from flask import Response, abort, flash, g, redirect, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext

from cop import fields
from cop.db import read_tx, write_tx
from cop.domain import coordinators, mailing, outbox, roster, schedule
from cop.domain.community import Facts
from cop.domain.schedule import Schedule
from cop.web.console import console, to_do
from cop.web.console.finding import meeting_or_404
from cop.web.console.forms import number
from cop.web.public import look
from cop.web.rendering import now, render
from cop.words import N_

STATUSES = {"held": N_("coming"), "waiting": N_("waiting"), "cancelled": N_("cancelled")}


@console.get("/")
def front() -> Response:
    facts, listed = look()
    if not _is_planned_ahead(facts, listed):
        with write_tx() as db_session:
            schedule.plan_ahead(db_session, now=now())
        facts, listed = look()
    with read_tx() as db_session:
        counts = roster.counts(db_session)
        standing = mailing.standing(db_session)
    return render(
        "console/front.html",
        community=facts,
        schedule=listed,
        counts=counts,
        nobody=roster.Counts(),
        to_do=to_do.things(standing, listed.next),
        all_columns=roster.COLUMNS,
    )


def _is_planned_ahead(facts: Facts, listed: Schedule) -> bool:
    """Whether every date of the rhythm is on the schedule: a slug begins with the date it gave."""
    planned = {meeting.slug[:10] for meeting in (*listed.upcoming, *listed.past)}
    dates = facts.rhythm.next_dates(facts.planned_ahead, now=now())
    return planned.issuperset(occurrence.on.isoformat() for occurrence in dates)


@console.get("/sessions/<slug:slug>")
def meeting(slug: str) -> Response:
    facts, found = meeting_or_404(slug)
    with read_tx() as db_session:
        people = roster.attendees(db_session, found.id)
        counts = roster.counts(db_session).get(found.id, roster.Counts())
    with write_tx() as db_session:
        coordinators.note_viewing(
            db_session, g.coordinator, "roster", now=now(), meeting_id=found.id
        )
    return render(
        "console/roster.html",
        community=facts,
        meeting=found,
        people=people,
        counts=counts,
        hats=fields.HATS,
        statuses=STATUSES,
        all_columns=roster.COLUMNS,
    )


@console.post("/sessions/<slug:slug>/undeliverable")
def undeliverable(slug: str) -> ResponseReturnValue:
    """Note that mail to somebody comes back, or that it works again."""
    _, found = meeting_or_404(slug)
    works = "works" in request.form
    registration_id = number(request.form.get("works" if works else "returns", ""))
    with write_tx() as db_session:
        member = roster.member_of(db_session, registration_id or 0, meeting_id=found.id)
        if member is None:
            abort(404)
        if works:
            outbox.mark_deliverable(db_session, member)
        else:
            outbox.mark_undeliverable(db_session, member, now=now())
    flash(_noted(works=works))
    return redirect(url_for("console.meeting", slug=slug), 303)


def _noted(*, works: bool) -> str:
    if works:
        return gettext("Noted: mail to this address works again, and goes out from now on.")
    return gettext("Noted: this address gets no more mail. The place stays.")
