"""The worker: its daily round, and that no process of ours outlives the one that started it."""

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from contextlib import closing, suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from http.client import HTTPConnection, HTTPException

import pytest
from sqlalchemy import func, select, text

from cop.community import community
from cop.db.engine import db, read_tx, sqlite_file, write_tx
from cop.db.types import Base
from cop.mail.transport import FolderTransport
from cop.models.meeting import Meeting
from cop.models.registration import Registration, Submission
from cop.operations import worker
from cop.operations.processes import StopRequest
from cop.outbox.delivery import Delivery
from cop.smtp_url import smtp_server
from tests.builders import (
    ADA,
    GRACE,
    LINKS,
    NOW,
    a_meeting,
    a_registration,
    an_email,
    edit,
    outbox_emails,
    register,
)
from tests.concurrency import at_once
from tests.outbox.test_delivery import SENDER, Clock
from tests.processes.server import COP, in_child
from tests.smtp_server import Answer, MailServer

pytestmark = pytest.mark.both

LATER = NOW + timedelta(days=30)


@pytest.fixture
def instance(tmp_path):
    """The environment of an installation of its own."""
    others = {name: value for name, value in os.environ.items() if not name.startswith("COP_")}
    return others | {"COP_INSTANCE": str(tmp_path / "instance"), "PYTHONUNBUFFERED": "1"}


@pytest.fixture
def start(instance, tmp_path):
    """Start `cop` as a process, which is ended at the latest when the test is over."""
    processes = []

    def begin(*words, command=COP):
        with (tmp_path / "said").open("w") as said:
            processes.append(
                subprocess.Popen([*command, *words], env=instance, stdout=said, stderr=said)
            )
        return processes[-1]

    yield begin
    for process in processes:
        process.kill()
        process.wait(10)


