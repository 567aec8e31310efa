"""A load generator that costs little beside a server: raw sockets, requests made beforehand."""

import os
import re
import socket
import time
from collections import Counter
from contextlib import ExitStack, closing
from dataclasses import dataclass
from select import POLLIN, poll
from urllib.parse import urlencode

from tests.bench.usage import cpu_seconds

LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
BODILESS = {204, 304}
BROWSER = {"Accept-Encoding": "gzip, deflate, br", "Sec-Fetch-Site": "same-origin"}
SILENCE = 30  # seconds without an answer after which a server is given up


@dataclass(frozen=True)
class Load:
    """What became of many requests: how long they took, and how many got which status."""

    seconds: float
    statuses: Counter

    @property
    def rate(self):
        return self.statuses.total() / self.seconds


@dataclass(frozen=True)
class Answer:
    """One answer, as it came over the wire."""

    status: int
    head: bytes
    body: bytes

    @property
    def size(self):
        return len(self.head) + len(self.body)

    @property
    def headers(self):
        lines = self.head.decode("latin-1").split("\r\n")[1:]
        pairs = (line.partition(":") for line in lines if line)
        return {name.lower(): value.strip() for name, _, value in pairs}


def get(path, **headers):
    """The bytes of a request as a browser sends it, with names like `If_None_Match`."""
    return _request("GET", path, b"", headers)


def post(path, pairs):
    """The bytes of a form that is sent."""
    kind = {"Content-Type": "application/x-www-form-urlencoded"}
    return _request("POST", path, urlencode(pairs, doseq=True).encode(), kind)


def ask(port, request):
    """Send one request on a connection of its own; return the answer."""
    with closing(_connection(port)) as connection:
        connection.send(request)
        return connection.answer()


def run(port, requests, *, clients):
    """Send requests from so many clients, each the next one as soon as its last is answered."""
    waiting, statuses = iter(requests), Counter()
    with ExitStack() as stack:
        answers, open_ = poll(), {}
        for _ in range(clients):
            connection = stack.enter_context(closing(_connection(port)))
            answers.register(connection.number, POLLIN)
            open_[connection.number] = connection
        began = time.perf_counter()
        busy = sum(connection.send_next(waiting) for connection in open_.values())
        while busy:
            events = answers.poll(SILENCE * 1000)
            assert events, "the server does not answer"
            for number, _ in events:
                if status := open_[number].read():
                    statuses[status] += 1
                    if not open_[number].send_next(waiting):
                        answers.unregister(number)  # the server may close it now
                        busy -= 1
        return Load(time.perf_counter() - began, statuses)


def rates(server, requests, status, *, clients):
    """How many answers of a status a server gives: in a second, and in a second of its CPU time."""
    before = cpu_seconds(server.processes())
    done = run(server.port, requests, clients=clients)
    took = cpu_seconds(server.processes()) - before
    assert set(done.statuses) == {status}, done.statuses
    return done.rate, done.statuses.total() / took


def for_seconds(seconds, *requests):
    """The same requests in turn, over and over, until a time is over."""
    until = time.perf_counter() + seconds
    while time.perf_counter() < until:
        yield from requests


def _request(method, path, body, headers):
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    lines = [f"{method} {path} HTTP/1.1", "Host: 127.0.0.1"]
    lines += [f"{name}: {value}" for name, value in (BROWSER | named).items()]
    lines += [f"Content-Length: {len(body)}"] if method == "POST" else []
    return "\r\n".join([*lines, "", ""]).encode() + body


def _connection(port):
    return _Connection(socket.create_connection(("127.0.0.1", port), timeout=SILENCE))


class _Connection:
    """A connection that stays open, on which one request is under way at a time."""

    def __init__(self, connected):
        self.socket, self.got = connected, b""
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.number, self.port = connected.fileno(), connected.getpeername()[1]

    def send(self, request):
        if b"\r\nConnection: close\r\n" in self.got[:4000]:
            self._reopen()
        self.got = b""
        self.socket.sendall(request)

    def _reopen(self):
        """Connect again where the server has closed, under the same number (waitress: each 304)."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=SILENCE) as again:
            again.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            os.dup2(again.fileno(), self.number)

    def send_next(self, requests):
        """Send the next request; return whether there was one."""
        if (request := next(requests, None)) is None:
            return False
        self.send(request)
        return True

    def read(self):
        """Read what is there; return the status once the answer is complete, else nothing."""
        piece = self.socket.recv(262_144)
        assert piece, "the server has closed the connection"
        self.got += piece
        status, size = _measured(self.got)
        return status if len(self.got) >= size > 0 else 0

    def answer(self):
        """Wait for the whole answer."""
        while not self.read():
            pass
        head, end, body = self.got.partition(b"\r\n\r\n")
        return Answer(int(head[9:12]), head + end, body)

    def close(self):
        self.socket.close()


def _measured(got):
    """The status of an answer and how many bytes it has; nothing before its head is there."""
    end = got.find(b"\r\n\r\n")
    if end < 0:
        return 0, 0
    status = int(got[9:12])
    if status in BODILESS:
        return status, end + 4
    length = LENGTH.search(got, 0, end)
    assert length, "an answer that does not say how long it is"
    return status, end + 4 + int(length[1])
