"""What can be done for one person on a roster: their place, their address, and mail to them."""

from collections.abc import Sequence
from dataclasses import dataclass

from flask import abort, flash, g, redirect, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from cop.db import empty_log, write_tx
from cop.domain import correcting, placing, preferences, record, roster
from cop.domain.placing import Moved
from cop.domain.record import Action
from cop.errors import Refused
from cop.mail.transport import files
from cop.mail.writer import Writer
from cop.web.console import console
from cop.web.console.finding import meeting_or_404
from cop.web.console.person import PERSON, show
from cop.web.forms import one_line
from cop.web.registration import dates_said
from cop.web.rendering import now, settings, writer
from cop.web.saying import gettext, ngettext

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
            record.note(db_session, g.coordinator.id, ACTIONS[what], now=now(),
                        meeting_id=found.id, registration_id=done.registration_id)  # fmt: skip
    except Refused as refusal:
        sentence = gettext(refusal.sentence, **dates_said(refusal))
        return show(slug, registration_id, refusal=sentence, field=refusal.field, status=422)
    if what == "address":  # nothing of the misspelt one stays
        empty_log()
        files(settings()).forget(done.deleted_emails)
    flash(done.sentence)
    return redirect(url_for("console.person", slug=slug, registration_id=done.registration_id), 303)


def _do(db_session: Session, what: str, id_: int, member_id: int, *, writer: Writer) -> Done:
    """Do it; return the registration that counts now, and what to say of it."""
    sent = request.form
    match what:
        case "address":
            email = one_line(sent.get("email"))
            corrected = correcting.correct(db_session, id_, email, writer=writer)
            return Done(id_, _corrected(corrected.sessions), corrected.deleted_emails)
        case "place":
            return _moved(placing.give(db_session, id_, beyond="beyond" in sent, writer=writer))
        case "wait":
            return _moved(placing.put_at_tail(db_session, id_, writer=writer))
        case "cancel":
            by_mail = "silent" not in sent
            return _moved(placing.cancel(db_session, id_, by_mail=by_mail, writer=writer))
        case "restore":
            return _moved(placing.restore(db_session, id_, writer=writer))
    return Done(id_, _marked(db_session, member_id, works="works" in sent, writer=writer))


def _marked(db_session: Session, member_id: int, *, works: bool, writer: Writer) -> str:
    if works:
        preferences.resume_all(db_session, member_id, writer=writer)
        return gettext("Noted: mail to this address works again, and goes out from now on.")
    preferences.stop_all(db_session, member_id, writer=writer)
    return gettext("Noted: this address gets no more mail. The place stays.")


def _moved(moved: Moved) -> Done:
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
