"""Mail: composing and queuing it, how soon it goes out, and how fast a backlog does."""

import random
import subprocess
import sys
import time
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from uuid import uuid4

from cop import create_app
from cop.db.engine import db, sqlite_module, write_tx
from cop.operations import seed
from cop.operations.schema import upgrade
from cop.outbox import outbox
from cop.outbox.outbox import EmailKind, QueuedEmail
from cop.registration import emails
from tests.bench.measuring import Figure, alternate, compared, percentile
from tests.conftest import settings_for
from tests.mail.gallery import ADA, MEETING, WRITER
from tests.processes.server import COP, environment
from tests.smtp_server import Answer, MailServer

SLOW = 0.005  # seconds that the mail server takes for each mail
COLUMNS = (
    "dedup_key, kind, to_address, to_name, language, subject, text, html, calendar, message_id"
)
COLUMNS += ", state, attempts, unknown_outcomes, server_reply, created_at, due_at"
PATIENCE = 600  # seconds


def measure(*, is_quick):
    """All figures about mail."""
    with TemporaryDirectory(prefix="cop-bench-") as folder:
        yield _composing(Path(folder), mails=100 if is_quick else 500, rounds=3 if is_quick else 7)
        yield from _soon(Path(folder), mails=10 if is_quick else 150)
        yield _backlog(Path(folder), mails=200 if is_quick else 2000, rounds=3 if is_quick else 5)


@contextmanager
def _site(folder):
    """An app on a new SQLite database, and its address."""
    url = f"sqlite:///{folder / uuid4().hex}.sqlite3"
    app = create_app(settings_for(url))
    upgrade(app)
    with app.app_context():
        with write_tx() as db_session:
            seed.create_site(db_session, now=datetime.now(UTC))
        yield url
        db.engine.dispose()


def _composed():
    ids = {MEETING.id: 1}
    return emails.confirmation(
        WRITER, ADA, held=[MEETING], waiting=[], positions={}, registration_ids=ids
    )


def _composing(folder, *, mails, rounds):
    with _site(folder) as url:
        letter = _composed()

        def ours():
            began = time.perf_counter()
            for _ in range(mails):
                mail = QueuedEmail(_composed(), ADA.email, EmailKind.CONFIRMATION, uuid4().hex)
                with write_tx() as db_session:
                    outbox.queue(db_session, [mail], now=datetime.now(UTC))
            return mails / (time.perf_counter() - began)

        def bare():
            file = url.removeprefix("sqlite:///")
            row = ("x", "", "en", letter.subject, letter.text, letter.html, letter.calendar)
            with closing(sqlite_module.connect(file, isolation_level=None)) as connection:
                connection.execute("PRAGMA synchronous=FULL")
                began = time.perf_counter()
                for _ in range(mails):
                    values = (uuid4().hex, "bare", *row, "y", "sent", 0, 0, "", "2026", "2026")
                    connection.execute("BEGIN IMMEDIATE")
                    connection.execute(
                        f"INSERT INTO outbox_email ({COLUMNS}) VALUES ({', '.join('?' * 16)})",
                        values,
                    )
                    connection.execute("COMMIT")
                return mails / (time.perf_counter() - began)

        rates = alternate(ours, bare, rounds=rounds)
    return compared("mails composed and queued, a COMMIT each; a bare INSERT and COMMIT",
                    "a second", *rates)  # fmt: skip


def _soon(folder, *, mails):
    """From COMMIT to the server having the mail, with a worker that has nothing else to do."""
    with _site(folder) as url, MailServer() as server:
        values = {"COP_DATABASE_URL": url, "COP_SMTP_URL": server.url, "COP_SECRET_KEY": "k" * 40}
        command = [*COP, "work"]
        with (folder / "worker.log").open("ab") as log:
            worker = subprocess.Popen(command, env=environment(folder, **values), stderr=log)
        try:
            committed = [_queued_one(server, number) for number in range(mails + 1)][1:]
        finally:
            worker.terminate()
            worker.wait(30)
        took = [mail.at - at for mail, at in zip(server.mails[1:], committed, strict=True)]
    yield Figure("COMMIT to the mail server having it, idle, median", median(took), "s", "< 2 s",
                 median(took) < 2)  # fmt: skip
    p99 = percentile(took, 0.99)
    yield Figure("the same, 99th percentile", p99, "s", "< 2 s", p99 < 2)


def _queued_one(server, number):
    """Queue a mail, wait until it is there, and a moment more; return when it was committed."""
    mail = QueuedEmail(_composed(), "ada@example.org", EmailKind.LINK, f"soon {number}")
    with write_tx() as db_session:
        outbox.queue(db_session, [mail], now=datetime.now(UTC))
    at = time.time()
    while len(server.mails) <= number:
        time.sleep(0.005)
        assert time.time() < at + PATIENCE, "no mail came"
    time.sleep(random.uniform(0, 0.7))
    return at


def _backlog(folder, *, mails, rounds):
    """A queue of mails to a server that takes a while for each, against a bare loop."""

    def ours():
        with _site(folder) as url, _slow_server() as server:
            letter = _composed()
            with write_tx() as db_session:
                queued = [
                    QueuedEmail(letter, f"p{n}@example.org", EmailKind.LINK, str(n))
                    for n in range(mails)
                ]
                outbox.queue(db_session, queued, now=datetime.now(UTC))
            command = [sys.executable, "-m", "tests.processes.fast_worker", url, server.url]
            with (folder / "worker.log").open("ab") as log:
                command += [str(time.time()), "1"]
                subprocess.run(command, check=True, timeout=PATIENCE, stderr=log)
            return _rate(server)

    def bare():
        with _slow_server() as server:
            command = [sys.executable, "-m", "tests.bench.bare_loop", str(server.port), str(mails)]
            subprocess.run(command, check=True, timeout=PATIENCE)
            return _rate(server)

    rates = alternate(ours, bare, rounds=rounds)
    what = f"{mails} mails to a server that takes 5 ms each, one worker; a bare smtplib loop"
    return compared(what, "a second", *rates, at_least=0.7)


def _slow_server():
    return MailServer(behaviour=lambda _number: Answer(seconds=SLOW))


def _rate(server):
    """Mails a second, from the first one to the last: without starting the process."""
    return (len(server.mails) - 1) / (server.mails[-1].at - server.mails[0].at)
