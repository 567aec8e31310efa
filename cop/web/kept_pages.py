"""Public pages that are the same for everybody: their bytes are kept until what they show changes.

A kept page is right because three things are looked at on each request, before any data is read:
the revision of what pages show, which every edit and every registration raises in its own
transaction, in whatever process; the moment at which the page changes by itself; and whatever the
address may vary. A page with a form or a person is never kept.
"""

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from functools import wraps
from hashlib import sha256
from threading import Lock
from typing import ParamSpec, cast

from flask import Flask, Response, current_app, g, request

from cop.web.compression import NEGOTIATED, compressed, encoding
from cop.web.rendering import language, now, theme, wants_fragment
from cop.web.security import glance

MOST = 200  # pages in one process
P = ParamSpec("P")


@dataclass(frozen=True)
class Page:
    """An answer with the time in which it is right."""

    revision: int
    made_at: datetime
    until: datetime
    body: bytes
    etag: str
    headers: dict[str, str]
    encoded: dict[str, bytes] = field(default_factory=dict)

    def is_right(self, revision: int, moment: datetime) -> bool:
        """Whether it would be made the same now. The clock may have been set back meanwhile."""
        return self.revision == revision and self.made_at <= moment < self.until

    def answer(self) -> Response:
        """The page as this browser takes it, or that it has it already."""
        wanted = encoding()
        etag = f"{self.etag}-{wanted}" if wanted else self.etag
        headers = self.headers | {"ETag": f'"{etag}"'}
        if "If-None-Match" in request.headers and request.if_none_match.contains_weak(etag):
            return Response(status=304, headers=headers)
        if not wanted:
            return Response(self.body, headers=headers)
        if wanted not in self.encoded:
            self.encoded[wanted] = compressed(self.body, wanted, is_quick=True)
        return Response(self.encoded[wanted], headers=headers | {"Content-Encoding": wanted})


class Shelf:
    """The kept pages of one process; of too many, the one that was made first goes."""

    def __init__(self) -> None:
        self._pages: OrderedDict[object, Page] = OrderedDict()
        self._lock = Lock()

    def __len__(self) -> int:
        return len(self._pages)

    def get(self, key: object) -> Page | None:
        """The page with this key, right or not."""
        return self._pages.get(key)

    def put(self, key: object, page: Page) -> None:
        """Keep a page."""
        with self._lock:
            self._pages[key] = page
            self._pages.move_to_end(key)
            if len(self._pages) > MOST:
                self._pages.popitem(last=False)


def install(app: Flask) -> None:
    """Give the app its shelf."""
    app.extensions["cop.kept"] = Shelf()


def kept(view: Callable[P, Response]) -> Callable[P, Response]:
    """Let the answers of a view be kept; what it shows of the schedule it reads through `look`."""

    @wraps(view)
    def answer(*args: P.args, **arguments: P.kwargs) -> Response:
        revision, moment = glance().revision, now()  # before the data, which may be newer
        shelf = cast("Shelf", current_app.extensions["cop.kept"])
        key = (request.endpoint, tuple(arguments.values()), *_varied())
        page = shelf.get(key)
        if page is None or not page.is_right(revision, moment):
            response = view(*args, **arguments)
            if response.status_code != 200 or response.cache_control.no_store:
                return response
            page = _page(response, revision, moment)
            shelf.put(key, page)
        return page.answer()

    return answer


def _varied() -> tuple[object, ...]:
    """What one address may be answered by, besides what it names."""
    return language(), theme(), wants_fragment(), request.host_url, glance().embed_hosts


def _page(response: Response, revision: int, moment: datetime) -> Page:
    body = response.get_data()
    # A browser may not take new headers from "not modified": other hosts are another answer.
    etag = sha256(body + repr(glance().embed_hosts).encode()).hexdigest()[:32]
    response.vary.update(NEGOTIATED)
    headers = {name: value for name, value in response.headers if name != "Content-Length"}
    return Page(revision, moment, g.changes_at, body, etag, headers)
