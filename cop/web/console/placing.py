"""What can be done for one person on a roster: their place, their address, and mail to them."""

from collections.abc import Callable
from typing import NamedTuple

from flask import abort, flash, g, redirect, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext, ngettext
from sqlalchemy.orm import Session

from cop.db import write_tx
from cop.domain import correcting, outbox, placing, record, roster
from cop.domain.errors import PersonUnknown, RuleBroken
from cop.domain.placing import Moved
from cop.domain.record import Deed
from cop.mail.writer import Writer
from cop.models import RegistrationStatus
from cop.web.console import console
from cop.web.console.finding import meeting_or_404
from cop.web.console.person import PERSON, show
from cop.web.forms import one_line
from cop.web.registration import dates_said
from cop.web.rendering import now, writer


class _One(NamedTuple):
    """Whom something is done for, and in whose transaction."""

    db_session: Session
    id: int
    meeting_id: int
    writer: Writer


@console.post(f"{PERSON}/address")
def correct_address(slug: str, registration_id: int) -> ResponseReturnValue:
    def correct(one: _One) -> tuple[int, str]:
        email = one_line(request.form.get("email"))
        sessions = correcting.correct(
            one.db_session, one.id, email, meeting_id=one.meeting_id, writer=one.writer
        )
        return one.id, _corrected(sessions)

    return _do(slug, registration_id, correct, Deed.CORRECTED_ADDRESS)


@console.post(f"{PERSON}/place")
def give_place(slug: str, registration_id: int) -> ResponseReturnValue:
    def give(one: _One) -> tuple[int, str]:
        beyond = "beyond" in request.form
        return _moved(placing.give(one.db_session, one.id, meeting_id=one.meeting_id,
                                   beyond=beyond, writer=one.writer))  # fmt: skip

    return _do(slug, registration_id, give, Deed.MOVED_PERSON)


@console.post(f"{PERSON}/wait")
def put_at_tail(slug: str, registration_id: int) -> ResponseReturnValue:
    def put(one: _One) -> tuple[int, str]:
        return _moved(placing.put_at_tail(one.db_session, one.id, meeting_id=one.meeting_id,
                                          writer=one.writer))  # fmt: skip

    return _do(slug, registration_id, put, Deed.MOVED_PERSON)


@console.post(f"{PERSON}/cancel")
def cancel_place(slug: str, registration_id: int) -> ResponseReturnValue:
    def cancel(one: _One) -> tuple[int, str]:
        by_mail = "silent" not in request.form
        return _moved(placing.cancel(one.db_session, one.id, meeting_id=one.meeting_id,
                                     by_mail=by_mail, writer=one.writer))  # fmt: skip

    return _do(slug, registration_id, cancel, Deed.CANCELLED_PLACE)


@console.post(f"{PERSON}/restore")
def restore_place(slug: str, registration_id: int) -> ResponseReturnValue:
    def restore(one: _One) -> tuple[int, str]:
        return _moved(placing.restore(one.db_session, one.id, meeting_id=one.meeting_id,
                                      writer=one.writer))  # fmt: skip

    return _do(slug, registration_id, restore, Deed.RESTORED_PLACE)


@console.post(f"{PERSON}/undeliverable")
def undeliverable(slug: str, registration_id: int) -> ResponseReturnValue:
    """Note that mail to somebody comes back, or that it works again."""

    def mark(one: _One) -> tuple[int, str]:
        member = roster.member_of(one.db_session, one.id, meeting_id=one.meeting_id)
        if member is None:
            raise PersonUnknown
        if "works" in request.form:
            outbox.mark_deliverable(one.db_session, member)
            said = gettext("Noted: mail to this address works again, and goes out from now on.")
        else:
            outbox.mark_undeliverable(one.db_session, member, now=now())
            said = gettext("Noted: this address gets no more mail. The place stays.")
        return one.id, said

    return _do(slug, registration_id, mark, Deed.MARKED_MAIL)


def _do(
    slug: str, registration_id: int, act: Callable[[_One], tuple[int, str]], deed: Deed
) -> ResponseReturnValue:
    """Do something for a person, and write down that it was done."""
    facts, found = meeting_or_404(slug)
    try:
        with write_tx() as db_session:
            new_id, said = act(_One(db_session, registration_id, found.id, writer(facts)))
            for id_ in {registration_id, new_id}:
                record.note(db_session, g.coordinator, deed, now=now(),
                            meeting_id=found.id, registration_id=id_)  # fmt: skip
    except PersonUnknown:
        abort(404)
    except RuleBroken as refusal:
        sentence = gettext(refusal.reason, **dates_said(refusal, facts))
        return show(slug, registration_id, refusal=sentence, field=refusal.field, status=422)
    flash(said)
    return redirect(url_for("console.person", slug=slug, registration_id=new_id), 303)


def _moved(moved: Moved) -> tuple[int, str]:
    said = {
        RegistrationStatus.HELD: gettext("They hold a place now."),
        RegistrationStatus.WAITING: gettext("They are at the end of the waiting list now."),
        RegistrationStatus.CANCELLED: gettext("Their registration is cancelled."),
    }[moved.status]
    said += " " + (
        gettext("A mail tells them.") if moved.is_told else gettext("No mail goes to them.")
    )
    if moved.promoted:
        said += " " + ngettext(
            "%(num)s person who waited has a place now, and gets a mail.",
            "%(num)s people who waited have a place now, and get a mail.",
            moved.promoted,
        )
    return moved.registration_id, said


def _corrected(sessions: int) -> str:
    if not sessions:
        return gettext("The address is corrected. No session lies ahead, so no mail goes out.")
    return ngettext(
        "The address is corrected. A mail with a new link, for %(num)s session, is on its way.",
        "The address is corrected. A mail with a new link, for %(num)s sessions, is on its way.",
        sessions,
    )
