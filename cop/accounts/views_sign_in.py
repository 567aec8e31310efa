"""Console: sign in, reset a forgotten password, create the first account."""

import re

from flask import Response, after_this_request, flash, redirect, request, session, url_for
from flask.typing import ResponseReturnValue
from wtforms import PasswordField, StringField

from cop.accounts import accounts, login_sessions, password_reset, sign_in, two_factor
from cop.accounts.access_control import TOKEN, open_before_two_factor, open_to_all
from cop.accounts.sign_in import Attempt
from cop.db.engine import read_tx, write_tx
from cop.errors import InvalidCredentials, LinkExpired, Refused, SignInExpired, TooManyAttempts
from cop.i18n import N_
from cop.web import preserved_form
from cop.web.blueprints import console
from cop.web.forms import ConsoleForm, Required, line, strip_to_one_line, tidy_email
from cop.web.i18n import gettext, ngettext, refusal_text
from cop.web.rendering import now, render, settings, writer
from cop.web.security import limited, network

_CONSOLE_PATH = re.compile(r"/coordinator/(?!/)[\w./?&=,%+~-]*", re.ASCII)


class SignInForm(ConsoleForm):
    """An address and a password."""

    email = StringField(filters=[tidy_email], validators=[Required(N_("Enter your email."))])
    password = PasswordField(validators=[Required(N_("Enter your password."))])


class SetUpForm(SignInForm):
    """The first account."""

    name = StringField(filters=[strip_to_one_line], validators=[Required(N_("Enter your name."))])


class CodeForm(ConsoleForm):
    """A two-factor code or a recovery code."""

    code = line(60, Required(N_("Enter the code.")))


class ForgottenForm(ConsoleForm):
    """The address of the account whose password is forgotten."""

    email = line(254, Required(N_("Enter your email.")))


class PasswordForm(ConsoleForm):
    """A new password."""

    password = PasswordField(validators=[Required(N_("Enter a new password."))])


@console.route("/sign-in", methods=["GET", "POST"], endpoint="sign_in")
@open_to_all
def sign_in_page() -> ResponseReturnValue:
    form = SignInForm()
    if form.validate_on_submit():
        try:
            attempt = verify_credentials(**form.data)
            with write_tx() as db_session:
                token = sign_in.finish(db_session, attempt, now=now(), device=this_device())
        except Refused as refusal:
            refuse(form, refusal)
        else:
            start_session(token, attempt.coordinator_id)
            if attempt.has_second_factor:
                return _go_on(url_for("console.sign_in_code", next=request.args.get("next")))
            return _go_on(next_path())
    return render("accounts/sign_in.html", form=form)


def verify_credentials(email: str, password: str) -> Attempt:
    """Verify a password; the attempt counts as failed until it is undone.

    Raises:
        TooManyAttempts: too many attempts have failed just now.
        InvalidCredentials: the address and the password do not match.
    """
    with write_tx() as db_session:
        attempt = sign_in.begin(db_session, email, network=network(), now=now())
    if not attempt.matches(password):  # slow on purpose, so outside the transactions
        raise InvalidCredentials(sign_in.WRONG_CREDENTIALS, field="email")
    return attempt


def refuse(form: ConsoleForm, refusal: Refused) -> None:
    """Show a refusal in a form, with status 429 after too many attempts."""
    form.refuse(refusal)
    if isinstance(refusal, TooManyAttempts):
        seconds = str(refusal.values["seconds"])

        @after_this_request
        def add_retry_after(response: Response) -> Response:
            response.status_code, response.headers["Retry-After"] = 429, seconds
            return response


def start_session(token: str, coordinator_id: int | None) -> None:
    """Start a new session in the cookie, without anything of somebody else's.

    If the same coordinator signs in again, forms that are open in other tabs go on working.
    """
    if session.get(preserved_form.OWNER_ID) != coordinator_id:
        session.clear()
    session.update({TOKEN: token, preserved_form.OWNER_ID: coordinator_id})


def _go_on(address: str) -> ResponseReturnValue:
    """Redirect; by 307 the browser sends a preserved form along, together with this one."""
    is_preserved = preserved_form.fields_of(session[preserved_form.OWNER_ID]) is not None
    return redirect(address, 307 if is_preserved else 303)


def this_device() -> str:
    return login_sessions.describe_user_agent(request.headers.get("User-Agent", ""))


