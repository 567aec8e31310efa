"""What can be done for one person on a roster: their place, their address, and mail to them."""

from collections.abc import Sequence
from dataclasses import dataclass

from flask import Response, abort, flash, redirect, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from cop.audit.audit_log import Action
from cop.audit.views import note_action, note_viewing
from cop.db.engine import empty_log, read_tx, write_tx
from cop.errors import Refused
from cop.mail.transport import folder_transport
from cop.mail.writer import LetterWriter
from cop.meetings.views_common import meeting_or_404
from cop.members import held_data, preferences
from cop.questions import registry
from cop.registration.statements import PlaceCounts
from cop.roster import address_correction, people, places, roster
from cop.roster.places import PlaceChange
from cop.roster.views import STATUSES
from cop.web.blueprints import console
from cop.web.forms import strip_to_one_line
from cop.web.i18n import gettext, ngettext, refusal_text
from cop.web.rendering import now, render, settings, writer

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
        one = people.find_person(db_session, registration_id, found) or abort(404)
    note_viewing("person", found.id)
    answers = held_data.optional_answers(one.place, writer=writer())
    return render(
        "roster/person.html",
        status=status,
        meeting=found,
        person=one,
        answers=[each for each in answers if each.field is not registry.ACCESS],
        asks_for_access=any(each.field is registry.ACCESS for each in answers),
        can_wait=places.can_wait(found.capacity, PlaceCounts(found.held, found.waiting)),
        is_beyond=found.places_left == 0,
        is_restorable=one.restorable_until is not None and one.restorable_until >= now(),
        statuses=STATUSES,
        refusal=refusal,
        field=field,
        typed=request.form.get("email", ""),
    )


ACTIONS = {
    "address": Action.CORRECTED_ADDRESS,
    "place": Action.MOVED_PERSON,
    "wait": Action.MOVED_PERSON,
    "cancel": Action.CANCELLED_PLACE,
    "restore": Action.RESTORED_PLACE,
    "undeliverable": Action.MARKED_MAIL,
}


@dataclass(frozen=True)
class Done:
    """The registration that counts now, what to say of it, and the emails that were deleted."""

    registration_id: int
    sentence: str
    deleted_emails: Sequence[str] = ()  # by Message-ID


@console.post(f"{PERSON}/<any({', '.join(ACTIONS)}):what>")
def change_person(slug: str, registration_id: int, what: str) -> ResponseReturnValue:
    found = meeting_or_404(slug)
    try:
        with write_tx() as db_session:
            member = roster.member_of(db_session, registration_id, meeting_id=found.id)
            done = _do(db_session, what, registration_id, member or abort(404),
                       writer=writer())  # fmt: skip
            note_action(
                db_session, ACTIONS[what], meeting_id=found.id, registration_id=done.registration_id
            )
    except Refused as refusal:
        sentence = refusal_text(refusal)
        return show(slug, registration_id, refusal=sentence, field=refusal.field, status=422)
    if what == "address":  # nothing of the misspelt one stays
        empty_log()
        folder_transport(settings()).delete_copies(done.deleted_emails)
    flash(done.sentence)
    return redirect(url_for("console.person", slug=slug, registration_id=done.registration_id), 303)


def _do(db_session: Session, what: str, id_: int, member_id: int, *, writer: LetterWriter) -> Done:
    """Do it; return the registration that counts now, and what to say of it."""
    sent = request.form
    match what:
        case "address":
            email = strip_to_one_line(sent.get("email"))
            corrected = address_correction.correct_address(db_session, id_, email, writer=writer)
            return Done(id_, _corrected(corrected.sessions), corrected.deleted_emails)
        case "place":
            return _moved(
                places.give_place(db_session, id_, beyond="beyond" in sent, writer=writer)
            )
        case "wait":
            return _moved(places.move_to_waiting_list(db_session, id_, writer=writer))
        case "cancel":
            by_mail = "silent" not in sent
            return _moved(places.cancel(db_session, id_, by_mail=by_mail, writer=writer))
        case "restore":
            return _moved(places.restore(db_session, id_, writer=writer))
    return Done(id_, _marked(db_session, member_id, works="works" in sent, writer=writer))


def _marked(db_session: Session, member_id: int, *, works: bool, writer: LetterWriter) -> str:
    if works:
        preferences.opt_in_to_all(db_session, member_id, writer=writer)
        return gettext("Noted: mail to this address works again, and goes out from now on.")
    preferences.opt_out_of_all(db_session, member_id, writer=writer)
    return gettext("Noted: this address gets no more mail. The place stays.")


def _moved(moved: PlaceChange) -> Done:
    said = {
        "held": gettext("They hold a place now."),
        "waiting": gettext("They are at the end of the waiting list now."),
        "cancelled": gettext("Their registration is cancelled."),
    }[moved.status]
    told = gettext("A mail tells them.") if moved.is_told else gettext("No mail goes to them.")
    next_ = ngettext(
        "%(num)s person who waited has a place now, and gets a mail.",
        "%(num)s people who waited have a place now, and get a mail.",
        moved.promoted,
    )
    sentence = f"{said} {told} {next_ if moved.promoted else ''}".strip()
    return Done(moved.registration_id, sentence)


def _corrected(sessions: int) -> str:
    if not sessions:
        return gettext(
            "The address is corrected. No mail goes out: no session lies ahead, or mail to it "
            "comes back."
        )
    return ngettext(
        "The address is corrected. A mail with a new link, for %(num)s session, is on its way.",
        "The address is corrected. A mail with a new link, for %(num)s sessions, is on its way.",
        sessions,
    )
