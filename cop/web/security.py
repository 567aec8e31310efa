"""Checks of every request, and security headers of every response."""

import ipaddress
import re
import time
from collections.abc import Callable
from typing import TypeVar, cast
from urllib.parse import urlsplit

from flask import Flask, Response, current_app, g, request
from flask_limiter import Limiter
from flask_wtf.csrf import CSRFProtect
from werkzeug.exceptions import Forbidden, RequestEntityTooLarge, SecurityError

from cop.config import LOOPBACK_NAMES
from cop.db.revision import Revision
from cop.web.environ import UNKNOWN
from cop.web.rendering import is_console, is_embedded, settings

SAFE = {"GET", "HEAD", "OPTIONS"}
FRAME_DESTINATIONS = {"iframe", "frame", "embed", "object"}
PERSONAL = ("/coordinator", "/r/", "/join/", "/list/", "/unsubscribe/")
# Email programs post to this path by themselves (RFC 8058), so without an Origin header.
ONE_CLICK_UNSUBSCRIBE = "/unsubscribe/"
# A public form may have this many different field names, and name-value pairs.
MAX_NAMES, MAX_PAIRS = 60, 200
MAX_FILE, MAX_PIECE, MAX_TEXTS = 2 * 1024 * 1024, 256 * 1024, 256 * 1024  # bytes
# Pages of other origins may load these, besides embedded pages. Static files are among them since
# a sandboxed frame has no origin: to the page in it, the site's own files are cross-origin.
CROSS_ORIGIN_PATHS = ("/embed.js", "/static/")
REFUSED_POSTS = 10  # the limit of refused posts is so many times that of accepted ones
PREVIEW = "/coordinator/embed/"  # prefix of the pages that preview an embedded page

CONTENT_SECURITY_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors "
)

# A host name may end with a dot, as in `https://cop.example.org.:8443`.
_FINAL_DOT = re.compile(r"\.(?=(:\d+)?$)")

View = TypeVar("View", bound=Callable[..., object])

csrf = CSRFProtect()


class ExportForbidden(Forbidden):
    """The coordinator may not export lists of people."""


class CrossOriginPost(Forbidden):
    """The form was sent from another site, or from inside another site's page."""


def limited(view: View) -> View:
    """Count posts to this view toward the hourly limit of the client's network."""
    return mark(view, "is_limited")


def takes_file(view: View) -> View:
    """Allow the view's form to have a file. For signed-in coordinators only."""
    return mark(view, "takes_file")


def takes_long_form(view: View) -> View:
    """Allow any number of fields, as for a roster. For signed-in coordinators only."""
    return mark(view, "takes_long_form")


def mark(view: View, name: str) -> View:
    """Set an attribute of a view, for checks that run before it.

    `functools.wraps` copies it to decorated views.
    """
    setattr(view, name, True)
    return view


def is_marked(name: str) -> bool:
    """Return whether the view of this request is marked."""
    return hasattr(current_app.view_functions.get(request.endpoint or ""), name)


def install(app: Flask) -> None:
    """Check every request, and add headers to every response."""
    csrf.init_app(app)
    app.before_request(_refuse_untrusted_hosts)
    app.before_request(_look_up_embed_hosts)
    app.before_request(_refuse_frames)
    app.before_request(_refuse_cross_origin_posts)
    app.before_request(_limit_bodies)
    app.after_request(_add_headers)


def is_personal() -> bool:
    """Return whether the request's URL is one that shows personal data."""
    return request.path.startswith(PERSONAL)


def network() -> str:
    """Return the client's network: an IPv4 address, or the /64 of an IPv6 one."""
    address = request.remote_addr or UNKNOWN
    return str(ipaddress.ip_network((address, 64), strict=False)) if ":" in address else address


