"""The console: what coordinators see and do. Nobody gets past its door who is not signed in."""

from collections.abc import Sequence

from flask import Blueprint, g, make_response, redirect, request, session, url_for
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import Forbidden

from cop.db import read_tx, write_tx
from cop.domain import coordinators
from cop.domain import record as audit_log
from cop.domain.coordinators import SignedIn
from cop.web.rendering import CONSOLE, is_console, now, wants_fragment
from cop.web.security import SAFE, NotExporting, csrf

console = Blueprint("console", "cop", url_prefix=CONSOLE)

TOKEN = "coordinator"  # noqa: S105 - the name of the token in the cookie, not the token
OPEN_TO_ALL = {
    *("console.sign_in", "console.send_sign_in"),
    *("console.set_up", "console.send_set_up"),
    *("console.ask_password", "console.send_ask_password"),
    *("console.choose_password", "console.send_choose_password"),
    *("console.sign_in_code", "console.send_sign_in_code"),
    *("console.invitation", "console.send_invitation"),
}
# What is left to whoever has to set up a second factor before anything else.
SETTING_UP = {
    "console.two_factor",
    "console.send_two_factor",
    "console.two_factor_qr",
    "console.sign_out",
}


@console.before_app_request
def _door() -> ResponseReturnValue | None:
    """Deny by default: what lies below the console's path is for signed-in coordinators only.

    By the path, so that nobody else learns which addresses and methods exist there.
    """
    if not is_console():
        return None
    g.coordinator = _signed_in()
    _note_use()
    if request.endpoint not in OPEN_TO_ALL:
        if g.coordinator is None:
            return _ask_first("console.sign_in")
        if g.coordinator.must_set_up and request.endpoint not in SETTING_UP:
            return _ask_first("console.two_factor")
    if request.method not in SAFE:
        csrf.protect()
    return None


def exporting_or_403() -> None:
    """Let only those on who may take lists of people away."""
    if not g.coordinator.may_export:
        raise NotExporting


def note_viewing(what: str, meeting_id: int | None = None, columns: Sequence[str] = ()) -> None:
    """Write down that who is signed in looks at personal data, or takes them away."""
    with write_tx() as db_session:
        audit_log.note_viewing(
            db_session, g.coordinator.id, what, now=now(), meeting_id=meeting_id, columns=columns
        )


def _signed_in() -> SignedIn | None:
    token = session.get(TOKEN)
    if not token:
        return None
    with read_tx() as db_session:
        return coordinators.signed_in(db_session, token, now=now())


def _ask_first(endpoint: str) -> ResponseReturnValue:
    """Lead to what has to be done before anything else, and then on to where they wanted to go."""
    if wants_fragment():
        response = make_response("", 204)
        response.headers["HX-Redirect"] = url_for(endpoint)
        return response
    if request.method not in SAFE:
        raise Forbidden
    path = request.full_path.rstrip("?")
    return redirect(url_for(endpoint, next=path), 303)


def _note_use() -> None:
    """An hour without a request signs a device out: so note each request, once a minute at most."""
    minute = int(now().timestamp() // 60)
    if g.coordinator and session.get("noted", 0) < minute:
        with write_tx() as db_session:
            coordinators.seen(db_session, session[TOKEN], now=now())
        session["noted"] = minute


from cop.web.console import (  # noqa: E402 - they add their views
    access,  # noqa: F401
    account,  # noqa: F401
    accounts,  # noqa: F401
    adding,  # noqa: F401
    attendance,  # noqa: F401
    by_hand,  # noqa: F401
    cancelling,  # noqa: F401
    clock_check,  # noqa: F401
    editing,  # noqa: F401
    embedding,  # noqa: F401
    export,  # noqa: F401
    invitations,  # noqa: F401
    mail,  # noqa: F401
    mailing_list,  # noqa: F401
    numbers,  # noqa: F401
    passwords,  # noqa: F401
    person,  # noqa: F401
    placing,  # noqa: F401
    record,  # noqa: F401
    report,  # noqa: F401
    rhythm,  # noqa: F401
    rooms,  # noqa: F401
    roster,  # noqa: F401
    sessions,  # noqa: F401
    settings,  # noqa: F401
    sign_in,  # noqa: F401
    takeaways,  # noqa: F401
    two_factor,  # noqa: F401
    writing,  # noqa: F401
)
