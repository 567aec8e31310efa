"""What every request must pass and every answer must carry."""

import ipaddress
import re
import time
from typing import cast
from urllib.parse import urlsplit

from flask import Flask, Response, current_app, g, request
from flask.typing import ResponseReturnValue
from flask_limiter import Limiter
from flask_wtf.csrf import CSRFProtect
from werkzeug.exceptions import Forbidden, RequestEntityTooLarge, SecurityError

from cop.config import LOOPBACK_NAMES
from cop.db.revision import Revision
from cop.web.environ import UNKNOWN
from cop.web.rendering import is_console, is_embedded, settings

SAFE = {"GET", "HEAD", "OPTIONS"}
FRAMEABLE_ENDPOINTS = {"iframe", "frame", "embed", "object"}
PERSONAL = ("/coordinator", "/r/", "/join/", "/list/", "/unsubscribe/")
# Mail programs post here by themselves (RFC 8058), with nothing that says where they come from.
ONE_CLICK_UNSUBSCRIBE = "/unsubscribe/"
RATE_LIMITED = {"submit", "send_link", "send_ask_password"}
MAX_NAMES, MAX_PAIRS = 60, 200
# Forms that ask about everybody on a roster, and the one that takes a file. They are read behind
# the console's door only, so that nobody else can send that much.
LONG = {"send_attendance", "keep_report", "send_rooms"}
UPLOAD_ENDPOINTS = {"send_report"}
MAX_FILE, MAX_PIECE, MAX_TEXTS = 2 * 1024 * 1024, 256 * 1024, 256 * 1024  # bytes
# What pages of other origins may load, besides what is made for their frames. A sandboxed frame is
# of no origin, so that even our own pages' files are another's to it.
COMMON_HEADERS = ("/embed.js", "/static/")
PREVIEW = "/coordinator/embed/"  # and below: the page that shows a frame of ours

CONTENT_SECURITY_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors "
)

_FINAL_DOT = re.compile(r"\.(?=(:\d+)?$)")  # cop.example.org. is another way to write the name

csrf = CSRFProtect()


class ExportForbidden(Forbidden):
    """A coordinator who may not take lists of people away."""


class CrossOriginPost(Forbidden):
    """A form that was sent from another site, or from inside another site's page."""


def install(app: Flask) -> None:
    """Put the checks before, and the headers behind, every request."""
    csrf.init_app(app)
    app.before_request(_refuse_other_names)
    app.before_request(_look_up_embed_hosts)
    app.before_request(_refuse_frames)
    app.before_request(_refuse_cross_origin_posts)
    app.before_request(_limit_bodies)
    app.after_request(_add_headers)
    app.extensions["cop.limiter"] = _limiter(app)


def is_personal() -> bool:
    """Whether this address shows personal data."""
    return request.path.startswith(PERSONAL)


def network() -> str:
    """The network a request comes from: an IPv4 address, or the /64 of an IPv6 one."""
    address = request.remote_addr or UNKNOWN
    return str(ipaddress.ip_network((address, 64), strict=False)) if ":" in address else address


def _limiter(app: Flask) -> Limiter:
    found = app.extensions["cop.settings"]
    limiter = Limiter(
        network,
        app=app,
        storage_uri=found.redis_url or "memory://",
        strategy="moving-window",
        key_prefix="cop",
        enabled=found.posts_per_hour > 0,
        # Redis gone is no reason to turn people away: each process counts for itself meanwhile.
        in_memory_fallback_enabled=bool(found.redis_url),
    )
    limiter.request_filter(lambda: request.method in SAFE)  # only posts are limited: no look at all
    return limiter


def limit_posts(app: Flask) -> None:
    """Limit how many public forms an hour one network may send, wherever the form stands."""
    limiter: Limiter = app.extensions["cop.limiter"]
    limit = limiter.shared_limit(
        f"{app.extensions['cop.settings'].posts_per_hour} per hour", scope="public posts"
    )
    for endpoint, view in app.view_functions.items():
        if endpoint.rpartition(".")[2] in RATE_LIMITED:
            app.view_functions[endpoint] = limit(view)  # type: ignore[assignment]