def next_path() -> str:
    """Return the path to go to after signing in, by default the front page."""
    path = request.args.get("next", "")
    is_safe = _CONSOLE_PATH.fullmatch(path) and ".." not in path
    return path if is_safe else url_for("console.front")


@console.route("/sign-in/code", methods=["GET", "POST"])
@open_to_all
def sign_in_code() -> ResponseReturnValue:
    form, token = CodeForm(), session.get(TOKEN, "")
    try:
        with read_tx() as db_session:
            pending = two_factor.pending_sign_in(db_session, token, now=now())
        # The sign-in passes a preserved form on without a code.
        if "code" in request.form and form.validate_on_submit():
            with write_tx() as db_session:  # committed before, so that a wrong code stays counted
                two_factor.count_attempt(db_session, pending.coordinator_id, now=now())
            _finish_with_code(token, pending.coordinator_id, form.data["code"])
            return _go_on(next_path())
    except SignInExpired as refusal:
        if request.method == "POST":
            flash(refusal_text(refusal))
        if preserved_form.FIELD in request.form:
            return render("accounts/sign_in.html", form=SignInForm())
        return redirect(url_for("console.sign_in", next=request.args.get("next")), 303)
    except Refused as refusal:
        refuse(form, refusal)
    return render("accounts/sign_in_code.html", form=form)


def _finish_with_code(token: str, coordinator_id: int, code: str) -> None:
    with write_tx() as db_session:
        new_token, codes_left = two_factor.finish(db_session, token, code, now=now())
    start_session(new_token, coordinator_id)
    if codes_left is not None:
        flash(
            ngettext(
                "You used one of your recovery codes. You have %(num)s code left.",
                "You used one of your recovery codes. You have %(num)s codes left.",
                codes_left,
            )
        )


@console.post("/sign-out")
@open_before_two_factor
def sign_out() -> ResponseReturnValue:
    with write_tx() as db_session:
        login_sessions.sign_out(db_session, session[TOKEN])
    session.clear()
    return redirect(url_for("console.sign_in"), 303)


@console.route("/forgotten", methods=["GET", "POST"])
@open_to_all
@limited
def ask_password() -> ResponseReturnValue:
    form = ForgottenForm()
    if form.validate_on_submit():
        try:
            with write_tx() as db_session:
                password_reset.request_reset(db_session, form.data["email"], writer=writer())
        except Refused as refusal:
            form.refuse(refusal)
        else:
            flash(
                gettext(
                    "If a coordinator has this email, we've sent it a link that works for one "
                    "hour. Can't find it? Check your spam folder."
                )
            )
            return redirect(url_for("console.ask_password"), 303)
    return render("accounts/forgot_password.html", form=form)


@console.route("/password/<token>", methods=["GET", "POST"])
@open_to_all
def choose_password(token: str) -> ResponseReturnValue:
    form, secret_key = PasswordForm(), settings().secret_key
    try:
        with read_tx() as db_session:
            password_reset.check_link(db_session, token, secret_key=secret_key, now=now())
        if form.validate_on_submit():
            with write_tx() as db_session:
                password_reset.reset_password(
                    db_session, token, **form.data, secret_key=secret_key, now=now()
                )
            session.clear()
            flash(gettext("Password changed. Sign in with your new password."))
            return redirect(url_for("console.sign_in"), 303)
    except Refused as refusal:
        form.refuse(refusal)
    return render("accounts/password.html", form=form, token=token)


@console.route("/set-up/<token>", methods=["GET", "POST"])
@open_to_all
def set_up(token: str) -> ResponseReturnValue:
    form = SetUpForm()
    try:
        with read_tx() as db_session:
            accounts.check_set_up_link(db_session, token, now=now())
        if form.validate_on_submit():
            with write_tx() as db_session:
                accounts.check_set_up_link(db_session, token, now=now())
                id_ = accounts.add(db_session, **form.data)
                new_token = login_sessions.finish_sign_in(
                    db_session, id_, device=this_device(), now=now()
                )
            start_session(new_token, id_)
            return redirect(url_for("console.front"), 303)
    except Refused as refusal:
        form.refuse(refusal)
    return render("accounts/set_up.html", form=form, token=token)


@console.errorhandler(LinkExpired)
def link_expired(expired: LinkExpired) -> Response:
    """Answer a link to an account or a new password that has expired."""
    return render("accounts/link_expired.html", status=404, reason=gettext(expired.sentence))
