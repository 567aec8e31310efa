"""Signing in and out, and making the first account."""

import re

from flask import Response, flash, redirect, request, session, url_for
from flask.typing import ResponseReturnValue
from wtforms import PasswordField, StringField

from cop.accounts import accounts, password_reset
from cop.accounts import sign_in as accounts_sign_in
from cop.accounts.access_control import TOKEN, open_before_two_factor, open_to_all
from cop.accounts.sign_in import Attempt
from cop.db.engine import read_tx, write_tx
from cop.errors import InvalidCredentials, Refused
from cop.i18n import N_
from cop.web.blueprints import console
from cop.web.forms import ConsoleForm, Required, line, strip_to_one_line
from cop.web.i18n import gettext, refusal_text
from cop.web.rendering import now, render, settings, writer
from cop.web.security import limited, network


class ForgottenForm(ConsoleForm):
    """Whose password it is."""

    email = line(254, Required(N_("Write your email address.")))


class PasswordForm(ConsoleForm):
    """A new password."""

    password = PasswordField(validators=[Required(N_("Write your new password."))])


@console.get("/forgotten")
@open_to_all
def ask_password() -> Response:
    return _ask(ForgottenForm())


@console.post("/forgotten")
@open_to_all
@limited
def send_ask_password() -> ResponseReturnValue:
    form = ForgottenForm()
    if not form.validate():
        return _ask(form)
    try:
        with write_tx() as db_session:
            password_reset.request_reset(db_session, form.email.data or "", writer=writer())
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
@open_to_all
def choose_password(token: str) -> Response:
    return _choose(token, PasswordForm())


@console.post("/password/<token>")
@open_to_all
def send_choose_password(token: str) -> ResponseReturnValue:
    form = PasswordForm()
    if not form.validate():
        return _choose(token, form)
    try:
        with write_tx() as db_session:
            password_reset.reset_password(
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
            password_reset.check_link(
                db_session, token, secret_key=settings().secret_key, now=now()
            )
        except Refused as refusal:
            reason = refusal_text(refusal)
            return render("accounts/password_over.html", status=404, reason=reason)
    return render("accounts/password.html", form=form, token=token)


_OWN_PATH = re.compile(r"/coordinator/(?!/)[\w./?&=,%+~-]*", re.ASCII)


class SignInForm(ConsoleForm):
    """An address and a password."""

    email = StringField(
        filters=[strip_to_one_line], validators=[Required(N_("Write your email address."))]
    )
    password = PasswordField(validators=[Required(N_("Write your password."))])


class SetUpForm(SignInForm):
    """The first account."""

    name = StringField(filters=[strip_to_one_line], validators=[Required(N_("Write your name."))])


def _show(page: str, form: ConsoleForm) -> Response:
    return render(page, form=form)


def start(token: str) -> None:
    """Give the browser a new session: nothing of the one before sign-in is kept."""
    session.clear()
    session[TOKEN] = token


@console.get("/sign-in")
@open_to_all
def sign_in() -> Response:
    return _show("accounts/sign_in.html", SignInForm())


@console.post("/sign-in")
@open_to_all
def send_sign_in() -> ResponseReturnValue:
    form = SignInForm()
    if not form.validate():
        return _show("accounts/sign_in.html", form)
    try:
        attempt = checked(_typed(form.email), _typed(form.password))
        with write_tx() as db_session:
            start(accounts_sign_in.finish(db_session, attempt, now=now(), device=device()))
    except Refused as refusal:
        form.refuse(refusal)
        return throttled(_show("accounts/sign_in.html", form), refusal)
    if attempt.has_second_factor:
        return redirect(url_for("console.sign_in_code", next=request.args.get("next")), 303)
    return redirect(safe_next_path(), 303)


def throttled(response: Response, refusal: Refused) -> Response:
    """The answer to a refusal; to one that makes people wait, with the seconds."""
    if seconds := refusal.values.get("seconds"):
        response.status_code, response.headers["Retry-After"] = 429, str(seconds)
    return response


def device() -> str:
    """What this browser says it is."""
    return accounts_sign_in.describe_user_agent(request.headers.get("User-Agent", ""))


def _typed(field: StringField) -> str:
    return field.data or ""


def checked(email: str, password: str) -> Attempt:
    """An attempt whose password matches, which is counted as failed until it is taken back.

    Raises:
        TooManyAttempts: it has failed too often just now.
        InvalidCredentials: the address and the password do not belong together.
    """
    with write_tx() as db_session:
        attempt = accounts_sign_in.begin(db_session, email, network=network(), now=now())
    if not attempt.matches(password):  # slow on purpose, so outside the transactions
        raise InvalidCredentials(accounts_sign_in.WRONG, field="email")
    return attempt


def safe_next_path() -> str:
    """Where to go after signing in: a path of the console, or its front page."""
    path = request.args.get("next")
    is_own = path and _OWN_PATH.fullmatch(path) and ".." not in path
    return path if path and is_own else url_for("console.front")


@console.post("/sign-out")
@open_before_two_factor
def sign_out() -> ResponseReturnValue:
    with write_tx() as db_session:
        accounts.sign_out(db_session, session[TOKEN])
    session.clear()
    return redirect(url_for("console.sign_in"), 303)


@console.get("/set-up/<token>")
@open_to_all
def set_up(token: str) -> Response:
    return _set_up_page(token, SetUpForm())


@console.post("/set-up/<token>")
@open_to_all
def send_set_up(token: str) -> ResponseReturnValue:
    form = SetUpForm()
    if not form.validate():
        return _set_up_page(token, form)
    try:
        with write_tx() as db_session:
            accounts.check_set_up_link(db_session, token, now=now())
            added = accounts.add(
                db_session,
                _typed(form.email),
                name=_typed(form.name),
                password=_typed(form.password),
            )
            token_here = accounts.finish_sign_in(db_session, added, device=device(), now=now())
    except Refused as refusal:
        if refusal.field in form:  # else it is the link's, and the page says so
            form.refuse(refusal)
        return _set_up_page(token, form)
    start(token_here)
    return redirect(url_for("console.front"), 303)


def _set_up_page(token: str, form: SetUpForm) -> Response:
    with read_tx() as db_session:
        try:
            accounts.check_set_up_link(db_session, token, now=now())
        except Refused as refusal:
            reason = refusal_text(refusal)
            return render("accounts/set_up_over.html", status=404, reason=reason)
    return render("accounts/set_up.html", form=form, token=token)
