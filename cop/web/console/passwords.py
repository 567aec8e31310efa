"""A forgotten password: asking for a link to a new one, and choosing it."""

from flask import Response, flash, redirect, session, url_for
from flask.typing import ResponseReturnValue
from wtforms import PasswordField

from cop.db import read_tx, write_tx
from cop.domain import forgotten
from cop.errors import Refused
from cop.web.console import console
from cop.web.console.forms import ConsoleForm, line
from cop.web.forms import Needed
from cop.web.rendering import now, render, settings, writer
from cop.web.saying import gettext
from cop.words import N_


class ForgottenForm(ConsoleForm):
    """Whose password it is."""

    email = line(254, Needed(N_("Write your email address.")))


class PasswordForm(ConsoleForm):
    """A new password."""

    password = PasswordField(validators=[Needed(N_("Write your new password."))])


@console.get("/forgotten")
def ask_password() -> Response:
    return _ask(ForgottenForm())


@console.post("/forgotten")
def send_ask_password() -> ResponseReturnValue:
    form = ForgottenForm()
    if not form.validate():
        return _ask(form)
    try:
        with write_tx() as db_session:
            forgotten.ask(db_session, form.email.data or "", writer=writer())
    except Refused as refusal:
        form.refuse(refusal)
        return _ask(form)
    flash(
        gettext(
            "If a coordinator has this address, an email is on its way to it, or came within the "
            "last half hour. Its link works for an hour. If you find none, look into the folder "
            "for unwanted email."
        )
    )
    return redirect(url_for("console.ask_password"), 303)


def _ask(form: ForgottenForm) -> Response:
    return render("accounts/forgot_password.html", form=form)


@console.get("/password/<token>")
def choose_password(token: str) -> Response:
    return _choose(token, PasswordForm())


@console.post("/password/<token>")
def send_choose_password(token: str) -> ResponseReturnValue:
    form = PasswordForm()
    if not form.validate():
        return _choose(token, form)
    try:
        with write_tx() as db_session:
            forgotten.choose(
                db_session,
                token,
                password=form.password.data or "",
                secret_key=settings().secret_key,
                now=now(),
            )
    except Refused as refusal:
        if refusal.field in form:  # else it is the link's, and the page says so
            form.refuse(refusal)
        return _choose(token, form)
    session.clear()
    flash(gettext("You have a new password. Sign in with it."))
    return redirect(url_for("console.sign_in"), 303)


def _choose(token: str, form: PasswordForm) -> Response:
    with read_tx() as db_session:
        try:
            forgotten.check(db_session, token, secret_key=settings().secret_key, now=now())
        except Refused as refusal:
            reason = gettext(refusal.sentence)
            return render("accounts/password_over.html", status=404, reason=reason)
    return render("accounts/password.html", form=form, token=token)
