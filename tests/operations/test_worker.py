"""The worker: its daily tasks, its emails, and `cop work` as a process."""

import threading
import time
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial

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
from cop.smtp_url import parse_server
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
from tests.processes.server import COP, Server, in_child, wait_until
from tests.smtp_server import Answer, MailServer

pytestmark = pytest.mark.both

LATER = NOW + timedelta(days=30)


def everything():
    with read_tx() as db_session:
        tables = [table for table in Base.metadata.sorted_tables if "id" in table.c]
        return [db_session.execute(select(t).order_by(t.c.id)).all() for t in tables]


@pytest.fixture
def past_app(app):
    """The app, with a registration of Ada's that is past its retention period at `LATER`."""
    with write_tx() as db_session:
        old = a_meeting(db_session, slug="old", starts_at=NOW - timedelta(days=59))
        a_registration(db_session, old, "ada@example.org", name="Ada Unforgettable")
    return app


def test_the_daily_tasks_plan_ahead_and_delete_old_answers_and_forms(past_app):
    with write_tx() as db_session:
        register(db_session, "2026-12-15", GRACE)

    worker.run_daily_tasks(now=LATER)

    with read_tx() as db_session:
        slugs = set(db_session.scalars(select(Meeting.slug)))
        names = db_session.scalars(select(Registration.name)).all()
        submissions = db_session.scalar(select(func.count(Submission.key)))
    assert "2027-06-15" in slugs
    assert (names, submissions) == (["Grace Sample"], 0)


def test_daily_tasks_on_the_same_day_change_only_when_they_last_ran(past_app):
    worker.run_daily_tasks(now=LATER)
    after_first = everything()
    worker.run_daily_tasks(now=LATER + timedelta(minutes=1))
    with write_tx() as db_session:
        second = community.load_community(db_session).daily_tasks_at
        community.note_daily_tasks(db_session, now=LATER)

    assert second == LATER + timedelta(minutes=1)
    assert everything() == after_first


def test_what_daily_tasks_delete_cannot_be_read_in_the_file_or_beside_it(past_app, database_url):
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


def test_two_workers_at_once_do_the_work_of_one(past_app):
    at_once(past_app, *[lambda: worker.run_daily_tasks(now=LATER)] * 3)

    with read_tx() as db_session:
        assert db_session.scalar(select(func.count(Meeting.id))) == 6 + 1 + 1
        assert db_session.scalar(select(func.count(Registration.id))) == 0


@pytest.fixture
def planner(app, tmp_path):
    """The planner of a worker, with a clock that a test sets, and a folder for its emails."""
    clock = Clock()
    delivery = Delivery(FolderTransport(tmp_path / "outbox"), SENDER, LINKS, clock)
    return worker.Planner(app, delivery)


def test_a_job_that_the_database_refuses_is_tried_again(app, planner):
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


def test_a_job_that_fails_stops_the_worker(app):
    def work():
        stop = StopRequest()
        with suppress(ZeroDivisionError):
            worker.repeat(app, lambda: 1 / 0, threading.Event(), stop)
        assert stop.is_set

    assert in_child(work) == 0


def test_one_check_delivers_what_is_due(app, planner):
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
def test_the_files_of_emails_are_deleted_when_their_texts_are(app, settings, tmp_path, smtp):
    with write_tx() as db_session:
        register(db_session, "2026-12-15", ADA)
    folder = FolderTransport(tmp_path / "outbox")
    delivery = Delivery(folder, SENDER, LINKS, Clock())
    delivery.run()
    before = len(list(folder.folder.iterdir()))

    server = parse_server(smtp) if smtp else None
    app.extensions["cop.settings"] = replace(settings, instance=tmp_path, smtp=server)
    delivery.clock.now += timedelta(days=8)
    worker.Planner(app, delivery).run_due()

    with read_tx() as db_session:
        assert [mail.text for mail in outbox_emails(db_session)] == [""]
    assert (before, len(list(folder.folder.iterdir()))) == (1, 0)


def test_delivery_pauses_while_no_email_can_be_sent(app, planner):
    planner.delivery.transport.folder.write_text("in the way")
    with write_tx() as db_session:
        register(db_session, "2026-12-15", ADA)
        register(db_session, "2026-12-15", GRACE)

    wait = worker.deliver(planner.delivery, stopping=bool)

    with read_tx() as db_session:
        attempts = sorted(email.attempts for email in outbox_emails(db_session))
    assert attempts == [0, 1]  # either is first
    assert wait == worker.SERVER_PAUSE


class Worker(Server):
    """`cop work` as a process."""

    command = (*COP, "work")


@pytest.fixture
def start(tmp_path):
    """Start a worker, which is stopped at the latest when the test is over."""
    started = []

    def launch(worker_class=Worker, **environ):
        started.append(worker_class(tmp_path, **environ))
        started[-1].launch()
        return started[-1]

    yield launch
    for process in started:
        process.stop()


@pytest.mark.processes
def test_a_server_that_is_slow_for_one_email_holds_up_no_other(app, settings, start):
    with MailServer(behaviour=lambda number: Answer(seconds=3 if number == 0 else 0)) as server:
        with write_tx() as db_session:
            an_email(db_session, "slow@example.org", now=datetime.now(UTC))
        process = start(
            COP_DATABASE_URL=settings.database_url,
            COP_SECRET_KEY=settings.secret_key,
            COP_SMTP_URL=server.url,
        )
        wait_until(lambda: server.mails)
        with write_tx() as db_session:
            an_email(db_session, "quick@example.org", now=datetime.now(UTC))
        queued_at = time.monotonic()
        wait_until(lambda: len(server.mails) == 2)
        seconds = time.monotonic() - queued_at
        process.process.terminate()
        code = process.process.wait(10)

    with read_tx() as db_session:
        assert {email.state for email in outbox_emails(db_session)} == {"sent"}
    assert seconds < 2
    assert code == 0


@pytest.mark.processes
def test_a_worker_alone_works_and_ends_when_it_is_asked(site_folder, start):
    process = start(COP_INSTANCE=str(site_folder))
    wait_until(lambda: "daily tasks" in (process.instance / "server.log").read_text())

    process.process.terminate()

    assert process.process.wait(5) == 0


class FrequentWorker(Worker):
    """A worker that tries to write ten times a second."""

    program = "from cop.operations import worker; worker.WRITE_PROBE_INTERVAL = 0.1; " + COP[-1]
    command = (*COP[:-1], program, "work")


@pytest.mark.processes
def test_a_worker_tries_to_write_again_and_again(app, settings, start):
    def probed_at():
        with read_tx() as db_session:
            return community.load_community(db_session).write_probe_at

    began = datetime.now(UTC)
    start(
        FrequentWorker,
        COP_DATABASE_URL=settings.database_url,
        COP_SECRET_KEY=settings.secret_key,
    )

    wait_until(lambda: probed_at() > began)
    first = probed_at()
    wait_until(lambda: probed_at() > first)
