"""The way to one more coordinator's account, for whom somebody has invited."""

from flask import Response, redirect, url_for
from flask.typing import ResponseReturnValue
from wtforms import PasswordField

from cop.db import read_tx, write_tx
from cop.domain import coordinators, invitations
from cop.errors import Refused
from cop.web.console import console
from cop.web.console.forms import ConsoleForm, line
from cop.web.console.sign_in import device, start
from cop.web.forms import Needed
from cop.web.rendering import now, render, settings
from cop.web.saying import gettext
from cop.words import N_


class InvitationForm(ConsoleForm):
    """What somebody who was invited chooses."""

    name = line(200, Needed(N_("Write your name.")))
    password = PasswordField(validators=[Needed(N_("Write a password."))])


@console.get("/invitation/<token>")
def invitation(token: str) -> Response:
    return _show(token, InvitationForm())


@console.post("/invitation/<token>")
def send_invitation(token: str) -> ResponseReturnValue:
    form = InvitationForm()
    if not form.validate():
        return _show(token, form)
    try:
        start(_accepted(token, form))
    except Refused as refusal:
        if refusal.field not in form:  # it is the link's, and the page says so
            return _show(token, form, reason=gettext(refusal.sentence))
        form.refuse(refusal)
        return _show(token, form)
    return redirect(url_for("console.front"), 303)


def _accepted(token: str, form: InvitationForm) -> str:
    with write_tx() as db_session:
        added = invitations.accept(
            db_session,
            token,
            name=form.name.data or "",
            password=form.password.data or "",
            secret_key=settings().secret_key,
            now=now(),
        )
        return coordinators.welcome(db_session, added, device=device(), now=now())


def _show(token: str, form: InvitationForm, *, reason: str = "") -> Response:
    with read_tx() as db_session:
        found = None
        try:
            found = invitations.check(
                db_session, token, secret_key=settings().secret_key, now=now()
            )
        except Refused as refusal:
            reason = gettext(refusal.sentence)
    if found is None or reason:
        return render("accounts/set_up_over.html", status=404, reason=reason)
    return render(
        "accounts/invitation.html",
        form=form,
        token=token,
        invited=found,
    )
