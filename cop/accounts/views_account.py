"""Console: the coordinator's own account, its devices and second factor."""

from io import BytesIO
from textwrap import wrap

from flask import Response, abort, flash, g, make_response, redirect, request, session, url_for
from flask.typing import ResponseReturnValue
from pyotp import random_base32
from wtforms import PasswordField

from cop.accounts import accounts, login_sessions, sign_in, two_factor, views_sign_in
from cop.accounts.access_control import TOKEN, open_before_two_factor
from cop.accounts.views_sign_in import CodeForm, next_path, refuse, this_device
from cop.db.engine import read_tx, write_tx
from cop.errors import InvalidCredentials, Refused, TooManyAttempts
from cop.i18n import N_
from cop.web.blueprints import console
from cop.web.forms import ConsoleForm, Required, strip_to_one_line
from cop.web.i18n import gettext, ngettext
from cop.web.rendering import current_community, now, render

SECRET = "second factor"  # noqa: S105 - key in the session of a secret that is not confirmed yet


class OwnPasswordForm(ConsoleForm):
    """The old password and a new one."""

    old = PasswordField(validators=[Required(N_("Enter your current password."))])
    password = PasswordField(validators=[Required(N_("Enter a new password."))])


class ConfirmForm(CodeForm):
    """Password and code: having found an open browser is not enough."""

    old = PasswordField(validators=[Required(N_("Enter your password."))])


@console.get("/account")
@console.post("/account/password", endpoint="own_password")
def account() -> ResponseReturnValue:
    form = OwnPasswordForm()
    if form.validate_on_submit():
        try:
            _confirm_password(form.data["old"])
            _change_password(form.data["password"])
        except Refused as refusal:
            refuse(form, refusal)
        else:
            flash(gettext("Password changed. Your other devices are signed out."))
            return redirect(url_for("console.account"), 303)
    token = session[TOKEN]
    with read_tx() as db_session:
        listed = login_sessions.list_devices(db_session, g.coordinator.id, token=token, now=now())
    codes = len(g.coordinator.recovery_hashes)
    return render("accounts/account.html", form=form, devices=listed, codes=codes)


def _confirm_password(password: str) -> None:
    """Verify the coordinator's password again, with the same delays as at sign-in."""
    try:
        attempt = views_sign_in.verify_credentials(g.coordinator.email, password)
    except InvalidCredentials as refusal:
        raise Refused(
            N_("Wrong password. Check it, and check that Caps Lock is off."), field="old"
        ) from refusal
    except TooManyAttempts as refusal:
        raise TooManyAttempts(refusal.sentence, field="old", **refusal.values) from refusal
    with write_tx() as db_session:
        sign_in.undo_attempt(db_session, attempt)


def _change_password(password: str) -> None:
    with write_tx() as db_session:
        accounts.change_password(db_session, g.coordinator.email, password=password)
        token = login_sessions.start_session(
            db_session, g.coordinator.id, now=now(), device=this_device()
        )
    views_sign_in.start_session(token, g.coordinator.id)


@console.post("/account/devices")
def sign_out_device() -> ResponseReturnValue:
    device, own_id = strip_to_one_line(request.form.get("device")), g.coordinator.id
    with write_tx() as db_session:
        if "others" in request.form:
            count = login_sessions.sign_out_others(db_session, own_id, token=session[TOKEN])
        else:
            count = login_sessions.sign_out_device(db_session, own_id, device) or abort(404)
    flash(ngettext("Signed out %(num)s device.", "Signed out %(num)s devices.", count))
    return redirect(url_for("console.account"), 303)


@console.route("/account/two-factor", methods=["GET", "POST"], endpoint="two_factor")
@open_before_two_factor
def set_up_two_factor() -> ResponseReturnValue:
    if g.coordinator.has_second_factor:
        return redirect(url_for("console.account"), 303)
    secret = session.setdefault(SECRET, random_base32())
    form = ConfirmForm()
    if form.validate_on_submit():
        try:
            _confirm_password(form.data["old"])
            codes = _turn_on(secret, form.data["code"])
        except Refused as refusal:
            refuse(form, refusal)
        else:
            session.pop(SECRET)
            return render("accounts/recovery_codes.html", codes=codes, next_path=next_path())
    key = " ".join(wrap(secret, 4))
    return render("accounts/two_factor.html", form=form, key=key, address=_uri(secret))


def _turn_on(secret: str, code: str) -> list[str]:
    with write_tx() as db_session:
        codes = two_factor.set_up(db_session, g.coordinator, secret=secret, typed=code, now=now())
        login_sessions.sign_out_others(db_session, g.coordinator.id, token=session[TOKEN])
    return codes


def _uri(secret: str) -> str:
    issuer = current_community().short_name
    return two_factor.provisioning_uri(secret, issuer=issuer, account=g.coordinator.email)


@console.get("/account/two-factor/qr.svg")
@open_before_two_factor
def two_factor_qr() -> Response:
    """Return the QR code as a file: the CSP allows no inline images."""
    import segno  # noqa: PLC0415 - used only here

    image = BytesIO()
    segno.make(_uri(session.get(SECRET) or abort(404)), micro=False).save(
        image, kind="svg", border=4, dark="#000", light="#fff", xmldecl=False
    )
    response = make_response(image.getvalue())
    response.mimetype = "image/svg+xml"
    response.cache_control.no_store = True
    return response


@console.route("/account/two-factor/off", methods=["GET", "POST"])
def two_factor_off() -> ResponseReturnValue:
    if not g.coordinator.has_second_factor:
        return redirect(url_for("console.account"), 303)
    form = ConfirmForm()
    if form.validate_on_submit():
        try:
            _confirm_password(form.data["old"])
            with write_tx() as db_session:  # committed before, so that a wrong code stays counted
                two_factor.count_attempt(db_session, g.coordinator.id, now=now())
            with write_tx() as db_session:
                two_factor.turn_off(db_session, g.coordinator, form.data["code"], now=now())
        except Refused as refusal:
            refuse(form, refusal)
        else:
            flash(gettext("Two-factor sign-in is off. You now sign in with your password alone."))
            return redirect(url_for("console.account"), 303)
    return render("accounts/two_factor_off.html", form=form)
