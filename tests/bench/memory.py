"""How much memory the site holds, after many visitors and after many more."""

from itertools import count, islice
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.bench import load
from tests.bench.measuring import Figure
from tests.bench.sites import BENCH_SITE, file_in, site
from tests.bench.usage import proportional_mb
from tests.processes import crowd
from tests.processes.server import running

CLIENTS = 8
MOST, MOST_GROWTH = 130, 5  # MB, percent


def measure(*, is_quick):
    """Proportional set size of all processes of `cop serve`: web, worker, and who watches them."""
    first, more = (2_000, 5_000) if is_quick else (10_000, 100_000)
    with (
        TemporaryDirectory(prefix="cop-bench-") as name,
        site(file_in(Path(name))) as found,
        running(name, COP_DATABASE_URL=found.url, **BENCH_SITE) as server,
    ):
        visits = _visits(found.slugs, crowd.token(server.base))
        before = _after(server, visits, first)
        after = _after(server, visits, more)
    yield Figure(f"memory of `cop serve` after {first:,} requests", before, "MB", f"< {MOST} MB",
                 before < MOST)  # fmt: skip
    growth = 100 * (after - before) / before
    yield Figure(f"its growth over the next {more:,}", growth, "%", f"< {MOST_GROWTH} %",
                 growth < MOST_GROWTH)  # fmt: skip


def _after(server, visits, requests):
    done = load.run(server.port, islice(visits, requests), clients=CLIENTS)
    assert set(done.statuses) <= {200, 303}, done.statuses
    return proportional_mb(server.processes())


def _visits(slugs, token):
    """What visitors ask for, again and again: mostly pages, now and then a form, some of them sent."""
    pages = [load.get(path) for path in ("/schedule", "/", "/schedule.ics", "/embed/schedule")]
    of_one = [load.get(f"/schedule/{slug}") for slug in slugs]
    for number in count():
        yield from pages * 10
        yield of_one[number % len(slugs)]
        yield load.get("/register")
        if number % 2:
            yield load.post("/register", crowd.form(number, token, slugs[number % len(slugs)]))
