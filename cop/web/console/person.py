"""One person on a roster: what they said, what was done for them, and whether mail reaches them."""

from flask import Response, abort, request

from cop import fields
from cop.db import read_tx
from cop.domain import kept, people, placing
from cop.domain.registration_rows import Taken
from cop.web.console import console, note_viewing
from cop.web.console.finding import meeting_or_404
from cop.web.console.roster import STATUSES
from cop.web.rendering import now, render, writer

PERSON = "/sessions/<slug:slug>/people/<int(max=2147483647):registration_id>"


@console.get(PERSON)
def person(slug: str, registration_id: int) -> Response:
    return show(slug, registration_id)


def show(
    slug: str, registration_id: int, *, refusal: str = "", field: str = "", status: int = 200
) -> Response:
    """The person's page, or with a refusal what was asked for in vain."""
    found = meeting_or_404(slug)
    with read_tx() as db_session:
        one = people.find(db_session, registration_id, found) or abort(404)
    note_viewing("person", found.id)
    answers = kept.answers(one.place, writer=writer())
    return render(
        "roster/person.html",
        status=status,
        meeting=found,
        person=one,
        answers=[each for each in answers if each.field is not fields.ACCESS],
        asks_for_access=any(each.field is fields.ACCESS for each in answers),
        can_wait=placing.can_wait(found.capacity, Taken(found.held, found.waiting)),
        is_beyond=found.left == 0,
        is_restorable=one.restorable_until is not None and one.restorable_until >= now(),
        statuses=STATUSES,
        refusal=refusal,
        field=field,
        typed=request.form.get("email", ""),
    )
