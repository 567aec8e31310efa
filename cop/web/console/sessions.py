"""The console's front page with all sessions, and the roster of each."""

from flask import Response, abort, g

from cop import fields
from cop.db import read_tx, write_tx
from cop.domain import community, coordinators, roster, schedule
from cop.web.console import console
from cop.web.rendering import now, render
from cop.words import N_

STATUSES = {"held": N_("coming"), "waiting": N_("waiting"), "cancelled": N_("cancelled")}


@console.get("/")
def front() -> Response:
    with write_tx() as db_session:
        schedule.plan_ahead(db_session, now=now())
    with read_tx() as db_session:
        facts = community.facts(db_session)
        listed = schedule.read(db_session, now=now())
        counts = roster.counts(db_session)
    return render(
        "console/front.html",
        community=facts,
        schedule=listed,
        counts=counts,
        nobody=roster.Counts(),
        all_columns=roster.COLUMNS,
    )


@console.get("/sessions/<slug:slug>")
def meeting(slug: str) -> Response:
    with read_tx() as db_session:
        facts = community.facts(db_session)
        found = schedule.read(db_session, now=now()).find(slug) or abort(404)
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
