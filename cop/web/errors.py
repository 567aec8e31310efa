"""Error pages: what happened and what to do next, as page or fragment."""

import logging
from functools import partial
from math import ceil

from flask import Flask, Response, current_app, g, make_response, redirect, request
from flask_limiter.errors import RateLimitExceeded
from flask_wtf.csrf import CSRFError
from sqlalchemy.exc import DBAPIError, IntegrityError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from werkzeug.exceptions import HTTPException, MethodNotAllowed, SecurityError

from cop.i18n import N_
from cop.web import security
from cop.web.forms import normalize_newlines
from cop.web.i18n import gettext, ngettext
from cop.web.rendering import current_community, is_console, render, wants_fragment
from cop.web.request_log import REQUEST_ID

log = logging.getLogger("cop.web")

RETRY_AFTER = 30  # seconds
_TRY_AGAIN = N_(
    "Please try again in a minute. If you were registering, you won't be registered twice."
)
_MESSAGES = {
    403: (N_("You don't have permission to see this"), N_("Go back, or use the button below.")),
    404: (N_("Page not found"), N_("Check the address, or use the button below.")),
    405: (N_("That didn't work"), N_("Go back and use the button.")),
    413: (
        N_("Your text is too long"),
        N_("Nothing was saved. Go back, shorten your text and send it again."),
    ),
    500: (N_("Something went wrong on our side"), _TRY_AGAIN),
    503: (N_("The site isn't available right now"), _TRY_AGAIN),
}
_DEFAULT_MESSAGE = (N_("That didn't work"), N_("Go back and try again."))
_SIGNED_OUT = (
    N_("Sign in to continue"),
    N_("This page is for coordinators. Nothing was changed."),
)
_CROSS_ORIGIN = (
    N_("You can't send this form from here"),
    N_("Nothing was saved. Open the form in a new tab and send it from there."),
)
_CROSS_ORIGIN_MEMBER = (
    N_("You can't do this from inside another site"),
    N_("Nothing was changed. Open the link from our email in a new tab."),
)
_EXPORT_FORBIDDEN = (
    N_("You don't have permission to download lists"),
    N_(
        "You can still see every roster. To get permission, ask a coordinator who can download "
        "lists."
    ),
)
_TOO_LARGE_A_FILE = (
    N_("This file is too large"),
    N_("Nothing was changed. Go back and choose the CSV file from Zoom. It can be up to 2 MB."),
)
_FORM_EXPIRED = (
    N_("This page was open for too long"),
    N_("Nothing was changed. Go back, reload the page and try again."),
)


def install(app: Flask) -> None:
    """Answer every error with a page."""
    app.register_error_handler(SecurityError, _untrusted_host)
    app.register_error_handler(HTTPException, _http_error)
    app.register_error_handler(SQLAlchemyError, _database_error)
    app.register_error_handler(OSError, partial(_fault, status=503))
    app.register_error_handler(Exception, partial(_fault, status=500))


def _untrusted_host(_error: SecurityError) -> Response:
    sentence = "This address doesn't work for this site. Administrators: set COP_BASE_URL to it.\n"
    response = make_response(sentence, 400)
    response.mimetype = "text/plain"
    return response


def _http_error(error: HTTPException) -> Response:
    if error.response is not None:  # a redirect, or a complete response
        return make_response(error.response)
    if isinstance(error, RateLimitExceeded):
        return _too_many_posts()
    if error.code == 404 and (address := _without_trailing_slash()):
        return make_response(redirect(address, 308))
    code = 403 if isinstance(error, CSRFError) else error.code or 500
    response = _show(*_translated(_message(error, code)), status=code)
    if isinstance(error, MethodNotAllowed) and error.valid_methods:
        response.allow.update(error.valid_methods)
    return response


def _without_trailing_slash() -> str | None:
    """Return the URL without its final slash, if there is such a page."""
    path, query = f"/{request.path.strip('/')}", request.query_string.decode()
    adapter = current_app.create_url_adapter(request)
    if not request.path.endswith("/") or not adapter or not adapter.test(path, request.method):
        return None
    return f"{path}?{query}" if query else path


def _message(error: HTTPException, code: int) -> tuple[str, str]:
    if isinstance(error, CSRFError):
        return _FORM_EXPIRED
    if isinstance(error, security.ExportForbidden):
        return _EXPORT_FORBIDDEN
    if code == 413 and request.mimetype == "multipart/form-data":
        return _TOO_LARGE_A_FILE
    if isinstance(error, security.CrossOriginPost) and (is_console() or not security.is_personal()):
        return _CROSS_ORIGIN
    if code == 403 and not g.get("coordinator"):
        return _SIGNED_OUT if is_console() else _CROSS_ORIGIN_MEMBER
    return _MESSAGES.get(code, _DEFAULT_MESSAGE)


def _too_many_posts() -> Response:
    seconds = security.seconds_until_next_post()
    title = gettext("Too many forms came from your network")
    sentence = ngettext(
        "Nothing was saved yet. Send the form again in %(num)s minute.",
        "Nothing was saved yet. Send the form again in %(num)s minutes.",
        ceil(seconds / 60),
    )
    return _show(title, sentence, status=429, retry_after=seconds)


def _database_error(error: SQLAlchemyError) -> Response:
    is_outage = isinstance(error, DBAPIError | PoolTimeout)
    return _fault(error, status=503 if is_outage and not isinstance(error, IntegrityError) else 500)


def _fault(error: Exception, *, status: int) -> Response:
    log.error("fault", exc_info=error, extra={"request_id": request.environ[REQUEST_ID]})
    return _show(*_translated(_MESSAGES[status]), status=status, retry_after=RETRY_AFTER)


def _translated(message: tuple[str, str]) -> tuple[str, str]:
    title, sentence = message
    return gettext(title), gettext(sentence)


def _show(title: str, sentence: str, *, status: int, retry_after: int | None = None) -> Response:
    try:
        # Not read after a fault, but shown if this request had read it before.
        community = current_community() if status < 500 else g.get("community")
    except SQLAlchemyError:
        community = None
    g.community = community
    response = render(
        "errors/error.html",
        fragment="errors/_error.html",
        status=status,
        title=title,
        sentence=sentence,
        request_id=request.environ[REQUEST_ID] if status >= 500 else "",
        preserved=_preserved_fields(status),
        has_form_elsewhere=status == 403 and not security.is_personal(),
        is_console=is_console(),
    )
    response.retry_after = retry_after
    if wants_fragment():  # show the error beside the form, so that what was typed stays
        response.headers["HX-Retarget"] = "#problem"
        response.headers["HX-Reswap"] = "innerHTML"
    return response


def _preserved_fields(status: int) -> list[tuple[str, str]]:
    """Return the values of a form that was not saved, to send them again.

    Not those of a cross-origin post (403), which nobody may have typed.
    """
    if request.method in security.SAFE or status not in {429, 500, 503} or is_console():
        return []
    return [(name, normalize_newlines(value)) for name, value in request.form.items(multi=True)]
