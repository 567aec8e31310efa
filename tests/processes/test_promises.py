"""What the README promises, tried on real servers with real databases.

The sizes are those of each push; `pytest -n 0 -m full` runs the same at full size.
"""

import random
import threading
import time
from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest

from tests.processes.crowd import crowd, form, token
from tests.processes.server import Server, running

pytestmark = pytest.mark.both

FULL = pytest.mark.full


@pytest.mark.parametrize(
    ("people", "kills"),
    [(1000, 5), pytest.param(10_000, 50, marks=FULL)],
    ids=["each push", "full size"],
)
def test_what_was_accepted_survives_kill_9_of_any_process(world, tmp_path, people, kills):
    server = Server(tmp_path, workers=2, COP_DATABASE_URL=world.url).start()
    accepted = set()

    with crowd(server.base) as post, Killer(server, kills) as killer:
        sent = token(server.base)
        waiting = list(range(people))
        while waiting:
            answers = post([form(number, sent, "all") for number in waiting[:50]])
            accepted |= {answer.email for answer in answers if answer.is_accepted}
            if not any(answer.status for answer in answers):
                time.sleep(0.05)  # it is starting again, on the same cores
            waiting = [n for n in waiting if f"person{n}@example.org" not in accepted]
            killer.allow()
    server.stop()

    assert killer.killed == kills
    assert len(accepted) == people
    kept = Counter((email, meeting) for email, meeting, _ in world.registrations())
    assert set(kept.values()) == {1}
    assert {email for email, _ in kept} == accepted
    assert len(kept) == 6 * people
    assert sorted(world.confirmations()) == sorted(accepted)


class Killer:
    """Kills a process of the server now and then, each kind in turn, and starts it again."""

    def __init__(self, server, kills):
        self.server, self.kills, self.killed = server, kills, 0
        self.turn, self.over = threading.Event(), threading.Event()
        self.random = random.Random(11)
        self.thread = threading.Thread(target=self._run)

    def __enter__(self):
        self.thread.start()
        return self

    def allow(self):
        """Some people have been served since the last kill."""
        self.turn.set()

    def _run(self):
        while self.killed < self.kills and not self.over.is_set():
            self.turn.wait()
            self.turn.clear()
            time.sleep(self.random.uniform(0.05, 0.4))
            processes = self.server.processes()
            victim = processes[self.killed % len(processes)]
            self.server.kill(victim)
            self.killed += 1
            if victim == self.server.process.pid:
                self.server.start()

    def __exit__(self, *_):
        while self.killed < self.kills and self.thread.is_alive():
            self.turn.set()
            time.sleep(0.1)
        self.over.set()
        self.turn.set()
        self.thread.join()


def test_a_form_sent_eight_times_at_once_registers_once(world, tmp_path):
    forms, slug = 200, world.meeting()

    with running(tmp_path, workers=2, COP_DATABASE_URL=world.url) as server:
        sent = [form(number, token(server.base), slug) for number in range(forms)]
        with crowd(server.base) as post:
            answers = post([one for one in sent for _ in range(8)])

    assert {answer.status for answer in answers} == {303}
    assert len({(answer.email, answer.location) for answer in answers}) == forms
    kept = Counter((email, meeting) for email, meeting, _ in world.registrations())
    assert set(kept.values()) == {1}
    assert len(kept) == forms
    assert len(set(world.confirmations())) == len(world.confirmations()) == forms


ROUNDS = [pytest.param(10, id="each push"), pytest.param(100, id="full size", marks=FULL)]


@pytest.mark.parametrize("rounds", ROUNDS)
@pytest.mark.parametrize("workers", [1, 3])
def test_no_meeting_is_ever_oversold(world, tmp_path, workers, rounds):
    start = datetime.now(UTC) + timedelta(days=400)
    slugs = [world.meeting(capacity=20, starts_at=start + timedelta(days=n)) for n in range(rounds)]

    with running(tmp_path, workers=workers, COP_DATABASE_URL=world.url) as server:
        sent = token(server.base)
        with crowd(server.base, size=64) as post:
            answers = [
                answer
                for slug in slugs
                for answer in post([form(number, sent, slug) for number in range(64)])
            ]

    assert {answer.status for answer in answers} == {303}
    taken = Counter((meeting, status) for _, meeting, status in world.registrations())
    assert sorted(set(taken.values())) == [20, 44]
    assert {taken[key] for key in taken if key[1] == "held"} == {20}
    assert len(taken) == 2 * rounds
    assert world.promised() == {"held": 20 * rounds, "waiting": 44 * rounds}


def test_stopping_and_starting_again_asks_nothing_and_loses_nothing(sqlite_world, tmp_path):
    with running(tmp_path, COP_DATABASE_URL=sqlite_world.url) as server, crowd(server.base) as post:
        old = token(server.base)
        post([form(1, old)])

    with running(tmp_path, COP_DATABASE_URL=sqlite_world.url) as server, crowd(server.base) as post:
        again = post([form(1, old), form(2, old)])

    assert [answer.status for answer in again] == [303, 303]
    assert len(sqlite_world.registrations()) == 12
