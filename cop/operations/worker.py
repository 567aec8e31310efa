"""The worker: delivers emails, queues reminders and notices, runs daily tasks."""

import logging
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial

from flask import Flask, current_app
from sqlalchemy.exc import SQLAlchemyError

from cop.accounts import invitations, notifications
from cop.audit import clock_check, withdrawals
from cop.audit.clock_check import Verdict
from cop.changes import notices
from cop.community.community import (
    CommunityFacts,
    load_community,
    note_daily_tasks,
    note_write_probe,
)
from cop.db.engine import db, empty_log, read_tx, write_tx
from cop.db.expiry import Expiry
from cop.links import Links
from cop.mail.transport import folder_transport, transport_for
from cop.meetings import planning
from cop.operations import backups
from cop.operations.processes import StopRequest
from cop.operations.schema import settings_of
from cop.outbox import outbox
from cop.outbox.delivery import Delivery
from cop.privacy import deletion
from cop.registration import confirmation, register
from cop.reminders import reminders

DAY = timedelta(days=1)
HOUR = timedelta(hours=1)
DELIVERY_THREADS = 2  # one can prepare an email while the other waits for the mail server
# All in seconds.
WRITE_PROBE_INTERVAL = 60  # between two trial writes
POLL_INTERVAL = 0.5  # between two checks for emails that are due
PLANNING_INTERVAL = 15  # between two checks for reminders and notices that are due
SERVER_PAUSE = 15  # without sending after the mail server was unavailable
DATABASE_PAUSE = 5  # after the database was unavailable
STOP_TIMEOUT = 4  # for an email that is being sent when the worker is asked to stop
# Between two batches of deletions. A process that waits for SQLite's write lock tries ten times a
# second, so it could miss every shorter pause.
BATCH_PAUSE = 0.1

log = logging.getLogger("cop.worker")

_never = bool  # called without an argument, it returns False


def run_daily_tasks(*, now: datetime, stopping: Callable[[], bool] = _never) -> bool:
    """Plan ahead, and delete what is past its retention period; idempotent.

    Return False if it was stopped before its end.
    """
    plan_ahead(now=now)
    oldest = backups.oldest_at(current_app) or now
    with write_tx() as db_session:
        # Keep withdrawals that are newer than the oldest backup: restoring it would need them.
        withdrawals.delete_old(db_session, now=min(now, oldest + withdrawals.RETENTION))
        invitations.delete_expired(db_session, now=now)
    with read_tx() as db_session:
        community = load_community(db_session)
    expiries = [register.old_submissions(now=now), *deletion.expiries(community, now=now)]
    counts = _erase(expiries, stopping=stopping)
    if counts is None:
        return False
    with write_tx() as db_session:
        note_daily_tasks(db_session, now=now)
    empty_log()  # in case readers blocked the checkpoints after deletions
    erased = deletion.summary(counts)
    log.info("daily tasks", extra={f"{name}_erased": n for name, n in vars(erased).items()})
    return True


def plan_ahead(*, now: datetime) -> None:
    """Create the next sessions of the recurrence rule."""
    with write_tx() as db_session:
        planned = planning.plan_ahead(db_session, now=now)
    log.info("planned ahead", extra={"planned": len(planned)})


def _erase(expiries: Iterable[Expiry], *, stopping: Callable[[], bool]) -> Counter[str] | None:
    """Erase expired rows in short batches; return counts by `Expiry.counter`, None if stopped."""
    erased = Counter[str]()
    for expiry in expiries:
        with read_tx() as db_session:
            batches = expiry.find(db_session)
        for keys in batches:
            if stopping():
                return None
            with write_tx() as db_session:
                erased[expiry.counter] += expiry.erase(db_session, keys)
            if len(batches) > 1:
                time.sleep(BATCH_PAUSE)
    return erased


def queue_emails(delivery: Delivery) -> None:
    """Queue the notices and the reminders that are due."""
    with read_tx() as db_session:
        writer = delivery.writer(db_session)
        has_notices = notices.is_due(db_session, writer=writer)
        due_ids = reminders.find_due(db_session, writer=writer)
    if has_notices:
        with write_tx() as db_session:
            count = notices.queue_notices(db_session, writer=writer)
        log.info("notices", extra={"emails": count})
    if due_ids:
        with write_tx() as db_session:
            count = reminders.queue(db_session, due_ids, writer=writer)
        log.info("reminders", extra={"emails": count})


