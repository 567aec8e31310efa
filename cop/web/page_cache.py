"""Public pages that are the same for everybody: their bytes are kept until what they show changes.

A kept page is right because three things are looked at on each request, before any data is read:
the revision of what pages show, which every edit and every registration raises in its own
transaction, in whatever process; the moment at which the page changes by itself; and whatever the
address may vary. A page with a form or a person is never kept.

What is kept is answered before Flask, which alone takes as long as all of this.
"""

import time
from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterable
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property, lru_cache, partial, wraps
from hashlib import sha256
from threading import Lock
from typing import TYPE_CHECKING, Generic, ParamSpec, TypeVar
from urllib.parse import parse_qs

from flask import Flask, Response, g, request
from sqlalchemy.exc import SQLAlchemyError
from werkzeug.datastructures import Headers
from werkzeug.http import parse_etags

from cop.db.revision import Revision
from cop.i18n import LANGUAGES
from cop.web import request_log
from cop.web.assets import NEGOTIATED, compress, encoding
from cop.web.environ import IS_CACHEABLE
from cop.web.rendering import EMBED, THEMES, now
from cop.web.security import current_revision

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

MAX_ENTRIES = 200  # things on one shelf
T = TypeVar("T")


class Shelf(Generic[T]):
    """What one process keeps, by what it depends on; of too much, what was made first goes."""

    def __init__(self) -> None:
        self._kept: OrderedDict[Hashable, T] = OrderedDict()
        self._lock = Lock()

    def __len__(self) -> int:
        return len(self._kept)

    def get(self, key: Hashable) -> T | None:
        """What was put there, right or not."""
        return self._kept.get(key)

    def put(self, key: Hashable, made: T) -> None:
        """Keep it."""
        with self._lock:
            self._kept[key] = made
            self._kept.move_to_end(key)
            if len(self._kept) > MAX_ENTRIES:
                self._kept.popitem(last=False)


# RFC 9110, 15.4.5: the browser has all else. Programs of other sites are let read by the last one.
OF_304 = {"ETag", "Cache-Control", "Vary", "Access-Control-Allow-Origin"}
REVISION_KEY = "cop.seen"  # in the WSGI environment: as of what a page that may be kept is made
P = ParamSpec("P")
Key = tuple[object, ...]


@dataclass(frozen=True)
class Page:
    """An answer with the time in which it is right."""

    glance: Revision
    made_at: datetime
    until: datetime
    route: str | None
    body: bytes
    etag: str
    headers: list[tuple[str, str]]

    def is_right(self, glance: Revision, moment: datetime) -> bool:
        """Whether it would be made the same now. The clock may have been set back meanwhile."""
        return self.glance == glance and self.made_at <= moment < self.until

    def answer(self, known: str | None) -> tuple[str, list[tuple[str, str]], bytes]:
        """Status, headers and body for a browser that knows the pages of `If-None-Match`."""
        if known and (known == f'"{self.etag}"' or parse_etags(known).contains_weak(self.etag)):
            return "304 NOT MODIFIED", list(self.headers_of_304), b""
        return "200 OK", list(self.headers), self.body

    @cached_property
    def headers_of_304(self) -> list[tuple[str, str]]:
        return [each for each in self.headers if each[0] in OF_304]


class PageCacheMiddleware:
    """What stands before Flask: it answers with what is kept and right, and hands on all else."""

    def __init__(self, app: Flask, shelf: Shelf[Page]) -> None:
        self._behind: WSGIApplication = app.wsgi_app
        self._extensions = app.extensions
        self._shelf = shelf

    def __call__(
        self, environ: "WSGIEnvironment", start_response: "StartResponse"
    ) -> Iterable[bytes]:
        began = time.perf_counter()
        page = self._right(environ)
        if page is None:
            return self._behind(environ, start_response)
        status, headers, body = page.answer(environ.get("HTTP_IF_NONE_MATCH"))
        start_response(status, headers)
        method = environ["REQUEST_METHOD"]
        request_log.note(
            route=page.route, method=method, status=int(status[:3]), began=began,
            request_id=request_log.new_id(), remote=environ.get("REMOTE_ADDR"),
        )  # fmt: skip
        return [] if method == "HEAD" else [body]

    def _right(self, environ: "WSGIEnvironment") -> Page | None:
        if environ["REQUEST_METHOD"] not in {"GET", "HEAD"}:
            return None
        page = self._shelf.get(_key(environ)) if environ.get(IS_CACHEABLE) else None
        if page is None:
            return None
        glances, clock = self._extensions["cop.glances"], self._extensions["cop.clock"]
        try:
            is_right = page.is_right(glances.look(), clock())
        except SQLAlchemyError:
            return None  # Flask will meet the same, and says so with a page
        return page if is_right else None


