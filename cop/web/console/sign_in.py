"""Signing in and out, and making the first account."""

import re

from flask import Response, redirect, request, session, url_for
from flask.typing import ResponseReturnValue
from wtforms import PasswordField, StringField

from cop.db import read_tx, write_tx
from cop.domain import coordinators, devices, signing_in
from cop.domain.signing_in import Attempt
from cop.errors import InvalidCredentials, Refused
from cop.web.console import TOKEN, console
from cop.web.console.forms import ConsoleForm
from cop.web.forms import Needed, one_line
from cop.web.rendering import now, render
from cop.web.saying import gettext
from cop.web.security import network
from cop.words import N_

_OWN_PATH = re.compile(r"/coordinator/(?!/)[\w./?&=,%+~-]*", re.ASCII)


class SignInForm(ConsoleForm):
    """An address and a password."""

    email = StringField(filters=[one_line], validators=[Needed(N_("Write your email address."))])
    password = PasswordField(validators=[Needed(N_("Write your password."))])


class SetUpForm(SignInForm):
    """The first account."""

    name = StringField(filters=[one_line], validators=[Needed(N_("Write your name."))])


def _show(page: str, form: ConsoleForm) -> Response:
    return render(page, form=form)


def start(token: str) -> None:
    """Give the browser a new session: nothing of the one before sign-in is kept."""
    session.clear()
    session[TOKEN] = token


@console.get("/sign-in")
def sign_in() -> Response:
    return _show("accounts/sign_in.html", SignInForm())


@console.post("/sign-in")
def send_sign_in() -> ResponseReturnValue:
    form = SignInForm()
    if not form.validate():
        return _show("accounts/sign_in.html", form)
    try:
        attempt = checked(_typed(form.email), _typed(form.password))
        with write_tx() as db_session:
            start(signing_in.finish(db_session, attempt, now=now(), device=device()))
    except Refused as refusal:
        form.refuse(refusal)
        return or_wait(_show("accounts/sign_in.html", form), refusal)
    if attempt.has_second_factor:
        return redirect(url_for("console.sign_in_code", next=request.args.get("next")), 303)
    return redirect(own_path(), 303)


def or_wait(response: Response, refusal: Refused) -> Response:
    """The answer to a refusal; to one that makes people wait, with the seconds."""
    if seconds := refusal.values.get("seconds"):
        response.status_code, response.headers["Retry-After"] = 429, str(seconds)
    return response


def device() -> str:
    """What this browser says it is."""
    return devices.described(request.headers.get("User-Agent", ""))


def _typed(field: StringField) -> str:
    return field.data or ""


def checked(email: str, password: str) -> Attempt:
    """An attempt whose password matches, which is counted as failed until it is taken back.

    Raises:
        TooManyAttempts: it has failed too often just now.
        InvalidCredentials: the address and the password do not belong together.
    """
    with write_tx() as db_session:
        attempt = signing_in.begin(db_session, email, network=network(), now=now())
    if not attempt.matches(password):  # slow on purpose, so outside the transactions
        raise InvalidCredentials(signing_in.WRONG, field="email")
    return attempt


def own_path() -> str:
    """Where to go after signing in: a path of the console, or its front page."""
    path = request.args.get("next")
    is_own = path and _OWN_PATH.fullmatch(path) and ".." not in path
    return path if path and is_own else url_for("console.front")


@console.post("/sign-out")
def sign_out() -> ResponseReturnValue:
    with write_tx() as db_session:
        coordinators.sign_out(db_session, session[TOKEN])
    session.clear()
    return redirect(url_for("console.sign_in"), 303)


@console.get("/set-up/<token>")
def set_up(token: str) -> Response:
    return _set_up_page(token, SetUpForm())


@console.post("/set-up/<token>")
def send_set_up(token: str) -> ResponseReturnValue:
    form = SetUpForm()
    if not form.validate():
        return _set_up_page(token, form)
    try:
        with write_tx() as db_session:
            coordinators.check_set_up_link(db_session, token, now=now())
            added = coordinators.add(
                db_session,
                _typed(form.email),
                name=_typed(form.name),
                password=_typed(form.password),
            )
            token_here = coordinators.welcome(db_session, added, device=device(), now=now())
    except Refused as refusal:
        if refusal.field in form:  # else it is the link's, and the page says so
            form.refuse(refusal)
        return _set_up_page(token, form)
    start(token_here)
    return redirect(url_for("console.front"), 303)


def _set_up_page(token: str, form: SetUpForm) -> Response:
    with read_tx() as db_session:
        try:
            coordinators.check_set_up_link(db_session, token, now=now())
        except Refused as refusal:
            reason = gettext(refusal.sentence)
            return render("accounts/set_up_over.html", status=404, reason=reason)
    return render("accounts/set_up.html", form=form, token=token)
