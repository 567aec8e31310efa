"""The schedule, asked for again and again: whole, not modified, and first after a change."""

import time
from dataclasses import dataclass
from functools import partial
from io import BytesIO
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

from flask import Flask, Response

from tests.bench import load
from tests.bench.measuring import Figure, alternate, by_clock_and_cpu, compared
from tests.bench.sites import BENCH_SITE, SESSIONS, file_in, keep_answers, reference, site
from tests.processes.server import running

CLIENTS = 8
MOST_BYTES = 400  # of an answer that nothing has changed
LIKE_A_PAGE = 3_000  # bytes of an answer
PATH = "/schedule"


def measure(*, is_quick):
    """All figures about a page that is kept."""
    rounds, seconds = (3, 0.5) if is_quick else (11, 1.5)
    with TemporaryDirectory(prefix="cop-bench-") as name, site(file_in(Path(name))) as found:
        folder = Path(name)
        with running(folder, COP_DATABASE_URL=found.url, **BENCH_SITE) as server:
            yield from _served(server, folder, rounds=rounds, seconds=seconds)
            yield _stale(found, server, changes=10 if is_quick else 50)
        yield _after_a_change(found, rounds=15 if is_quick else 100)


def _served(server, folder, *, rounds, seconds):
    """Over HTTP, beside a constant of the same bytes."""
    whole = load.ask(server.port, load.get(PATH))
    again = load.get(PATH, If_None_Match=whole.headers["etag"])
    not_modified = load.ask(server.port, again)
    assert (whole.status, not_modified.status) == (200, 304)
    keep_answers(folder / "constant", whole, not_modified)
    rate = Rate(seconds)
    with (
        reference(folder / "constant", "constant", folder / "constant") as constant,
        reference(folder / "hello", "hello") as hello,
    ):
        what = "the load generator, on a bare hello; on the constant below"
        asked = (
            partial(rate, hello, load.get("/"), 200),
            partial(rate, constant, load.get("/"), 200),
        )
        yield next(by_clock_and_cpu(what, alternate(*asked, rounds=3), at_least=2))
        for status, ours, theirs in (
            (200, load.get(PATH), load.get("/")),
            (304, again, load.get("/304")),
        ):
            what = f"GET {PATH} with {SESSIONS} sessions, {status}; a Flask route of the same bytes"
            asked = partial(rate, server, ours, status), partial(rate, constant, theirs, status)
            yield from by_clock_and_cpu(what, alternate(*asked, rounds=rounds), at_least=0.75)
    size = not_modified.size
    yield Figure("a 304 on the wire", size, "bytes", f"<= {MOST_BYTES}", size <= MOST_BYTES)


@dataclass(frozen=True)
class Rate:
    """How fast a warm server answers."""

    seconds: float

    def __call__(self, server, request, status):
        load.run(server.port, [request] * 100, clients=CLIENTS)
        asked = load.for_seconds(self.seconds, request)
        return load.rates(server, asked, status, clients=CLIENTS)


def _stale(found, server, *, changes):
    """Change the page from this process, look at once, and count what was not new; all in seconds."""
    stale, etag = 0, ""
    for number in range(changes):
        topic = f"The topic number {number} of all"
        found.describe(found.slugs[0], topic)
        answer = load.ask(
            server.port, load.get(PATH, If_None_Match=etag, Accept_Encoding="identity")
        )
        stale += answer.status != 200 or topic.encode() not in answer.body
        etag = answer.headers["etag"]
    return Figure(f"answers that missed another process's change just before, of {changes}",
                  stale, "", "0", stale == 0)  # fmt: skip


def _after_a_change(found, *, rounds):
    """The CPU time of the first view after a change, in process, by that of a constant."""
    ours, constant = Called(found.app, PATH), Called(_constant(), "/")
    took, least = [], []
    for number in range(rounds + 3):
        found.describe(found.slugs[0], f"Topic {number}")
        took.append(ours.seconds() * 1000)
        least.append(median(constant.seconds() for _ in range(15)) * 1000)
    what = "first view after a change, CPU time; a constant Flask answer"
    return compared(what, "ms", took[3:], least[3:], at_most=12)  # the first ones compile


def _constant():
    app = Flask("constant")
    app.get("/")(lambda: Response(b"x" * LIKE_A_PAGE, mimetype="text/html"))
    return app


class Called:
    """An app, called as a server calls it, without the server."""

    def __init__(self, app, path):
        self.app, self.path = app, path

    def seconds(self):
        environ = self._environ()
        began = time.thread_time()
        answer = self.app(environ, self._start)
        body = b"".join(answer)
        answer.close()
        took = time.thread_time() - began
        assert body
        assert self.status == "200 OK"
        return took

    def _start(self, status, _headers, _fault=None):
        self.status = status

    def _environ(self):
        return {
            "REQUEST_METHOD": "GET", "SCRIPT_NAME": "", "PATH_INFO": self.path,
            "QUERY_STRING": "", "SERVER_NAME": "127.0.0.1", "SERVER_PORT": "80",
            "SERVER_PROTOCOL": "HTTP/1.1", "HTTP_HOST": "127.0.0.1", "REMOTE_ADDR": "127.0.0.1",
            "HTTP_ACCEPT_ENCODING": "gzip, deflate, br", "wsgi.version": (1, 0),
            "wsgi.url_scheme": "http", "wsgi.input": BytesIO(), "wsgi.errors": BytesIO(),
            "wsgi.multithread": True, "wsgi.multiprocess": False, "wsgi.run_once": False,
        }  # fmt: skip
