"""The console: what coordinators see and do. Nobody gets past its door who is not signed in."""

from flask import g, make_response, redirect, request, session, url_for
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import Forbidden

from cop.accounts import accounts
from cop.accounts.accounts import CurrentCoordinator
from cop.db.engine import read_tx, write_tx
from cop.web.blueprints import console
from cop.web.rendering import is_console, now, wants_fragment
from cop.web.security import SAFE, ExportForbidden, csrf

TOKEN = "coordinator"  # noqa: S105 - the name of the token in the cookie, not the token
PUBLIC_VIEWS = {
    *("console.sign_in", "console.send_sign_in"),
    *("console.set_up", "console.send_set_up"),
    *("console.ask_password", "console.send_ask_password"),
    *("console.choose_password", "console.send_choose_password"),
    *("console.sign_in_code", "console.send_sign_in_code"),
    *("console.invitation", "console.send_invitation"),
}
# What is left to whoever has to set up a second factor before anything else.
TWO_FACTOR_SETUP_VIEWS = {
    "console.two_factor",
    "console.send_two_factor",
    "console.two_factor_qr",
    "console.sign_out",
}


@console.before_app_request
def require_sign_in() -> ResponseReturnValue | None:
    """Deny by default: what lies below the console's path is for signed-in coordinators only.

    By the path, so that nobody else learns which addresses and methods exist there.
    """
    if not is_console():
        return None
    g.coordinator = _signed_in()
    _touch_session()
    if request.endpoint not in PUBLIC_VIEWS:
        if g.coordinator is None:
            return _redirect_to_sign_in("console.sign_in")
        if g.coordinator.must_set_up and request.endpoint not in TWO_FACTOR_SETUP_VIEWS:
            return _redirect_to_sign_in("console.two_factor")
    if request.method not in SAFE:
        csrf.protect()
    return None


def exporting_or_403() -> None:
    """Let only those on who may take lists of people away."""
    if not g.coordinator.may_export:
        raise ExportForbidden


def _signed_in() -> CurrentCoordinator | None:
    token = session.get(TOKEN)
    if not token:
        return None
    with read_tx() as db_session:
        return accounts.find_signed_in(db_session, token, now=now())


def _redirect_to_sign_in(endpoint: str) -> ResponseReturnValue:
    """Lead to what has to be done before anything else, and then on to where they wanted to go."""
    if wants_fragment():
        response = make_response("", 204)
        response.headers["HX-Redirect"] = url_for(endpoint)
        return response
    if request.method not in SAFE:
        raise Forbidden
    path = request.full_path.rstrip("?")
    return redirect(url_for(endpoint, next=path), 303)


def _touch_session() -> None:
    """An hour without a request signs a device out: so note each request, once a minute at most."""
    minute = int(now().timestamp() // 60)
    if g.coordinator and session.get("noted", 0) < minute:
        with write_tx() as db_session:
            accounts.touch_session(db_session, session[TOKEN], now=now())
        session["noted"] = minute
