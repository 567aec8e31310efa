"""Console: the emails of the outbox, one email, and retrying failed emails."""

from flask import Response, abort, flash, redirect, request, url_for
from flask.typing import ResponseReturnValue

from cop.audit.audit_log import Action
from cop.audit.views import note_action, note_viewing
from cop.db.engine import read_tx, write_tx
from cop.mail.message import build_message
from cop.mail.transport import folder_transport
from cop.models.email import MailState, OutboxEmail
from cop.outbox import outbox, status
from cop.outbox.outbox import EmailKind
from cop.web.blueprints import console
from cop.web.i18n import ngettext, pgettext
from cop.web.rendering import current_community, now, render, settings

HEADERS = ("From", "To", "Reply-To", "Date", "Message-ID", "List-Unsubscribe")


@console.get("/mail")
def mails() -> Response:
    state = request.args.get("state")
    if state is not None and state not in {*MailState}:
        abort(422)
    with read_tx() as db_session:
        outbox_status = status.read_status(db_session)
        emails = status.list_emails(db_session, state=state)
    note_viewing("mails")
    return render(
        "outbox/emails.html",
        outbox=outbox_status,
        emails=emails,
        pending=status.PENDING_STATES,
        states=_state_labels(),
        kinds=_kind_labels(),
        state=state,
        smtp=settings().smtp,
        folder=folder_transport(settings()).folder,
    )


@console.get("/mail/<int(max=2147483647):mail_id>")
def mail(mail_id: int) -> Response:
    with read_tx() as db_session:
        email = db_session.get(OutboxEmail, mail_id) or abort(404)
    note_viewing("mails", email.meeting_id)
    return render(
        "outbox/email.html",
        email=email,
        state=_state_labels()[MailState(email.state)],
        text=status.redact_tokens(email.text),
        headers=_headers(email) if email.text else [],
    )


def _headers(email: OutboxEmail) -> list[tuple[str, str]]:
    reply_to = current_community().contact_email
    message = build_message(email, sender=settings().sender, reply_to=reply_to)
    return [(name, status.redact_tokens(message[name])) for name in HEADERS if name in message]


@console.post("/mail/try-again")
def try_again() -> ResponseReturnValue:
    selected = request.form.getlist("mail")
    with write_tx() as db_session:
        ids = status.failed(db_session)
        if "all" not in request.form:
            ids = [id_ for id_ in ids if str(id_) in selected]
        outbox.retry(db_session, ids, now=now())
        note_action(db_session, Action.TRIED_MAIL_AGAIN, item_count=len(ids))
    flash(ngettext("Sending %(num)s email again.", "Sending %(num)s emails again.", len(ids)))
    return redirect(url_for("console.mails"), 303)


def _state_labels() -> dict[MailState, str]:
    return {
        MailState.QUEUED: pgettext("state of an email", "Not sent yet"),
        MailState.SENDING: pgettext("state of an email", "Sending"),
        MailState.RETRYING: pgettext("state of an email", "Trying again"),
        MailState.SENT: pgettext("state of an email", "Sent"),
        MailState.FAILED: pgettext("state of an email", "Failed"),
        MailState.WITHDRAWN: pgettext("state of an email", "No longer needed"),
    }


def _kind_labels() -> dict[EmailKind, str]:
    return {
        EmailKind.CONFIRMATION: pgettext("kind of email", "Confirmation"),
        EmailKind.PROMOTED: pgettext("kind of email", "Spot opened"),
        EmailKind.PLACE: pgettext("kind of email", "Registration changed"),
        EmailKind.CHANGED: pgettext("kind of email", "Session changed"),
        EmailKind.REMINDER: pgettext("kind of email", "Reminder"),
        EmailKind.TAKEAWAYS: pgettext("kind of email", "Takeaways"),
        EmailKind.MESSAGE: pgettext("kind of email", "Message from a coordinator"),
        EmailKind.LINK: pgettext("kind of email", "Link to their page"),
        EmailKind.LIST: pgettext("kind of email", "Mailing list confirmation"),
        EmailKind.COORDINATORS: pgettext("kind of email", "For coordinators"),
        EmailKind.PASSWORD: pgettext("kind of email", "Password reset"),
        EmailKind.INVITATION: pgettext("kind of email", "Invitation"),
    }