def eventually(look, seconds=60):
    """What `look` finds, as soon as it finds something."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if found := look():
            return found
        time.sleep(0.05)
    return look()


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return probe.getsockname()[1]


def is_free(port):
    try:
        socket.create_server(("127.0.0.1", port)).close()
    except OSError:
        return False
    return True


def answers(port):
    connection = HTTPConnection("127.0.0.1", port, timeout=1)
    with closing(connection), suppress(OSError, HTTPException):
        connection.request("GET", "/healthz")
        return connection.getresponse().status == 200
    return False


def parents():
    """The parent of every process that runs, but for those that have ended and are not yet collected."""
    listed = subprocess.run(
        ["ps", "-eo", "pid=,ppid=,stat="], capture_output=True, text=True, check=True
    )
    rows = [line.split() for line in listed.stdout.splitlines()]
    return {int(pid): int(ppid) for pid, ppid, stat in rows if not stat.startswith("Z")}


def descendants(pid):
    found, parent_of = {pid}, parents()
    while more := {child for child, parent in parent_of.items() if parent in found} - found:
        found |= more
    return found - {pid}


def everything():
    with read_tx() as db_session:
        tables = [table for table in Base.metadata.sorted_tables if "id" in table.c]
        return [db_session.execute(select(t).order_by(t.c.id)).all() for t in tables]


def test_the_daily_round_plans_ahead_forgets_answers_and_erases(app):
    with write_tx() as db_session:
        old = a_meeting(db_session, slug="old", starts_at=NOW - timedelta(days=59))
        a_registration(db_session, old, "ada@example.org")
        register(db_session, "2026-12-15", GRACE)

    worker.run_daily_tasks(now=LATER)

    with read_tx() as db_session:
        slugs = set(db_session.scalars(select(Meeting.slug)))
        names = db_session.scalars(select(Registration.name)).all()
        submissions = db_session.scalar(select(func.count(Submission.key)))
    assert "2027-06-15" in slugs
    assert (names, submissions) == (["Grace Sample"], 0)


def test_another_round_on_the_same_day_changes_only_when_the_last_one_was(app):
    with write_tx() as db_session:
        old = a_meeting(db_session, slug="old", starts_at=NOW - timedelta(days=59))
        a_registration(db_session, old, "ada@example.org")
        register(db_session, "2026-12-15", ADA)

    worker.run_daily_tasks(now=LATER)
    after_first = everything()
    worker.run_daily_tasks(now=LATER + timedelta(minutes=1))
    with write_tx() as db_session:
        second = community.load_community(db_session).daily_tasks_at
        community.note_daily_tasks(db_session, now=LATER)

    assert second == LATER + timedelta(minutes=1)
    assert everything() == after_first


def test_what_a_round_erased_cannot_be_read_in_the_file_or_beside_it(app, database_url):
    with write_tx() as db_session:
        old = a_meeting(db_session, slug="old", starts_at=NOW - timedelta(days=59))
        a_registration(db_session, old, "ada@example.org", name="Ada Unforgettable")
    with db.engine.connect() as held_open:  # as a web process holds one
        held_open.execute(select(1))
        held_open.commit()

        worker.run_daily_tasks(now=LATER)

        assert _copies(b"Unforgettable", database_url) == 0


def _copies(value, database_url):
    if not (file := sqlite_file(database_url)):
        with read_tx() as db_session:
            return db_session.scalar(select(func.count(Registration.id)))
    files = file.parent.glob(f"{file.name}*")
    return sum(part.read_bytes().count(value) for part in files)


def test_two_workers_at_once_do_the_work_of_one(app):
    with write_tx() as db_session:
        old = a_meeting(db_session, slug="old", starts_at=NOW - timedelta(days=59))
        a_registration(db_session, old, "ada@example.org")

    at_once(app, *[lambda: worker.run_daily_tasks(now=LATER)] * 3)

    with read_tx() as db_session:
        assert db_session.scalar(select(func.count(Meeting.id))) == 6 + 1 + 1
        assert db_session.scalar(select(func.count(Registration.id))) == 0


@pytest.fixture
def planner(app, tmp_path):
    """What a worker does by the clock, which a test sets, and a folder for its mail."""
    clock = Clock()
    delivery = Delivery(FolderTransport(tmp_path / "outbox"), SENDER, LINKS, clock)
    return worker.Planner(app, delivery)


def test_a_duty_that_the_database_refuses_is_tried_again_and_ends_nothing(app, planner):
    went_well = worker.try_once(app, planner.run_due)
    with db.engine.begin() as connection:
        connection.execute(text("ALTER TABLE outbox_email RENAME TO mislaid"))

    refused = worker.try_once(app, partial(worker.deliver, planner.delivery, stopping=bool))
    with db.engine.begin() as connection:
        connection.execute(text("ALTER TABLE mislaid RENAME TO outbox_email"))
    again = worker.try_once(app, partial(worker.deliver, planner.delivery, stopping=bool))

    assert (went_well, refused, again) == (
        worker.PLANNING_INTERVAL,
        worker.DATABASE_PAUSE,
        worker.POLL_INTERVAL,
    )


def test_a_duty_that_ends_by_a_fault_ends_the_worker(app):
    def work():
        stop = StopRequest()
        with suppress(ZeroDivisionError):
            worker.repeat(app, lambda: 1 / 0, threading.Event(), stop)
        assert stop.is_set

    assert in_child(work) == 0


def test_one_look_delivers_what_was_registered(app, planner):
    with write_tx() as db_session:
        register(db_session, "2026-12-15", ADA)

    wait = worker.deliver(planner.delivery, stopping=bool)

    [file] = planner.delivery.transport.folder.iterdir()
    assert wait == worker.POLL_INTERVAL
    assert b"To: ada@example.org" in file.read_bytes()


def test_reminders_and_notices_are_queued_by_themselves(app, planner):
    with write_tx() as db_session:
        register(db_session, "2026-12-15", ADA)
        meeting = db_session.scalars(select(Meeting).where(Meeting.slug == "2026-12-15")).one()
        moved = meeting.starts_at + timedelta(hours=1)
        edit(db_session, meeting, starts_at=moved, ends_at=moved + timedelta(hours=1))
    planner.delivery.clock.now = moved - timedelta(hours=20)

    planner.run_due()

    with read_tx() as db_session:
        kinds = [mail.kind for mail in outbox_emails(db_session)]
    assert kinds == ["confirmation", "changed", "reminder"]


@pytest.mark.parametrize("smtp", [None, "smtp://127.0.0.1:9"], ids=["folder", "server by now"])
def test_the_files_of_mails_go_when_their_texts_do(app, settings, tmp_path, smtp):
    with write_tx() as db_session:
        register(db_session, "2026-12-15", ADA)
    folder = FolderTransport(tmp_path / "outbox")
    delivery = Delivery(folder, SENDER, LINKS, Clock())
    delivery.run()
    before = len(list(folder.folder.iterdir()))

    server = smtp_server(smtp) if smtp else None
    app.extensions["cop.settings"] = replace(settings, instance=tmp_path, smtp=server)
    delivery.clock.now += timedelta(days=8)
    worker.Planner(app, delivery).run_due()

    with read_tx() as db_session:
        assert [mail.text for mail in outbox_emails(db_session)] == [""]
    assert (before, len(list(folder.folder.iterdir()))) == (1, 0)


def test_mail_waits_a_while_where_none_gets_out(app, planner):
    planner.delivery.transport.folder.write_text("in the way")
    with write_tx() as db_session:
        register(db_session, "2026-12-15", ADA)
        register(db_session, "2026-12-15", GRACE)

    wait = worker.deliver(planner.delivery, stopping=bool)

    with read_tx() as db_session:
        assert sorted(mail.attempts for mail in outbox_emails(db_session)) == [
            0,
            1,
        ]  # either is first
    assert wait == worker.SERVER_PAUSE


@pytest.mark.processes
def test_a_server_that_is_slow_for_one_mail_holds_up_no_other(app, database_url, start, instance):
    with MailServer(behaviour=lambda number: Answer(seconds=3 if number == 0 else 0)) as server:
        instance |= {"COP_DATABASE_URL": database_url, "COP_SMTP_URL": server.url}
        instance |= {"COP_SECRET_KEY": "k" * 40}
        with write_tx() as db_session:
            an_email(db_session, "slow@example.org", now=datetime.now(UTC))
        process = start("work")
        assert eventually(lambda: server.mails)
        with write_tx() as db_session:
            an_email(db_session, "quick@example.org", now=datetime.now(UTC))
        assert eventually(lambda: len(server.mails) == 2, seconds=2)
        process.send_signal(signal.SIGTERM)
        ended = process.wait(10)

    with read_tx() as db_session:
        assert {mail.state for mail in outbox_emails(db_session)} == {"sent"}
    assert ended == 0


@pytest.mark.processes
def test_a_worker_alone_works_and_ends_when_it_is_asked(start, tmp_path):
    assert start("seed").wait(60) == 0
    process = start("work")
    said = eventually(lambda: "daily tasks" in (tmp_path / "said").read_text())

    process.send_signal(signal.SIGTERM)

    assert said
    assert process.wait(5) == 0


@pytest.mark.processes
def test_a_worker_tries_to_write_again_and_again(app, database_url, start, instance):
    instance |= {"COP_DATABASE_URL": database_url, "COP_SECRET_KEY": "k" * 40}
    program = (
        "from cop.cli import cop; from cop.operations import worker;"
        " worker.WRITE_PROBE_INTERVAL = 0.1; cop()"
    )
    often = [sys.executable, "-c", program]
    start("work", command=often)
    began = datetime.now(UTC)

    def written_at():
        with read_tx() as db_session:
            return community.load_community(db_session).write_probe_at

    first = eventually(lambda: written_at() > began and written_at())

    assert first
    assert eventually(lambda: written_at() > first)


@pytest.mark.processes
@pytest.mark.parametrize(
    ("asked", "ended"),
    [(signal.SIGTERM, 0), (signal.SIGINT, 0), (signal.SIGKILL, -9)],
    ids=["asked to end", "interrupted", "killed"],
)
def test_nothing_is_left_five_seconds_after_the_site_ends(start, asked, ended):
    port = free_port()
    process = start("serve", "--port", str(port))
    served = eventually(lambda: answers(port))
    children = descendants(process.pid)

    process.send_signal(asked)
    code = process.wait(5)
    gone = eventually(lambda: not children & set(parents()), seconds=5)

    assert served
    assert len(children) >= 2  # a web process and the worker
    assert gone
    assert eventually(lambda: is_free(port), seconds=5)
    assert code == ended


@pytest.mark.processes
def test_the_site_starts_again_after_it_was_killed(start):
    port = free_port()
    for _ in range(2):
        process = start("serve", "--port", str(port))
        assert eventually(lambda: answers(port))
        process.kill()
        process.wait(5)

    assert eventually(lambda: is_free(port), seconds=5)


@pytest.mark.processes
def test_a_worker_that_was_killed_is_started_again(start):
    port = free_port()
    process = start("serve", "--port", str(port))
    assert eventually(lambda: answers(port))
    before = descendants(process.pid)
    worker_id = min(before)  # it is started first

    os.kill(worker_id, signal.SIGKILL)

    after = eventually(lambda: len(found := descendants(process.pid) - {worker_id}) == 2 and found)
    assert after - before
    assert before - {worker_id} < after
    assert answers(port)
