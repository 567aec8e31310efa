"""The first view of the schedule: how many requests, how many bytes; and the second."""

from pathlib import Path
from tempfile import TemporaryDirectory

from bs4 import BeautifulSoup

from tests.bench import load
from tests.bench.measuring import Figure
from tests.bench.sites import BENCH_SITE, file_in, site
from tests.processes.server import running

PATH = "/schedule"
MOST_REQUESTS, MOST_TO_READ, MOST = 4, 10, 24  # the last ones in KB


def measure(*, is_quick):
    """What a browser fetches, which takes brotli; its answers are counted with their heads."""
    with (
        TemporaryDirectory(prefix="cop-bench-") as name,
        site(file_in(Path(name))) as found,
        running(name, COP_DATABASE_URL=found.url, **BENCH_SITE) as server,
    ):
        page = load.ask(server.port, load.get(PATH))
        text = load.ask(server.port, load.get(PATH, Accept_Encoding="identity")).body
        linked = {path: load.ask(server.port, load.get(path)) for path in _linked(text)}
        again = load.ask(server.port, load.get(PATH, If_None_Match=page.headers["etag"]))
    yield from _figures(page, linked)
    asked_again = sum(
        "immutable" not in answer.headers["cache-control"] for answer in linked.values()
    )
    is_met = again.status == 304 and asked_again == 0
    yield Figure(f"requests of a repeat view, the first a {again.status}", 1 + asked_again, "",
                 "one 304", is_met)  # fmt: skip


def _linked(html):
    """What a page makes its browser fetch, the icon aside."""
    soup = BeautifulSoup(html, "html5lib")
    styles = [link["href"] for link in soup.find_all("link", rel="stylesheet")]
    return dict.fromkeys(
        [*styles, *(each["src"] for each in soup.find_all(["script", "img", "iframe"], src=True))]
    )


def _figures(page, linked):
    answers = [page, *linked.values()]
    assert {answer.status for answer in answers} == {200}
    count, is_small = len(answers), all(_is_brotli(answer) for answer in answers)
    yield Figure(f"requests of the first view of {PATH}", count, "", f"<= {MOST_REQUESTS}",
                 count <= MOST_REQUESTS)  # fmt: skip
    styles = [each for path, each in linked.items() if path.partition("?")[0].endswith(".css")]
    to_read = sum(answer.size for answer in (page, *styles)) / 1000
    yield Figure("its HTML and CSS", to_read, "KB", f"< {MOST_TO_READ} KB, brotli",
                 is_small and to_read < MOST_TO_READ)  # fmt: skip
    everything = sum(answer.size for answer in answers) / 1000
    yield Figure("all of it", everything, "KB", f"< {MOST} KB, brotli",
                 is_small and everything < MOST)  # fmt: skip


def _is_brotli(answer):
    return answer.headers.get("content-encoding") == "br"
