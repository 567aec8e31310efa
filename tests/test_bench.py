"""What the measurements rest on: verdicts, the load generator, and references that do the same."""

from collections import Counter
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest

from cop.db.engine import sqlite_file
from cop.models.email import OutboxEmail
from cop.models.registration import Member, Registration, Submission
from tests.bench import bare_export, bare_registering, export_run, exports, load
from tests.bench.measuring import Figure, alternate, by_clock_and_cpu, compared, left_out, printed
from tests.client import DECEMBER, register, rows
from tests.databases import new_database


@pytest.mark.parametrize(
    ("rates", "verdict"),
    [
        ([80, 81, 82], "met"),
        ([30, 80, 130], "too noisy to judge"),
        ([30, 40, 130], "too noisy to judge"),
        ([74, 80, 81], "met"),
        ([74, 74, 76], "missed"),
        ([10, 30, 60], "missed"),  # noisy, but all of them missed it
        ([80, 120, 160], "met"),
    ],
)
def test_a_verdict_is_given_where_the_rounds_allow_one(rates, verdict):
    assert compared("pages", "a second", rates, [100] * 3, at_least=0.75).verdict == verdict


def test_a_time_may_be_so_many_times_its_reference():
    assert compared("start", "s", [8, 8, 8], [1, 1, 1], at_most=9).verdict == "met"
    assert compared("start", "s", [10, 10, 10], [1, 1, 1], at_most=9).verdict == "missed"
    assert compared("start", "s", [10, 10, 10], [1, 1, 1]).verdict == ""


def test_single_rounds_among_many_do_not_make_a_figure_noisy():
    rates = [80] * 20 + [1, 500]

    assert compared("pages", "a second", rates, [100] * 22, at_least=0.75).spread == 0


def test_rounds_alternate():
    done = []

    measured = alternate(*(lambda name=name: done.append(name) or name for name in "ab"), rounds=2)

    assert done == ["a", "b", "a", "b"]
    assert measured == [["a", "a"], ["b", "b"]]


def test_rates_by_the_clock_and_by_cpu_are_two_figures():
    clock, cpu = by_clock_and_cpu("pages", [[(50, 90)], [(100, 100)]], at_least=0.75)

    assert (clock.ratio, cpu.ratio) == (0.5, 0.9)


def test_the_table_shows_figures_with_and_without_reference_and_what_was_left_out():
    table = printed(
        [
            compared("pages", "a second", [80.0] * 3, [100.0] * 3, at_least=0.75),
            Figure("a 304", 185, "bytes", "<= 400", is_met=True),
            left_out("two", "nobody answers"),
        ]
    )

    assert table.splitlines()[2:] == [
        "| pages | 80 a second | 100 | 0.80 (± 0%) | at least 0.75 of it | met |",
        "| a 304 | 185 bytes |  |  | <= 400 | met |",
        "| two |  |  |  |  | nobody answers |",
    ]


class _Answering(BaseHTTPRequestHandler):
    """Answers in pieces, keeps connections open, and says whether a form came whole."""

    protocol_version = "HTTP/1.1"

    def do_GET(self):
        self._answer(304 if self.headers["If-None-Match"] else 200, b"x" * 70_000)

    def do_POST(self):
        sent = self.rfile.read(int(self.headers["Content-Length"]))
        self._answer(303 if sent == b"name=Ada+Example&hats=a&hats=b" else 422, b"")

    def _answer(self, status, body):
        body = b"" if status == 304 else body
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body[:10])
        self.wfile.write(body[10:])

    def log_message(self, *_):
        pass


@pytest.fixture
def port():
    with ThreadingHTTPServer(("127.0.0.1", 0), _Answering) as server:
        server.daemon_threads = True
        Thread(target=server.serve_forever, args=(0.01,)).start()
        yield server.server_port
        server.shutdown()


def test_the_load_generator_counts_whole_answers_by_their_status(port):
    form = load.post("/register", {"name": "Ada Example", "hats": ["a", "b"]})
    requests = [load.get("/"), load.get("/", If_None_Match='"x"'), form] * 20

    done = load.run(port, requests, clients=4)

    assert done.statuses == Counter({200: 20, 304: 20, 303: 20})


def test_an_answer_is_taken_apart(port):
    answer = load.ask(port, load.get("/"))

    assert (answer.status, answer.headers["content-length"]) == (200, "70000")
    assert answer.body == b"x" * 70_000
    assert answer.size == len(answer.head) + 70_000


@pytest.mark.sqlite
def test_the_reference_for_registering_writes_the_rows_that_the_site_writes(client, database_url):
    register(client, DECEMBER)
    answers = {"name": "Grace", "email": "grace@example.org"}
    bare = bare_registering.app(sqlite_file(database_url)).test_client()

    response = bare.post("/register", data=answers | {"sessions": DECEMBER})

    assert response.location.startswith("/registered?form=")
    assert [len(rows(model)) for model in (Member, Registration, OutboxEmail, Submission)] == [
        2
    ] * 4


def test_the_reference_for_the_export_writes_the_bytes_that_the_site_writes(tmp_path):
    file = sqlite_file(new_database("sqlite", tmp_path, begun=True))
    exports.fill(file, 1200)

    export_run.ours(file, tmp_path / "ours")
    bare_export.as_exported(file, tmp_path / "bare")

    assert (tmp_path / "ours").read_bytes() == (tmp_path / "bare").read_bytes()
    assert (tmp_path / "ours").read_bytes().count(b"\r\n") == 1201
