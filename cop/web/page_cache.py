"""Cache of public pages that are the same for everybody.

A request is answered with a cached page if the page is still current: if the revision, which every
edit and registration raises in its transaction, is the same, and the time has not come at which
the page changes by itself. The key has everything in the request that the page depends on. Pages
with a form or personal data are never cached.

Cached pages are served by a middleware before Flask, whose own work would double the time.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache, partial, wraps
from hashlib import sha256
from threading import Lock
from typing import TYPE_CHECKING, ParamSpec
from urllib.parse import parse_qs

from flask import Flask, Response, g, request
from sqlalchemy.exc import SQLAlchemyError
from werkzeug.datastructures import Headers
from werkzeug.http import parse_etags

from cop.db.revision import Revision
from cop.i18n import LANGUAGES
from cop.web import assets, rendering
from cop.web.environ import IS_CACHEABLE
from cop.web.request_log import ROUTE
from cop.web.security import current_revision

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

MAX_ENTRIES = 200
# RFC 9110, 15.4.5, requires the first three; the browser has stored all others with the page. The
# last one allows scripts of other origins to read a 304, too.
HEADERS_OF_304 = {"ETag", "Cache-Control", "Vary", "Access-Control-Allow-Origin"}
SEARCHABLE = "/schedule/past"  # end of the paths of pages that can be searched
RENDERED_FROM = "cop.rendered_from"  # WSGI environ key: the page's revision and time
P = ParamSpec("P")


@dataclass(frozen=True)
class Page:
    """A cached response, with what decides whether it is current."""

    revision: Revision
    rendered_at: datetime
    expires_at: datetime
    route: str | None
    body: bytes
    etag: str
    headers: list[tuple[str, str]]

    def is_current(self, revision: Revision, now: datetime) -> bool:
        """Whether rendering would give the same page; not if the clock went back."""
        return self.revision == revision and self.rendered_at <= now < self.expires_at

    def respond(self, if_none_match: str | None) -> tuple[str, list[tuple[str, str]], bytes]:
        """Return status, headers and body for this `If-None-Match`."""
        if if_none_match and (
            if_none_match == f'"{self.etag}"' or parse_etags(if_none_match).contains_weak(self.etag)
        ):
            headers = [header for header in self.headers if header[0] in HEADERS_OF_304]
            return "304 NOT MODIFIED", headers, b""
        return "200 OK", list(self.headers), self.body


class PageCache:
    """The cached pages of this process; only the `MAX_ENTRIES` stored last are kept."""

    def __init__(self) -> None:
        self._pages: dict[object, Page] = {}
        self._lock = Lock()

    def __len__(self) -> int:
        return len(self._pages)

    def get(self, key: object) -> Page | None:
        """Return the page, current or not."""
        return self._pages.get(key)

    def put(self, key: object, page: Page) -> None:
        """Store a page as the newest."""
        with self._lock:
            self._pages.pop(key, None)
            self._pages[key] = page
            if len(self._pages) > MAX_ENTRIES:
                del self._pages[next(iter(self._pages))]


class PageCacheMiddleware:
    """WSGI middleware that answers with current cached pages."""

    def __init__(self, app: Flask, cache: PageCache) -> None:
        self._app: WSGIApplication = app.wsgi_app
        self._extensions = app.extensions
        self._cache = cache

    def __call__(
        self, environ: "WSGIEnvironment", start_response: "StartResponse"
    ) -> Iterable[bytes]:
        page = self._current_page(environ)
        if page is None:
            return self._app(environ, start_response)
        status, headers, body = page.respond(environ.get("HTTP_IF_NONE_MATCH"))
        environ[ROUTE] = page.route
        start_response(status, headers)
        return [] if environ["REQUEST_METHOD"] == "HEAD" else [body]

    def _current_page(self, environ: "WSGIEnvironment") -> Page | None:
        if environ["REQUEST_METHOD"] not in {"GET", "HEAD"} or not _is_stored(environ):
            return None
        page = self._cache.get(_key(environ))
        if page is None:
            return None
        reader, clock = self._extensions["cop.revision_reader"], self._extensions["cop.clock"]
        try:
            return page if page.is_current(reader.current(), clock()) else None
        except SQLAlchemyError:
            return None  # the view will fail for the same reason, and Flask renders an error page


def install(app: Flask) -> None:
    """Cache pages, and answer with them."""
    cache = app.extensions["cop.page_cache"] = PageCache()
    app.after_request(partial(_store, cache))
    app.wsgi_app = PageCacheMiddleware(app, cache)  # type: ignore[method-assign]


def cached(view: Callable[P, Response]) -> Callable[P, Response]:
    """Cache the responses of a view.

    The view must call `read_schedule`, which sets the expiry.
    """

    @wraps(view)
    def respond(*args: P.args, **kwargs: P.kwargs) -> Response:
        # Read before the data. After a change in between, the page counts as outdated; read after
        # the data, an outdated page would count as current.
        request.environ[RENDERED_FROM] = (current_revision(), rendering.now())
        return view(*args, **kwargs)

    return respond


def _store(cache: PageCache, response: Response) -> Response:
    """Cache the response as it goes out, after everything else has added its headers."""
    is_page = RENDERED_FROM in request.environ and response.status_code == 200
    if not is_page or response.cache_control.no_store:
        return response
    page = _build_page(response)
    if request.method == "GET" and _is_stored(request.environ):
        cache.put(_key(request.environ), page)
    response.status, headers, response.data = page.respond(request.headers.get("If-None-Match"))
    response.headers = Headers(headers)
    return response


def _build_page(response: Response) -> Page:
    """Compress the response for this browser, and build the page to cache."""
    revision, rendered_at = request.environ[RENDERED_FROM]
    encoding = _encoding(request.environ)
    response.vary.update(assets.VARY_BY_ENCODING)
    if encoding:
        response.set_data(assets.compress(response.get_data(), encoding, is_quick=True))
        response.headers["Content-Encoding"] = encoding
    # The ETag covers the headers, too: after a 304 the browser would go on using the old ones.
    headers_and_body = repr((response.headers.to_wsgi_list(), response.get_data()))
    etag = sha256(headers_and_body.encode()).hexdigest()[:32]
    response.set_etag(etag)
    return Page(
        revision,
        rendered_at,
        g.next_change_at,
        request.endpoint,
        response.get_data(),
        etag,
        response.headers.to_wsgi_list(),
    )


def _key(environ: "WSGIEnvironment") -> tuple[object, ...]:
    """Return the cache key: everything in a request that a page depends on.

    Of the query string, that is the language and the theme. `HX-Request` is left out, since these
    pages have no fragments. Scheme and host are included, since links contain them if there is no
    base URL; `environ.Normalizer` makes sure that they have few different values.
    """
    path = environ["PATH_INFO"]
    # Pages outside of frames have only one theme.
    themes = rendering.THEMES if path.startswith(rendering.EMBED) else rendering.THEMES[:1]
    return (
        environ.get("SCRIPT_NAME"),
        path,
        _language_and_theme(environ.get("QUERY_STRING", ""), themes),
        environ["wsgi.url_scheme"],
        environ["HTTP_HOST"],
        _encoding(environ),
    )


@lru_cache(200)
def _language_and_theme(query: str, themes: tuple[str, ...]) -> tuple[str, str]:
    """Return the language and theme of a query string, or the defaults."""
    values = parse_qs(query, keep_blank_values=True)
    language, theme = (values.get(name, [""])[0] for name in ("lang", "theme"))
    return (
        language if language in LANGUAGES else LANGUAGES[0],
        theme if theme in themes else themes[0],
    )


def _is_stored(environ: "WSGIEnvironment") -> bool:
    """Return whether the cache may hold the page: for our own hosts, and no results of a search.

    These depend on `q`, which the key leaves out, so that searches cannot fill the cache.
    """
    is_searchable = environ["PATH_INFO"].endswith(SEARCHABLE)
    is_search = is_searchable and "q" in parse_qs(environ.get("QUERY_STRING", ""))
    return bool(environ.get(IS_CACHEABLE)) and not is_search


def _encoding(environ: "WSGIEnvironment") -> str:
    return assets.encoding(environ.get("HTTP_ACCEPT_ENCODING", ""))
