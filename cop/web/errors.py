"""Error pages: what happened and what to do next, as a page or as a fragment."""

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
from cop.web.i18n import gettext
from cop.web.rendering import current_community, is_console, render, wants_fragment
from cop.web.request_log import REQUEST_ID

log = logging.getLogger("cop.web")

RETRY_AFTER = 30  # seconds
_TRY_AGAIN = N_(
    "It was not your doing. Please try again in a minute: the same form sent twice counts once."
)
_MESSAGES = {
    403: (N_("This is not for you to see"), N_("You may have to sign in first.")),
    404: (
        N_("There is nothing at this address"),
        N_("It may have been mistyped, or the page has moved. All we offer is on the schedule."),
    ),
    405: (
        N_("This address works differently"),
        N_("Please go back to the page before and use its button or its link."),
    ),
    413: (
        N_("That was more than this form can take"),
        N_("Nothing was saved. Please go back, shorten what you wrote, and send it again."),
    ),
    429: (
        N_("Too many forms came from your network"),
        N_(
            "Nothing was saved yet. Whole offices can share one network, so it was hardly your "
            "doing. Please send the form again in %(minutes)s minutes, or write to us."
        ),
    ),
    500: (N_("Something went wrong on our side"), _TRY_AGAIN),
    503: (N_("We cannot answer at the moment"), _TRY_AGAIN),
}
_DEFAULT_MESSAGE = (
    N_("We could not make sense of this"),
    N_("Please go back to the page before and try again."),
)
_CROSS_ORIGIN = (
    N_("This form cannot be sent from inside this page"),
    N_("Nothing was saved. Open the form on its own page, and it will work there."),
)
_CROSS_ORIGIN_MEMBER = (
    N_("This cannot be done from another site's page"),
    N_("Nothing was changed. Open the link from our mail in a window of its own."),
)
_EXPORT_FORBIDDEN = (
    N_("Your account may not take lists away"),
    N_(
        "It shows you every roster, and takes none away as a file or to paste. If you need that, "
        "ask %(name)s to allow it."
    ),
)
_TOO_LARGE_A_FILE = (
    N_("This file is too large"),
    N_(
        "A participants report has less than 2 MB. Nothing was changed. Please go back, and choose "
        "the CSV file that Zoom's Export button gives."
    ),
)
_FORM_EXPIRED = (
    N_("This page had been open for too long"),
    N_("Nothing was changed. Please go back, reload the page, and do it again."),
)


def install(app: Flask) -> None:
    """Answer every error with a page."""
    app.register_error_handler(SecurityError, _untrusted_host)
    app.register_error_handler(HTTPException, _http_error)
    app.register_error_handler(SQLAlchemyError, _database_error)
    app.register_error_handler(OSError, partial(_fault, status=503))
    app.register_error_handler(Exception, partial(_fault, status=500))


def _untrusted_host(_error: SecurityError) -> Response:
    sentence = "This site does not answer to this name. Its administrator sets COP_BASE_URL.\n"
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
    response = _show(_message(error, code), status=code)
    if isinstance(error, MethodNotAllowed) and error.valid_methods:
        response.allow.update(error.valid_methods)
    return response


def _without_trailing_slash() -> str | None:
    """Return the address without its final slash, if there is a page."""
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
    if code == 403 and security.is_personal() and not is_console():
        return _CROSS_ORIGIN_MEMBER
    if isinstance(error, security.CrossOriginPost) and not security.is_personal():
        return _CROSS_ORIGIN
    return _MESSAGES.get(code, _DEFAULT_MESSAGE)


def _too_many_posts() -> Response:
    seconds = security.seconds_until_next_post()
    return _show(_MESSAGES[429], status=429, retry_after=seconds, minutes=ceil(seconds / 60))


def _database_error(error: SQLAlchemyError) -> Response:
    is_outage = isinstance(error, DBAPIError | PoolTimeout)
    return _fault(error, status=503 if is_outage and not isinstance(error, IntegrityError) else 500)


def _fault(error: Exception, *, status: int) -> Response:
    log.error("fault", exc_info=error, extra={"request_id": request.environ[REQUEST_ID]})
    return _show(_MESSAGES[status], status=status, retry_after=RETRY_AFTER)


def _show(
    message: tuple[str, str], *, status: int, retry_after: int | None = None, **values: object
) -> Response:
    try:
        community = current_community() if status < 500 else None
    except SQLAlchemyError:
        community = None
    g.community = community
    title, sentence = message
    response = render(
        "errors/error.html",
        fragment="errors/_error.html",
        status=status,
        title=gettext(title),
        sentence=gettext(sentence, name=community.contact_name if community else "", **values),
        shows_contact=status == 429,
        preserved=_preserved_fields(status),
        has_form_elsewhere=status == 403 and not security.is_personal(),
        is_console=is_console(),
    )
    response.retry_after = retry_after
    if wants_fragment():  # the error must not replace what was typed
        response.headers["HX-Retarget"] = "#problem"
        response.headers["HX-Reswap"] = "innerHTML"
    return response


def _preserved_fields(status: int) -> list[tuple[str, str]]:
    """Return what was typed into a rejected form, to send it again unchanged.

    Nothing of a cross-origin post (403), whose values nobody typed here.
    """
    if request.method in security.SAFE or status not in {429, 500, 503} or is_console():
        return []
    return [(name, normalize_newlines(value)) for name, value in request.form.items(multi=True)]
