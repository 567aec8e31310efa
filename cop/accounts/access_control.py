"""Access to the console: denied unless signed in or the view allows it."""

from flask import g, make_response, redirect, request, session, url_for
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import Forbidden

from cop.accounts import login_sessions
from cop.db.engine import read_tx, write_tx
from cop.web import preserved_form
from cop.web.blueprints import console
from cop.web.rendering import current_community, is_console, now, wants_fragment
from cop.web.security import SAFE, ExportForbidden, View, csrf, is_marked, mark

TOKEN = "coordinator"  # noqa: S105 - the name of the token in the cookie, not the token


def open_to_all(view: View) -> View:
    """Allow everybody to open a view of the console, signed in or not."""
    return mark(view, "is_open_to_all")


def open_before_two_factor(view: View) -> View:
    """Allow a view before the required second factor is set up."""
    return mark(view, "is_open_before_two_factor")


def requires_export(view: View) -> View:
    """Refuse a view to coordinators who may not export lists of people."""
    return mark(view, "requires_export")


def check_may_export() -> None:
    """Refuse coordinators who may not export lists of people."""
    if not g.coordinator.may_export:
        raise ExportForbidden


@console.before_app_request
def require_sign_in() -> ResponseReturnValue | None:
    """Deny by default: only signed-in coordinators may open paths of the console.

    The path decides, not the endpoint, so that the answer does not tell others which paths and
    methods exist there.
    """
    if not is_console():
        return None
    g.coordinator = None
    if token := session.get(TOKEN):
        with read_tx() as db_session:
            g.coordinator = login_sessions.find_signed_in(db_session, token, now=now())
    _touch_session()
    if not is_marked("is_open_to_all"):
        if g.coordinator is None:
            return _ask_to_sign_in()
        if preserved_form.FIELD in request.form:
            preserved_form.show_again(g.coordinator.id)
        if _needs_two_factor() and not is_marked("is_open_before_two_factor"):
            return _redirect_to("console.two_factor")
    if request.method not in SAFE:
        csrf.protect()
    if is_marked("requires_export"):
        check_may_export()
    return None


def _ask_to_sign_in() -> ResponseReturnValue | None:
    if request.headers.get("HX-Source", "").startswith("div"):
        return "", 204  # a preview: the page with what was typed stays
    if request.method in SAFE or preserved_form.OWNER_ID not in session:
        return _redirect_to("console.sign_in")
    csrf.protect()  # so the form was made for the coordinator whom the cookie names
    preserved_form.ask_to_sign_in(session[preserved_form.OWNER_ID])
    return None


def _needs_two_factor() -> bool:
    return current_community().two_factor_required and not g.coordinator.has_second_factor


def _redirect_to(endpoint: str) -> ResponseReturnValue:
    """Redirect to the page that must come first; its `next` leads back here."""
    if wants_fragment():
        response = make_response("", 204)
        response.headers["HX-Redirect"] = url_for(endpoint)
        return response
    if request.method not in SAFE:
        raise Forbidden
    path = request.full_path.rstrip("?")
    return redirect(url_for(endpoint, next=path), 303)


def _touch_session() -> None:
    """Record the use of this device, since an hour without use signs it out.

    At most once a minute, so that not every request writes to the database.
    """
    minute = int(now().timestamp() // 60)
    if g.coordinator and session.get("noted", 0) < minute:
        with write_tx() as db_session:
            login_sessions.touch_session(db_session, session[TOKEN], now=now())
        session["noted"] = minute
