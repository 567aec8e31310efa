"""From the command to the first answer, with a database that is there already."""

import time
from contextlib import suppress
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.bench import load
from tests.bench.measuring import alternate, compared
from tests.bench.sites import BENCH_SITE, Reference, file_in, site
from tests.processes.server import Server

AT_MOST = 9


def measure(*, is_quick):
    """How long `cop serve` takes to start, beside a bare WSGI function."""
    with TemporaryDirectory(prefix="cop-bench-") as name, site(file_in(Path(name))) as found:
        folder = Path(name)
        ours = partial(Server, folder, COP_DATABASE_URL=found.url, **BENCH_SITE)
        bare = partial(Reference, folder / "hello", "hello")
        asked = (
            partial(_seconds, ours, "/healthz"),
            partial(_seconds, bare, "/"),
            partial(_seconds, ours, "/schedule"),
        )
        for each in asked:
            each()  # so that everything is compiled
        first, hello, page = alternate(*asked, rounds=3 if is_quick else 9)
    what = "start of `cop serve` to its first answer; a bare hello on waitress"
    yield compared(what, "s", first, hello, at_most=AT_MOST)
    yield compared("the same, where that is the schedule", "s", page, hello)


def _seconds(make, path):
    server = make()
    began = time.perf_counter()
    server.launch()
    try:
        _wait_for_answer(server, load.get(path))
        return time.perf_counter() - began
    finally:
        server.stop()


def _wait_for_answer(server, request):
    until = time.monotonic() + load.SILENCE
    while time.monotonic() < until:
        with suppress(ConnectionRefusedError):
            assert load.ask(server.port, request).status == 200
            return
        time.sleep(0.002)
    raise AssertionError("it has not started")