@dataclass
class Planner:
    """Makes backups, runs the daily tasks, and queues notices and reminders."""

    app: Flask
    delivery: Delivery  # for its writer and its clock; it delivers nothing
    stopping: Callable[[], bool] = _never
    daily_tasks_at: datetime | None = None
    planned_at: datetime | None = None
    backup_tried_at: datetime | None = None
    has_backup: bool = False  # the day's backup was made
    verdict: Verdict = Verdict.RUN

    def run_due(self) -> float:
        """Do what is due; return the seconds until the next check."""
        now = self.delivery.clock()
        if _is_due(self.backup_tried_at, HOUR, now):
            self.backup_tried_at, self.has_backup = now, self._back_up(now)
        is_due = self.verdict is not Verdict.RUN or _is_due(self.daily_tasks_at, DAY, now)
        if not is_due or self._run_daily_tasks(now):
            queue_emails(self.delivery)
            _erase([confirmation.closed_submissions(now=now)], stopping=self.stopping)
        return PLANNING_INTERVAL

    def _run_daily_tasks(self, now: datetime) -> bool:
        """Run the daily tasks, or only plan ahead while nothing may be deleted.

        Return False if the clock has jumped so recently that no reminder may be sent.
        """
        community = self._check_clock(now)
        if self.verdict is Verdict.RUN and self.has_backup:
            if run_daily_tasks(now=now, stopping=self.stopping):
                self.daily_tasks_at = now
                self._delete_files(now)
        elif clock_check.can_plan(community, now=now) and _is_due(self.planned_at, DAY, now):
            plan_ahead(now=now)
            self.planned_at = now
        return clock_check.has_settled(community, now=now)

    def _delete_files(self, now: datetime) -> None:
        """Delete old emails and backups; a failure with one must not prevent the other."""
        emails = folder_transport(settings_of(self.app))
        for delete in (
            partial(emails.delete_copies_before, now - outbox.TEXT_RETENTION),
            partial(backups.delete_old, self.app, now=now),
        ):
            try:
                delete()
            except OSError:
                log.exception("old files could not be deleted")

    def _check_clock(self, now: datetime) -> CommunityFacts:
        """Check the clock before anything is deleted by it; log if it is in doubt."""
        with read_tx() as db_session:
            community = load_community(db_session)
        verdict = clock_check.check(community, now=now)
        if verdict is not Verdict.RUN and clock_check.should_record(community, now=now):
            with write_tx() as db_session:
                clock_check.record(db_session, now=now)
                community = load_community(db_session)
            verdict = clock_check.check(community, now=now)
        if verdict not in {Verdict.RUN, self.verdict}:
            log.warning(
                "the clock has jumped since the last daily tasks, so nothing is deleted",
                extra={"last": community.daily_tasks_at, "now": now, "verdict": verdict.value},
            )
        self.verdict = verdict
        return community

    def _back_up(self, now: datetime) -> bool:
        """Make the day's backup if it is due; return False if that failed.

        Then nothing is deleted, which the console explains; emails are sent nevertheless.
        """
        try:
            backups.make_if_due(self.app, now=now)
        except OSError:
            log.exception("the day's backup failed, so nothing is deleted")
            return False
        return True


def _is_due(last: datetime | None, every: timedelta, now: datetime) -> bool:
    """Whether something last done at `last` is due, or the clock has jumped back."""
    return last is None or abs(now - last) >= every


def deliver(delivery: Delivery, *, stopping: Callable[[], bool]) -> float:
    """Deliver what is due; return the seconds until the next check."""
    return POLL_INTERVAL if delivery.run(stopping=stopping) else SERVER_PAUSE


def probe_write(clock: Callable[[], datetime]) -> float:
    """Write to the database for `/readyz`; return the seconds until the next time.

    It has its own thread, so that long daily tasks or a backup do not make the site look broken.
    """
    with write_tx() as db_session:
        note_write_probe(db_session, now=clock())
    return WRITE_PROBE_INTERVAL


def work(app: Flask) -> None:
    """Work until the process is asked to stop; finish an email that is being sent.

    Each delivery has its own thread, so that a slow mail server delays only that one email. A stop
    waits only for deliveries: all other threads can be interrupted safely.
    """
    stop = StopRequest()
    threading.excepthook = _log_exception
    stopping = threading.Event()  # for the threads; a signal handler must not touch it
    deliveries = [delivery_for(app) for _ in range(DELIVERY_THREADS)]
    planner = Planner(app, delivery_for(app), stopping.is_set)
    jobs: list[Callable[[], float]] = [
        *(partial(deliver, each, stopping=stopping.is_set) for each in deliveries),
        planner.run_due,
        partial(probe_write, planner.delivery.clock),
    ]
    threads = [
        threading.Thread(target=repeat, args=(app, job, stopping, stop), daemon=True)
        for job in jobs
    ]
    for thread in threads:
        thread.start()
    stop.wait()
    stopping.set()
    deadline = time.monotonic() + STOP_TIMEOUT
    for thread in threads[:DELIVERY_THREADS]:
        thread.join(max(0, deadline - time.monotonic()))
    with app.app_context():
        for delivery in deliveries:
            try:
                delivery.put_back()
            except SQLAlchemyError:  # its lease expires by itself
                log.exception("the state of an unfinished email could not be saved")
    for thread, delivery in zip(threads, deliveries, strict=False):
        if not thread.is_alive():
            delivery.transport.close()


def repeat(
    app: Flask, job: Callable[[], float], stopping: threading.Event, stop: StopRequest
) -> None:
    """Run a job repeatedly; if it fails, stop the worker, which is then restarted."""
    try:
        while not stopping.is_set():
            stopping.wait(try_once(app, job))
    finally:
        stop.set()


def try_once(app: Flask, job: Callable[[], float]) -> float:
    """Run a job once; if the database is unavailable, return the seconds to wait."""
    with app.app_context():
        try:
            return job()
        except (SQLAlchemyError, OSError):
            log.exception("the worker could not do a job, trying again")
            db.engine.dispose()
            return DATABASE_PAUSE


def delivery_for(app: Flask) -> Delivery:
    """A delivery through the mail server of the app's settings."""
    settings = settings_of(app)
    links = Links(settings.base, settings.secret_key)
    return Delivery(
        transport_for(settings),
        settings.sender,
        links,
        clock=lambda: datetime.now(UTC),
        on_failure=notifications.notify_first_failure,
    )


def _log_exception(failure: threading.ExceptHookArgs) -> None:
    """Log the exception of a thread; the log drops its message, which may quote data."""
    log.error("a thread of the worker failed", exc_info=failure.exc_value)
