"""The mail that goes out, and how it stands."""

from flask import Response, abort, flash, g, redirect, request, url_for
from flask.typing import ResponseReturnValue

from cop.db import read_tx, write_tx
from cop.domain import mailing, outbox, record
from cop.domain.outbox import Kind
from cop.domain.record import Action
from cop.mail.envelope import sealed
from cop.mail.transport import files
from cop.models import MailState, OutboxEmail
from cop.web.console import console, note_viewing
from cop.web.rendering import current_community, now, render, settings
from cop.web.saying import ngettext
from cop.words import N_

STATES = {
    MailState.QUEUED: N_("waiting to go out"),
    MailState.SENDING: N_("being sent"),
    MailState.RETRYING: N_("trying again"),
    MailState.SENT: N_("sent"),
    MailState.FAILED: N_("failed"),
    MailState.WITHDRAWN: N_("no longer needed"),
}
KINDS = {
    Kind.CONFIRMATION: N_("confirmation"),
    Kind.PROMOTED: N_("a place became free"),
    Kind.PLACE: N_("change of a place"),
    Kind.CHANGED: N_("change of a session"),
    Kind.REMINDER: N_("reminder"),
    Kind.TAKEAWAYS: N_("takeaways"),
    Kind.MESSAGE: N_("written by a coordinator"),
    Kind.LINK: N_("link to their page"),
    Kind.LIST: N_("mailing list: please confirm"),
    Kind.COORDINATORS: N_("to coordinators"),
    Kind.PASSWORD: N_("new password"),
    Kind.INVITATION: N_("invitation"),
}
HEADERS = ("From", "To", "Reply-To", "Date", "Message-ID", "List-Unsubscribe")


@console.get("/mail")
def mails() -> Response:
    state = request.args.get("state")
    if state is not None and state not in STATES:
        abort(422)
    with read_tx() as db_session:
        standing = mailing.standing(db_session)
        lines = mailing.latest(db_session, state=state)
    note_viewing("mails")
    return render(
        "outbox/emails.html",
        standing=standing,
        mails=lines,
        states=STATES,
        kinds=KINDS,
        state=state,
        smtp=settings().smtp,
        folder=files(settings()).folder,
    )


@console.get("/mail/<int(max=2147483647):mail_id>")
def mail(mail_id: int) -> Response:
    with read_tx() as db_session:
        found = mailing.find(db_session, mail_id) or abort(404)
    note_viewing("mails", found.meeting_id)
    return render(
        "outbox/email.html",
        mail=found,
        state=STATES[MailState(found.state)],
        text=mailing.without_tokens(found.text),
        headers=_headers(found) if found.text else [],
    )


def _headers(found: OutboxEmail) -> list[tuple[str, str]]:
    message = sealed(found, sender=settings().sender, reply_to=current_community().contact_email)
    return [(name, mailing.without_tokens(message[name])) for name in HEADERS if name in message]


@console.post("/mail/try-again")
def try_again() -> ResponseReturnValue:
    asked = request.form.getlist("mail")
    with write_tx() as db_session:
        failed = mailing.failed(db_session)
        ids = failed if "all" in request.form else [id_ for id_ in failed if str(id_) in asked]
        outbox.try_again(db_session, ids, now=now())
        record.note(
            db_session, g.coordinator.id, Action.TRIED_MAIL_AGAIN, now=now(), item_count=len(ids)
        )
    flash(ngettext("%(num)s mail goes out again.", "%(num)s mails go out again.", len(ids)))
    return redirect(url_for("console.mails"), 303)
