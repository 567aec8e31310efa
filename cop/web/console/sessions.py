"""The console's front page, with all sessions."""

from flask import Response

from cop.db import read_tx, write_tx
from cop.domain import mailing, roster, schedule
from cop.domain.community import Facts
from cop.domain.schedule import Schedule
from cop.web.console import console, to_do
from cop.web.public import look
from cop.web.rendering import now, render


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