def install(app: Flask) -> None:
    """Keep pages, and answer with them."""
    shelf = app.extensions["cop.kept"] = Shelf[Page]()
    app.after_request(partial(_store, shelf))
    app.wsgi_app = PageCacheMiddleware(app, shelf)  # type: ignore[method-assign]


def cached(view: Callable[P, Response]) -> Callable[P, Response]:
    """Let the answers of a view be kept; what it shows of the schedule it reads through `look`."""

    @wraps(view)
    def answer(*args: P.args, **arguments: P.kwargs) -> Response:
        request.environ[REVISION_KEY] = (
            current_revision(),
            now(),
        )  # before the data, which may be newer
        return view(*args, **arguments)

    return answer


def _store(shelf: Shelf[Page], response: Response) -> Response:
    """Keep an answer as it goes out, after everything else has added to it, if it may be kept."""
    if (
        REVISION_KEY not in request.environ
        or response.status_code != 200
        or response.cache_control.no_store
    ):
        return response
    page = _page(response)
    if request.method == "GET" and request.environ.get(IS_CACHEABLE):
        shelf.put(_key(request.environ), page)
    response.status, headers, response.data = page.answer(request.headers.get("If-None-Match"))
    response.headers = Headers(headers)
    return response


def _page(response: Response) -> Page:
    """The answer, as this browser takes it."""
    seen, made_at = request.environ[REVISION_KEY]
    wanted = _encoding(request.environ)
    response.vary.update(NEGOTIATED)
    if wanted:
        response.set_data(compress(response.get_data(), wanted, is_quick=True))
        response.headers["Content-Encoding"] = wanted
    # Of the headers, too: a browser takes no new ones from "not modified".
    whole = repr((response.headers.to_wsgi_list(), response.get_data()))
    etag = sha256(whole.encode()).hexdigest()[:32]
    response.set_etag(etag)
    headers = response.headers.to_wsgi_list()
    return Page(seen, made_at, g.changes_at, request.endpoint, response.get_data(), etag, headers)


def _key(environ: "WSGIEnvironment") -> Key:
    """All that a page depends on; what else a request says would only add equal entries.

    Not on its query but for language and theme, nor on htmx: these pages have no fragments. The
    scheme and the host, which are in links where there is no base address, have few values: see
    `environ.Normalizer`.
    """
    path = environ["PATH_INFO"]
    return (
        environ.get("SCRIPT_NAME"),
        path,
        _language_and_theme(
            environ.get("QUERY_STRING", ""), THEMES if path.startswith(EMBED) else THEMES[:1]
        ),
        environ["wsgi.url_scheme"],
        environ["HTTP_HOST"],
        _encoding(environ),
    )


@lru_cache(200)
def _language_and_theme(query: str, themes: tuple[str, ...]) -> tuple[str, str]:
    """The language and the theme in which a query asks for a page; of those unknown, the first."""
    given = parse_qs(query, keep_blank_values=True)
    language, theme = (given.get(name, [""])[0] for name in ("lang", "theme"))
    return (
        language if language in LANGUAGES else LANGUAGES[0],
        theme if theme in themes else themes[0],
    )


def _encoding(environ: "WSGIEnvironment") -> str:
    return encoding(environ.get("HTTP_ACCEPT_ENCODING", ""))