def limit_posts(app: Flask) -> None:
    """Limit how many posts to `limited` views one network may send in an hour."""
    config = app.extensions["cop.settings"]
    limiter = app.extensions["cop.limiter"] = Limiter(
        network,
        app=app,
        storage_uri=config.redis_url or "memory://",
        strategy="moving-window",
        key_prefix="cop",
        enabled=config.posts_per_hour > 0,
        # While Redis is unavailable, each process counts for itself.
        in_memory_fallback_enabled=bool(config.redis_url),
    )
    limiter.request_filter(lambda: request.method in SAFE)  # these requests are not counted
    limit_accepted = limiter.shared_limit(
        f"{config.posts_per_hour} per hour",
        scope="public posts",
        deduct_when=lambda response: response.status_code < 400,
    )
    # Refused posts have a limit of their own, so that one person's typing mistakes do not lock out
    # everybody in their office, which may share one network.
    limit_refused = limiter.shared_limit(
        f"{REFUSED_POSTS * config.posts_per_hour} per hour",
        scope="refused public posts",
        deduct_when=lambda response: response.status_code >= 400,
    )
    for endpoint, view in app.view_functions.items():
        if hasattr(view, "is_limited"):
            app.view_functions[endpoint] = limit_accepted(limit_refused(view))  # type: ignore[assignment]


def seconds_until_next_post() -> int:
    """Return how long a network that has reached its limit has to wait."""
    limit = current_app.extensions["cop.limiter"].current_limit
    return max(1, limit.reset_at - int(time.time())) if limit else 60


def _refuse_untrusted_hosts() -> None:
    # Raised before all other checks, since their error pages need a trusted host. Flask itself
    # would raise it only after them.
    if isinstance(request.routing_exception, SecurityError):
        raise request.routing_exception


def current_revision() -> Revision:
    """Read the revision of the public pages, once per request."""
    if "revision" not in g:
        g.revision = current_app.extensions["cop.revision_reader"].current()
    return cast("Revision", g.revision)


def _look_up_embed_hosts() -> None:
    """Read the sites that may frame the response, even an error page."""
    if is_embedded():
        current_revision()


def _refuse_frames() -> None:
    if is_personal() and request.headers.get("Sec-Fetch-Dest") in FRAME_DESTINATIONS:
        raise Forbidden


def _refuse_cross_origin_posts() -> None:
    if request.method in SAFE or request.path.startswith(ONE_CLICK_UNSUBSCRIBE):
        return
    site, origin = request.headers.get("Sec-Fetch-Site"), request.headers.get("Origin")
    if site is not None:
        is_own = site == "same-origin"
    elif origin is not None:
        is_own = _is_own_origin(origin)
    else:
        is_own = not is_personal()
    if not is_own:
        raise CrossOriginPost


def _is_own_origin(origin: str) -> bool:
    if settings().base_url:
        return _FINAL_DOT.sub("", origin.lower()) == settings().base_url
    # Without a base URL only loopback hosts are trusted, so the port identifies the site.
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
    is_upload = is_marked("takes_file")
    if is_upload:
        request.max_content_length = MAX_FILE
        # Werkzeug buffers a file in chunks of up to the usual limit, and counts them against it.
        request.max_form_memory_size = MAX_PIECE
    elif is_console():
        # Room for long texts: in many scripts one letter takes nine bytes when it is URL-encoded.
        request.max_content_length = request.max_form_memory_size = MAX_TEXTS
    if request.method not in SAFE and not is_upload and not is_marked("takes_long_form"):
        values = request.form
        if len(values) > MAX_NAMES or sum(1 for _ in values.items(multi=True)) > MAX_PAIRS:
            raise RequestEntityTooLarge


def _add_headers(response: Response) -> Response:
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
    if request.path.startswith(CROSS_ORIGIN_PATHS) or is_embedded():
        headers["Cross-Origin-Resource-Policy"] = "cross-origin"
    if response.mimetype == "text/html":
        headers["Content-Security-Policy"] = _content_security_policy()
        response.vary.add("HX-Request")
    if is_personal():
        headers["Cross-Origin-Opener-Policy"] = "same-origin"
        headers["X-Robots-Tag"] = "noindex"
    return response


def _content_security_policy() -> str:
    # The sites are unknown if the database is unavailable: then only this site may frame its pages.
    hosts = g.revision.embed_hosts if "revision" in g else ()
    ancestors = ["'self'", *hosts] if is_embedded() else ["'none'"]
    preview = "; frame-src 'self'" if f"{request.path}/".startswith(PREVIEW) else ""
    return f"{CONTENT_SECURITY_POLICY}{' '.join(ancestors)}{preview}"
