"""A coordinator's own account: the password, and the devices that are signed in."""

from flask import Response, abort, flash, g, redirect, request, session, url_for
from flask.typing import ResponseReturnValue
from wtforms import PasswordField

from cop.accounts import accounts, sign_in, two_factor, views_sign_in
from cop.accounts.access_control import TOKEN
from cop.db.engine import read_tx, write_tx
from cop.errors import InvalidCredentials, Refused, TooManyAttempts
from cop.i18n import N_
from cop.web.blueprints import console
from cop.web.forms import ConsoleForm, Required, strip_to_one_line
from cop.web.i18n import gettext, ngettext
from cop.web.rendering import now, render


class OwnPasswordForm(ConsoleForm):
    """The password that there is, and the one that there is to be."""

    old = PasswordField(validators=[Required(N_("Write the password that you have now."))])
    password = PasswordField(validators=[Required(N_("Write your new password."))])


@console.get("/account")
def account() -> Response:
    return _show(OwnPasswordForm())


@console.post("/account/password")
def own_password() -> ResponseReturnValue:
    form = OwnPasswordForm()
    if not form.validate():
        return _show(form)
    try:
        confirm_password(form.old.data or "")
        views_sign_in.start(_changed(form.password.data or ""))
    except Refused as refusal:
        form.refuse(refusal, at="old" if isinstance(refusal, TooManyAttempts) else "")
        return views_sign_in.throttled(_show(form), refusal)
    return _done(gettext("You have a new password. All your other devices are signed out."))


def confirm_password(password: str) -> None:
    """Ask who is signed in for their password again, with the same waits as at signing in.

    Raises:
        TooManyAttempts: it was wrong too often just now.
    """
    try:
        attempt = views_sign_in.checked(g.coordinator.email, password)
    except InvalidCredentials as refusal:
        raise Refused(
            N_("This is not your password. Check it, and whether Caps Lock is on."), field="old"
        ) from refusal
    with write_tx() as db_session:
        sign_in.undo_attempt(db_session, attempt)


def _changed(password: str) -> str:
    """Store the new password, and sign this device in anew."""
    with write_tx() as db_session:
        accounts.change_password(db_session, g.coordinator.email, password=password)
        return accounts.start_session(
            db_session, g.coordinator.id, now=now(), device=views_sign_in.device()
        )


@console.post("/account/devices")
def sign_out_device() -> ResponseReturnValue:
    device = strip_to_one_line(request.form.get("device"))
    with write_tx() as db_session:
        if "others" in request.form:
            many = sign_in.sign_out_others(db_session, g.coordinator.id, token=session[TOKEN])
        elif not sign_in.sign_out(db_session, g.coordinator.id, device):
            abort(404)
        else:
            many = 1
    said = ngettext("%(num)s device is signed out.", "%(num)s devices are signed out.", many)
    return _done(said)


def _done(sentence: str) -> ResponseReturnValue:
    flash(sentence)
    return redirect(url_for("console.account"), 303)


def _show(form: OwnPasswordForm) -> Response:
    with read_tx() as db_session:
        found = sign_in.list_devices(db_session, g.coordinator.id, token=session[TOKEN], now=now())
        codes = two_factor.recovery_codes_left(db_session, g.coordinator.id)
    return render(
        "accounts/account.html",
        form=form,
        devices=found,
        codes=codes,
    )
