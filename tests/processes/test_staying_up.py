"""Staying up: through silence, stalled clients, a locked database, and a restart under load."""

import functools
import os
import resource
import socket
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, suppress
from http.client import HTTPConnection

import pytest

from cop.db.engine import sqlite_file, sqlite_module
from tests.processes.crowd import crowd, form, token
from tests.processes.server import Server, running, wait_until

pytestmark = pytest.mark.both

SILENCE = 40  # seconds; some servers end idle threads after 30


def visit(server, path="/schedule", seconds=5):
    """Ask for a page as another visitor; return the status and how long it took."""
    began = time.monotonic()
    with closing(HTTPConnection("127.0.0.1", server.port, timeout=seconds)) as connection:
        connection.request("GET", path)
        response = connection.getresponse()
        response.read()
        return response.status, time.monotonic() - began


def test_after_a_silence_the_same_processes_answer(world, tmp_path):
    with running(tmp_path, workers=2, COP_DATABASE_URL=world.url) as server:
        with ThreadPoolExecutor(16) as visitors:
            before = list(visitors.map(lambda _: visit(server)[0], range(100)))
        processes = server.processes()

        time.sleep(SILENCE)
        after = [visit(server)[0] for _ in range(10)]

        assert set(before + after) == {200}
        assert server.processes() == processes


def stalled_post(server):
    """Send half of a form, and no more."""
    head = "POST /register HTTP/1.1\r\nHost: localhost\r\nContent-Length: 60000\r\n\r\nname=Ada"
    return _begun(server, head)


def slow_headers(server):
    return _begun(server, "GET /schedule HTTP/1.1\r\nHost: localhost\r\nX-")


def _begun(server, text):
    connection = socket.create_connection(("127.0.0.1", server.port), timeout=30)
    connection.sendall(text.encode())
    return connection


@pytest.mark.parametrize(("stall", "clients"), [(stalled_post, 200), (slow_headers, 300)])
def test_clients_that_stall_hold_up_nobody(sqlite_world, tmp_path, stall, clients):
    with (
        running(tmp_path, COP_DATABASE_URL=sqlite_world.url) as server,
        ExitStack() as stalled,
        crowd(server.base) as post,
    ):
        for _ in range(clients):
            stalled.enter_context(closing(stall(server)))
        answers = [visit(server) for _ in range(10)]
        [registered] = post([form(1, token(server.base))])

        assert {status for status, _ in answers} == {200}
        assert sorted(seconds for _, seconds in answers)[5] < 1
        assert registered.is_accepted


def test_a_request_that_is_coming_in_at_the_stop_is_answered(sqlite_world, tmp_path):
    with running(tmp_path, COP_DATABASE_URL=sqlite_world.url) as server:
        body = "name=Ada"
        head = f"POST /register HTTP/1.1\r\nHost: localhost\r\nContent-Length: {len(body)}\r\n\r\n"
        with closing(_begun(server, head + body[:4])) as connection:
            time.sleep(0.5)
            server.process.terminate()
            time.sleep(2)
            connection.sendall(body[4:].encode())

            assert connection.recv(12).startswith(b"HTTP/1.1 4")


def test_more_connections_than_files_may_be_open_only_wait(sqlite_world, tmp_path):
    few = functools.partial(resource.setrlimit, resource.RLIMIT_NOFILE, (256, 256))
    server = Server(tmp_path, COP_DATABASE_URL=sqlite_world.url)
    server.launch(preexec_fn=lambda: (os.setsid(), few()))
    try:
        wait_until(server.answers)
        with ExitStack() as idle:
            for _ in range(150):
                idle.enter_context(closing(_begun(server, "")))
            status, _ = visit(server, seconds=60)
    finally:
        server.stop()

    assert status == 200
    assert "Traceback" not in (tmp_path / "server.log").read_text()


def test_a_request_that_trickles_in_is_closed_after_ten_seconds(sqlite_world, tmp_path):
    with (
        running(tmp_path, COP_DATABASE_URL=sqlite_world.url) as server,
        closing(stalled_post(server)) as connection,
    ):
        began = time.monotonic()
        with suppress(OSError):  # reset or broken, as the system has it
            while time.monotonic() - began < 20:
                connection.sendall(b"a")
                time.sleep(0.2)

        assert 9 < time.monotonic() - began < 15


def test_readers_do_not_wait_behind_posts_that_wait_for_the_database(sqlite_world, tmp_path):
    with (
        running(tmp_path, COP_DATABASE_URL=sqlite_world.url) as server,
        crowd(server.base) as post,
        closing(sqlite_module.connect(sqlite_file(sqlite_world.url))) as other,
        ThreadPoolExecutor(1) as sender,
    ):
        sent = token(server.base)
        other.execute("BEGIN IMMEDIATE")
        posts = sender.submit(post, [form(number, sent) for number in range(8)])
        time.sleep(0.5)
        answers = [visit(server, path) for path in ("/schedule", "/register", "/", "/healthz") * 3]
        other.execute("ROLLBACK")

        assert {status for status, _ in answers} == {200}
        assert sorted(seconds for _, seconds in answers)[6] < 1
        assert all(answer.is_accepted for answer in posts.result())


class Held(Server):
    """A server whose listening socket is held by somebody else, as systemd does."""

    def __init__(self, *arguments, **values):
        super().__init__(*arguments, **values)
        self.socket = socket.create_server(("127.0.0.1", self.port), backlog=1024)

    @property
    def command(self):
        # As systemd does: the socket is descriptor 3, and the variables name this very process.
        held = (
            "import os, sys; os.environ['LISTEN_PID'] = str(os.getpid());"
            f"os.dup2({self.socket.fileno()}, 3); os.execv(sys.executable, sys.argv[1:])"
        )
        [python, *rest] = super().command
        return [python, "-c", held, python, *rest]

    def launch(self):
        self.environ |= {"LISTEN_FDS": "1"}
        super().launch(pass_fds=[self.socket.fileno()])


def test_a_restart_behind_a_held_socket_loses_no_request(sqlite_world, tmp_path):
    server = Held(tmp_path, COP_DATABASE_URL=sqlite_world.url).start()
    with closing(server.socket), crowd(server.base, 8) as post, ThreadPoolExecutor(9) as pool:
        sent = token(server.base)
        posts = pool.submit(post, [form(number, sent) for number in range(200)])
        visits = [pool.submit(_visits, server, keeps_connection=n % 2 == 0) for n in range(8)]
        for _ in range(2):
            time.sleep(1)
            server.stop()
            server.start()
        statuses = [status for each in visits for status in each.result()]
        answers = posts.result()
    server.stop()

    assert len(statuses) + len(answers) == 1_000
    assert set(statuses) == {200}
    assert all(answer.is_accepted for answer in answers)


def _visits(server, *, keeps_connection):
    statuses = []
    with closing(HTTPConnection("127.0.0.1", server.port, timeout=60)) as connection:
        for _ in range(100):
            time.sleep(0.05)
            connection.request("GET", "/schedule")
            response = connection.getresponse()
            response.read()
            statuses.append(response.status)
            if not keeps_connection:
                connection.close()
    return statuses
