"""What is read off a roster: needs for access, to arrange them, and addresses, to write to."""

from flask import Response, abort, request

from cop.db import read_tx
from cop.domain import needs, roster
from cop.web.console import console, exporting_or_403, note_viewing
from cop.web.console.finding import meeting_or_404
from cop.web.console.roster import STATUSES
from cop.web.rendering import now, render


@console.get("/sessions/<slug:slug>/access")
def access(slug: str) -> Response:
    found = meeting_or_404(slug)
    with read_tx() as db_session:
        asked = needs.of_meeting(db_session, found.id)
    note_viewing("access", found.id)
    book_by = found.starts_at - needs.BOOKED_BEFORE
    return render(
        "roster/access_needs.html",
        meeting=found,
        needs=asked,
        people=len({person.id for need in asked for person, _ in need.people}),
        book_by=book_by,
        is_late=book_by <= now(),
        statuses=STATUSES,
    )


@console.get("/sessions/<slug:slug>/emails")
def emails(slug: str) -> Response:
    exporting_or_403()
    found = meeting_or_404(slug)
    asked_for = {"held": found.held, "waiting": found.waiting}
    status = request.args.get("status", "held")
    if status not in asked_for:
        abort(422)
    with read_tx() as db_session:
        listed = roster.addresses(db_session, found.id, status=status)
    note_viewing("emails", found.id)
    return render(
        "roster/addresses.html",
        meeting=found,
        of=status,
        addresses=listed,
        left_out=asked_for[status] - len(listed),
    )
