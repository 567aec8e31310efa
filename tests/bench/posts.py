"""Registering: as fast as the server takes it, from one client and from sixteen."""

import time
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from sqlalchemy import func, select

from cop.db.engine import read_tx, sqlite_file
from cop.models.email import OutboxEmail
from cop.models.registration import Registration
from tests import databases
from tests.bench import load
from tests.bench.measuring import Figure, alternate, by_clock_and_cpu, compared, left_out
from tests.bench.sites import BENCH_SITE, file_in, reference, site
from tests.processes import crowd
from tests.processes.server import running

NO_POSTGRESQL = "left out: PostgreSQL does not answer at 127.0.0.1:5432"


def measure(*, is_quick):
    """All figures about registering."""
    rounds, seconds = (3, 0.4) if is_quick else (7, 3)
    with TemporaryDirectory(prefix="cop-bench-") as name, ExitStack() as stack:
        folder = Path(name)
        ours = stack.enter_context(posting(folder / "sqlite", file_in(folder)))
        bare = stack.enter_context(_bare(folder))
        others = [bare]
        if databases.postgresql_answers():
            others.append(stack.enter_context(_on_postgresql(folder)))
        for clients in (1, 16):
            yield from _figures(ours, others, clients, seconds=seconds, rounds=rounds)
        yield ours.missing()


def _figures(ours, others, clients, *, seconds, rounds):
    measured = alternate(
        *(lambda each=each: each.rates(seconds, clients=clients) for each in (ours, *others)),
        rounds=rounds,
    )
    who = "one client" if clients == 1 else f"{clients} clients"
    what = f"registrations accepted, {who}; a Flask route with the same inserts"
    yield from by_clock_and_cpu(what, measured[:2], at_least=0.5)
    what = f"registrations on PostgreSQL, {who}; on SQLite"
    if len(measured) < 3:
        yield left_out(what, NO_POSTGRESQL)
        return
    by_clock = [[by_clock for by_clock, _ in measured[at]] for at in (2, 0)]
    yield compared(what, "a second", *by_clock, at_least=0.8)


@dataclass
class Posting:
    """A server that takes registrations, and those that were sent to it."""

    server: object
    slugs: tuple
    token: str = ""
    found: object = None
    sent: int = 0
    mail_port: int = 0  # where its workers hand mail over, once somebody listens there

    def rates(self, seconds, *, clients):
        """Send forms for a while; return how many were taken a second, by clock and by CPU."""
        return load.rates(self.server, self._forms(seconds), 303, clients=clients)

    def _forms(self, seconds):
        """Another person's form each time."""
        until = time.perf_counter() + seconds
        while time.perf_counter() < until:
            number, self.sent = self.sent, self.sent + 1
            answers = crowd.form(number, self.token, self.slugs[number % len(self.slugs)])
            yield load.post("/register", answers)

    def missing(self):
        """How many of those who were told that they are registered are not, or have no mail."""
        with self.found.app.app_context(), read_tx() as db_session:
            kept = [db_session.scalar(select(func.count(model.id)))
                    for model in (Registration, OutboxEmail)]  # fmt: skip
        missing = sum(abs(self.sent - each) for each in kept)
        return Figure(f"registrations or confirmations that are not there, of {self.sent}",
                      missing, "", "0", missing == 0)  # fmt: skip


@contextmanager
def posting(folder, url, **settings):
    """`cop serve` on a new database, with a form's token; its worker has nowhere to send mail."""
    folder.mkdir()
    settings = BENCH_SITE | settings
    with site(url) as found, running(folder, COP_DATABASE_URL=url, **settings) as server:
        yield Posting(server, found.slugs, crowd.token(server.base), found)


@contextmanager
def _bare(folder):
    url = file_in(folder)
    with site(url) as found, reference(folder / "bare", "registering", sqlite_file(url)) as server:
        yield Posting(server, found.slugs)


@contextmanager
def _on_postgresql(folder):
    url = databases.new_database("postgresql", folder)
    try:
        with posting(folder / "postgresql", url) as each:
            yield each
    finally:
        databases.drop(url)
