"""The README's promises about email, tested with real workers, a mail server and kill -9."""

import random
import subprocess
import sys
from collections import Counter
from datetime import UTC, datetime
from email import message_from_bytes

import pytest

from cop.models.email import MailState
from cop.operations.worker import DELIVERY_THREADS
from cop.outbox import outbox
from cop.outbox.outbox import EmailKind, QueuedEmail
from tests.builders import LETTER
from tests.processes.server import Server, wait_until
from tests.smtp_server import (
    BREAKS_OFF_AFTER,
    BREAKS_OFF_BEFORE,
    CLOSING,
    LATER,
    SPAM,
    TAKEN,
    Answer,
    MailServer,
)

pytestmark = pytest.mark.both

SPEED = 1200  # how much faster the workers' clocks run: a lease of 15 minutes ends in 0.75 seconds
KILLS = 2
SECONDS = 240  # that delivering may take


class FlakyServer:
    """A server that takes most mails, and drops, delays or refuses the others, by chance."""

    SOMETIMES = (BREAKS_OFF_BEFORE, BREAKS_OFF_AFTER, LATER, CLOSING, Answer(seconds=0.05))

    def __init__(self):
        self.random = random.Random(7)
        self.refused = 0

    def __call__(self, _number):
        chance = self.random.random()
        if chance < 0.01:
            self.refused += 1
            return SPAM
        return self.random.choice(self.SOMETIMES) if chance < 0.10 else TAKEN


class Workers:
    """Worker processes with fast clocks, which a test may kill."""

    def __init__(self, database, smtp_url, log):
        self.log = log  # a file: a pipe that nobody reads holds a worker up once it is full
        self.began = str(datetime.now(UTC).timestamp())
        self.command = [sys.executable, "-m", "tests.processes.fast_worker", database, smtp_url]
        self.running = []

    def start(self):
        command = [*self.command, self.began, str(SPEED)]
        with self.log.open("ab") as log:
            self.running.append(subprocess.Popen(command, stderr=log))

    def kill(self):
        victim = self.running.pop(0)
        victim.kill()
        victim.wait()

    def wait(self):
        for worker in self.running:
            assert worker.wait(SECONDS) == 0, self.log.read_text()[-2000:]


@pytest.mark.parametrize("count", [2000, pytest.param(20_000, marks=pytest.mark.full)])
def test_no_email_is_lost_and_only_an_unknown_outcome_sends_one_twice(world, tmp_path, count):
    with world.write() as db_session:
        for number in range(count):
            address = f"person{number}@example.org"
            email = QueuedEmail(LETTER, address, EmailKind.LINK, address)
            outbox.queue(db_session, [email], now=datetime.now(UTC))

    with MailServer(behaviour=FlakyServer()) as server:
        workers = Workers(world.url, server.url, tmp_path / "workers.log")
        workers.start()
        workers.start()
        for _ in range(KILLS):
            enough = len(server.mails) + count // 5
            wait_until(lambda enough=enough: len(server.mails) >= enough, SECONDS)
            workers.kill()
            workers.start()
        workers.wait()
        got = Counter(server.recipients)
        ids = {message_from_bytes(mail.content)["Message-ID"] for mail in server.mails}
        refused = server.behaviour.refused

    emails = world.emails()
    states = Counter(email.state for email in emails)
    doubled = sum(times - 1 for times in got.values())
    assert states[MailState.SENT] + states[MailState.FAILED] == count
    # A worker that was killed may not have heard the refusal of what it had in hand.
    assert refused - KILLS * DELIVERY_THREADS <= states[MailState.FAILED] <= refused
    assert {email.to_address for email in emails if email.state == "sent"} <= set(got)
    assert 0 < doubled <= sum(email.unknown_outcomes for email in emails)
    assert len(ids) == len(got)


def test_email_is_sent_while_the_site_serves_and_after_the_worker_was_killed(
    sqlite_world, tmp_path
):
    with MailServer() as mail_server:
        server = Server(tmp_path, COP_DATABASE_URL=sqlite_world.url, COP_SMTP_URL=mail_server.url)
        server.start()
        try:
            sqlite_world.queue_email("ada@example.org")
            wait_until(lambda: len(mail_server.mails) == 1)
            server.kill(server.worker)
            sqlite_world.queue_email("grace@example.org")
            wait_until(lambda: len(mail_server.mails) == 2)
        finally:
            server.stop()

    assert mail_server.recipients == ["ada@example.org", "grace@example.org"]