def seconds_until_next_post() -> int:
    """How long a network that has reached its limit has to wait."""
    limit = current_app.extensions["cop.limiter"].current_limit
    return max(1, limit.reset_at - int(time.time())) if limit else 60


def _refuse_other_names() -> None:
    # Found by Flask before, but raised only after the checks below, whose pages need a known name.
    if isinstance(request.routing_exception, SecurityError):
        raise request.routing_exception


def current_revision() -> Revision:
    """How the public pages stand, looked at anew for each request, so that no change is missed."""
    if "glance" not in g:
        g.glance = current_app.extensions["cop.glances"].look()
    return cast("Revision", g.glance)


def _look_up_embed_hosts() -> None:
    """Before anything is refused: the page around the frame may show refusals, too."""
    if is_embedded():
        current_revision()


def _refuse_frames() -> None:
    if is_personal() and request.headers.get("Sec-Fetch-Dest") in FRAMEABLE_ENDPOINTS:
        raise Forbidden


def _refuse_cross_origin_posts() -> None:
    if request.method in SAFE or request.path.startswith(ONE_CLICK_UNSUBSCRIBE):
        return
    site, origin = request.headers.get("Sec-Fetch-Site"), request.headers.get("Origin")
    if site is not None:
        is_ours = site == "same-origin"
    elif origin is not None:
        is_ours = _is_own_origin(origin)
    else:
        is_ours = not is_personal()
    if not is_ours:
        raise CrossOriginPost


def _is_own_origin(origin: str) -> bool:
    if settings().base_url:
        return _FINAL_DOT.sub("", origin.lower()) == settings().base_url
    # Without a base address only names of this machine are answered: the port makes the site.
    try:
        parts = urlsplit(origin)
        port = parts.port
    except ValueError:
        return False
    host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname
    return (
        parts.scheme == request.scheme
        and host in LOOPBACK_NAMES
        and port == urlsplit(request.host_url).port
    )


def _limit_bodies() -> None:
    form = (request.endpoint or "").removeprefix("console.")
    if form in UPLOAD_ENDPOINTS:
        request.max_content_length = MAX_FILE
        # Werkzeug reads files in pieces as large as the usual limit, and counts what it held back.
        request.max_form_memory_size = MAX_PIECE
    elif is_console():
        # Long texts, in scripts of which a form sends nine bytes for a letter.
        request.max_content_length = request.max_form_memory_size = MAX_TEXTS
    if request.method not in SAFE and form not in UPLOAD_ENDPOINTS | LONG:
        values = request.form
        if len(values) > MAX_NAMES or sum(1 for _ in values.items(multi=True)) > MAX_PAIRS:
            raise RequestEntityTooLarge


def _add_headers(response: Response) -> ResponseReturnValue:
    headers = response.headers
    headers["X-Content-Type-Options"] = "nosniff"
    headers["Referrer-Policy"] = "same-origin"
    headers["Permissions-Policy"] = "camera=(), microphone=(), geolocation=()"
    if settings().is_https:
        headers["Strict-Transport-Security"] = "max-age=31536000"
    if is_embedded():
        headers["Cross-Origin-Embedder-Policy"] = "require-corp"
    else:
        headers["X-Frame-Options"] = "DENY"
    if request.path.startswith(COMMON_HEADERS) or is_embedded():
        headers["Cross-Origin-Resource-Policy"] = "cross-origin"
    if response.mimetype == "text/html":
        headers["Content-Security-Policy"] = _content_security_policy()
        response.vary.add("HX-Request")
    if is_personal():
        headers["Cross-Origin-Opener-Policy"] = "same-origin"
        headers["X-Robots-Tag"] = "noindex"
    return response


def _content_security_policy() -> str:
    # Without the list, as when the database is away, nobody but ourselves.
    hosts = g.glance.embed_hosts if "glance" in g else ()
    ancestors = ["'self'", *hosts] if is_embedded() else ["'none'"]
    preview = "; frame-src 'self'" if f"{request.path}/".startswith(PREVIEW) else ""
    return f"{CONTENT_SECURITY_POLICY}{' '.join(ancestors)}{preview}"
