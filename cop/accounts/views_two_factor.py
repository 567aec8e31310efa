"""Two-factor sign-in: setting it up, turning it off, and the code at signing in."""

from collections.abc import Sequence
from io import BytesIO

from flask import Response, abort, flash, g, make_response, redirect, request, session, url_for
from flask.typing import ResponseReturnValue
from pyotp import random_base32
from wtforms import PasswordField

from cop.accounts import sign_in
from cop.accounts import two_factor as accounts_two_factor
from cop.accounts.access_control import TOKEN, open_before_two_factor, open_to_all
from cop.accounts.two_factor import SecondFactorResult
from cop.accounts.views_account import confirm_password
from cop.accounts.views_sign_in import safe_next_path, start, throttled
from cop.db.engine import read_tx, write_tx
from cop.errors import Refused, SignInExpired
from cop.i18n import N_
from cop.web.blueprints import console
from cop.web.forms import ConsoleForm, Required, line
from cop.web.i18n import gettext, ngettext, refusal_text
from cop.web.rendering import current_community, now, render

PENDING = "second factor"  # in the cookie, until a code shows that the app has it


class CodeForm(ConsoleForm):
    """A code of the app, or a recovery code where that is said."""

    code = line(60, Required(N_("Write the code.")))


class ConfirmForm(CodeForm):
    """What it takes to turn it on or off: a browser that was left open is not enough."""

    old = PasswordField(validators=[Required(N_("Write your password."))])


@console.get("/account/two-factor")
@open_before_two_factor
def two_factor() -> ResponseReturnValue:
    if g.coordinator.has_second_factor:
        return redirect(url_for("console.account"), 303)
    session.setdefault(PENDING, random_base32())
    return _set_up_page(ConfirmForm())


@console.post("/account/two-factor")
@open_before_two_factor
def send_two_factor() -> ResponseReturnValue:
    form = ConfirmForm()
    secret = session.get(PENDING)
    if secret is None:
        return redirect(url_for("console.two_factor"), 303)
    if not form.validate():
        return _set_up_page(form)
    try:
        confirm_password(form.old.data or "")
        with write_tx() as db_session:
            codes = accounts_two_factor.set_up(
                db_session, g.coordinator, secret=secret, typed=form.code.data or "", now=now()
            )
            sign_in.sign_out_others(db_session, g.coordinator.id, token=session[TOKEN])
    except Refused as refusal:
        form.refuse(refusal, at="" if refusal.field in form else "old")
        return throttled(_set_up_page(form), refusal)
    session.pop(PENDING)
    return _page("accounts/recovery_codes.html", codes=codes)


@console.get("/account/two-factor/qr.svg")
@open_before_two_factor
def two_factor_qr() -> Response:
    """The picture that a phone reads: its own file, since the pages allow nothing inside them."""
    import segno  # noqa: PLC0415 - for this picture alone

    picture = BytesIO()
    segno.make(_address(session.get(PENDING) or abort(404)), micro=False).save(
        picture, kind="svg", border=4, dark="#000", light="#fff", xmldecl=False
    )
    response = make_response(picture.getvalue())
    response.mimetype = "image/svg+xml"
    response.cache_control.no_store = True
    return response


def _address(secret: str) -> str:
    issuer = current_community().short_name
    return accounts_two_factor.provisioning_uri(secret, issuer=issuer, account=g.coordinator.email)


def _set_up_page(form: CodeForm) -> Response:
    secret = session[PENDING]
    groups = " ".join(secret[at : at + 4] for at in range(0, len(secret), 4))
    return _page(
        "accounts/two_factor.html",
        form=form,
        groups=groups,
        address=_address(secret),
    )


def _page(
    page: str, *, form: CodeForm | None = None, groups: str = "",
    address: str = "", codes: Sequence[str] = (),
) -> Response:  # fmt: skip
    return render(
        page, form=form, groups=groups, address=address,
        codes=codes, way_on=safe_next_path(),
    )  # fmt: skip


@console.get("/account/two-factor/off")
def two_factor_off() -> ResponseReturnValue:
    if not g.coordinator.has_second_factor:
        return redirect(url_for("console.account"), 303)
    return _page("accounts/two_factor_off.html", form=ConfirmForm())


@console.post("/account/two-factor/off")
def send_two_factor_off() -> ResponseReturnValue:
    form, page = ConfirmForm(), "accounts/two_factor_off.html"
    if not form.validate():
        return _page(page, form=form)
    try:
        confirm_password(form.old.data or "")
        with write_tx() as db_session:
            accounts_two_factor.count_try(db_session, g.coordinator.id, now=now())
        with write_tx() as db_session:
            accounts_two_factor.turn_off(db_session, g.coordinator, form.code.data or "", now=now())
    except Refused as refusal:
        form.refuse(refusal, at="" if refusal.field in form else "old")
        return throttled(_page(page, form=form), refusal)
    flash(gettext("Two-factor sign-in is off. Your password alone signs you in."))
    return redirect(url_for("console.account"), 303)


@console.get("/sign-in/code")
@open_to_all
def sign_in_code() -> ResponseReturnValue:
    try:
        with read_tx() as db_session:
            accounts_two_factor.pending_sign_in(db_session, session.get(TOKEN, ""), now=now())
    except SignInExpired:
        return redirect(url_for("console.sign_in", next=request.args.get("next")), 303)
    return _page("accounts/sign_in_code.html", form=CodeForm())


@console.post("/sign-in/code")
@open_to_all
def send_sign_in_code() -> ResponseReturnValue:
    form = CodeForm()
    if not form.validate():
        return _page("accounts/sign_in_code.html", form=form)
    try:
        entered = _enter(session.get(TOKEN, ""), form.code.data or "")
    except SignInExpired as refusal:
        flash(refusal_text(refusal))
        return redirect(url_for("console.sign_in", next=request.args.get("next")), 303)
    except Refused as refusal:
        form.refuse(refusal)
        return throttled(_page("accounts/sign_in_code.html", form=form), refusal)
    start(entered.token)
    if entered.recovery_codes_left is not None:
        flash(_remaining_codes_message(entered.recovery_codes_left))
    return redirect(safe_next_path(), 303)


def _enter(token: str, typed: str) -> SecondFactorResult:
    with write_tx() as db_session:  # counted first, and in a transaction that stays
        accounts_two_factor.begin(db_session, token, now=now())
    with write_tx() as db_session:
        return accounts_two_factor.finish(db_session, token, typed, now=now())


def _remaining_codes_message(codes: int) -> str:
    return ngettext(
        "You used a recovery code. %(num)s is left.",
        "You used a recovery code. %(num)s are left.",
        codes,
    )
