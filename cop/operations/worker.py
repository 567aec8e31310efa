"""The worker: mail as soon as it is due, reminders and notices in time, and the daily round."""

import logging
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import cast

from flask import Flask, current_app
from sqlalchemy.exc import SQLAlchemyError

from cop.accounts import invitations, notifications
from cop.audit import clock_check, withdrawals
from cop.audit.clock_check import Verdict
from cop.changes import notices
from cop.community import community as community_community
from cop.community.community import CommunityFacts, load_community
from cop.config import Settings
from cop.db.engine import db, empty_log, read_tx, write_tx
from cop.links import Links
from cop.mail.transport import folder_transport, transport_for
from cop.meetings import schedule
from cop.operations import backups
from cop.operations.processes import StopRequest
from cop.outbox import outbox
from cop.outbox.delivery import Delivery
from cop.privacy import retention
from cop.privacy.retention import RetentionResult
from cop.registration import register
from cop.reminders import reminders

A_DAY = timedelta(days=1)
AN_HOUR = timedelta(hours=1)
DELIVERY_THREADS = 2  # while one waits for the server, the other makes its mail ready
WRITE_PROBE_INTERVAL = 60  # seconds between two trial writes
POLL_INTERVAL = 0.5  # seconds between two looks for mail that is due
PLANNING_INTERVAL = 15  # seconds between two looks for reminders and notices that are due
SERVER_PAUSE = 15  # seconds without mail after a server could not be used
# Seconds between two batches that are erased. Writers that wait for SQLite's lock try ten times a
# second: with shorter gaps they could miss every one.
EMAIL_GAP = 0.1
DATABASE_PAUSE = 5  # seconds after the database could not be used
STOP_TIMEOUT = 4  # seconds for an email that is being handed over when the worker is asked to stop

log = logging.getLogger("cop.worker")


def run_daily_tasks(*, now: datetime, stopping: Callable[[], bool] = bool) -> bool:
    """Plan ahead, and erase what is past its date; doing it again changes nothing.

    Return False where it was stopped before its end.
    """
    plan_ahead(now=now)
    oldest = backups.oldest_at(current_app) or now
    with write_tx() as db_session:
        # As long as a backup is there that is older than a withdrawal, that has to be remembered.
        withdrawals.delete_old(db_session, now=min(now, oldest + withdrawals.RETENTION))
        invitations.delete_expired(db_session, now=now)
    erased = _erase(now=now, stopping=stopping)
    if erased is None:
        return False
    with write_tx() as db_session:
        community_community.note_daily_tasks(db_session, now=now)
    empty_log()  # every day: a checkpoint that found a reader in its way is made up for
    gone = {f"{what}_erased": number for what, number in vars(erased).items()}
    log.info("daily round", extra=gone)
    return True


def plan_ahead(*, now: datetime) -> None:
    """Make the next sessions exist."""
    with write_tx() as db_session:
        planned = schedule.plan_ahead(db_session, now=now)
    log.info("planned ahead", extra={"planned": len(planned)})


def _erase(*, now: datetime, stopping: Callable[[], bool]) -> RetentionResult | None:
    """Erase what is past its date, a short transaction at a time; None where it was stopped."""
    with read_tx() as db_session:
        community = load_community(db_session)
    erased = Counter[str]()
    for expiry in [register.old_submissions(now=now), *retention.expiries(community, now=now)]:
        with read_tx() as db_session:
            batches = expiry.find(db_session)
        for keys in batches:
            if stopping():
                return None
            with write_tx() as db_session:
                erased[expiry.counter] += expiry.erase(db_session, keys)
            if len(batches) > 1:
                time.sleep(EMAIL_GAP)
    return retention.summary(erased)


def queue_mails(delivery: Delivery) -> None:
    """Queue the notices and the reminders whose time has come."""
    with read_tx() as db_session:
        writer = delivery.writer(db_session)
        is_edited = notices.is_due(db_session, writer=writer)
        soon = reminders.next_due(db_session, writer=writer)
    if is_edited:
        with write_tx() as db_session:
            log.info("notices", extra={"mails": notices.queue_notices(db_session, writer=writer)})
    if soon:
        with write_tx() as db_session:
            log.info("reminders", extra={"mails": reminders.queue(db_session, soon, writer=writer)})


@dataclass
class Planner:
    """Queues what becomes due by the clock, and does the daily round."""

    app: Flask
    delivery: Delivery  # for its writer and its clock: emails are delivered by the lanes
    stopping: Callable[[], bool] = bool
    last_day: datetime | None = None
    planned_at: datetime | None = None
    last_try: datetime | None = None  # to make the day's backup
    has_backup: bool = False
    verdict: Verdict = Verdict.RUN

    def look(self) -> float:
        """Do what it is time for; return the seconds until the next look."""
        now = self.delivery.clock()
        if _is_time(self.last_try, AN_HOUR, now):
            self.last_try, self.has_backup = now, self._back_up(now)
        is_due = self.verdict is not Verdict.RUN or _is_time(self.last_day, A_DAY, now)
        if not is_due or self._do_round(now):
            queue_mails(self.delivery)
        return PLANNING_INTERVAL

    def _do_round(self, now: datetime) -> bool:
        """Do the daily round, or only plan ahead where it must not erase.

        Return False while the clock has jumped so lately that reminders would be sent by it, too.
        """
        community = self._check_clock(now)
        if self.verdict is Verdict.RUN and self.has_backup:
            if run_daily_tasks(now=now, stopping=self.stopping):
                self.last_day = now
                self._delete_files(now)
        elif clock_check.can_plan(community, now=now) and _is_time(self.planned_at, A_DAY, now):
            plan_ahead(now=now)
            self.planned_at = now
        return clock_check.has_settled(community, now=now)

    def _delete_files(self, now: datetime) -> None:
        """Delete old files; a fault with those of one kind must not keep those of the other."""
        emails = folder_transport(_settings(self.app))
        for delete in (
            partial(emails.delete_copies_before, now - outbox.TEXT_RETENTION),
            partial(backups.delete_old, self.app, now=now),
        ):
            try:
                delete()
            except OSError:
                log.exception("old files could not be deleted")

    def _check_clock(self, now: datetime) -> CommunityFacts:
        """Judge the clock before anything is erased by it, and warn where it is in doubt."""
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
                "the clock is not where the last daily round leads to expect it, nothing is erased",
                extra={
                    "last_round": community.daily_tasks_at,
                    "clock": now,
                    "verdict": verdict.value,
                },
            )
        self.verdict = verdict
        return community

    def _back_up(self, now: datetime) -> bool:
        """Make the day's backup; return False where it could not be made.

        That holds up no email, only what is erased; the console says what is wrong.
        """
        try:
            backups.make_if_due(self.app, now=now)
        except OSError:
            log.exception("the day's backup could not be made, so nothing is erased")
            return False
        return True


def _is_time(last: datetime | None, every: timedelta, now: datetime) -> bool:
    """Whether something that was done last at a time is due; the clock may jump, either way."""
    return last is None or abs(now - last) >= every


def deliver(lane: Delivery, *, stopping: Callable[[], bool]) -> float:
    """Deliver what is due; return the seconds until the next look."""
    return POLL_INTERVAL if lane.run(stopping=stopping) else SERVER_PAUSE


def probe_write(clock: Callable[[], datetime]) -> float:
    """Write into the database, for `/readyz` to tell; return the seconds until the next time.

    In a thread of its own: a long daily round or backup must not make the site look broken.
    """
    with write_tx() as db_session:
        community_community.note_write_probe(db_session, now=clock())
    return WRITE_PROBE_INTERVAL


def work(app: Flask) -> None:
    """Work until the process is asked to stop; an email that is being handed over is finished.

    Each lane has a thread, so that a server that is slow to answer holds up one email and nothing
    else. The stop waits for the lanes alone: what the others do is safe to break off.
    """
    stop = StopRequest()
    threading.excepthook = _log_fault
    stopping = threading.Event()  # for the threads; a signal handler must not touch it
    lanes = [delivery_for(app) for _ in range(DELIVERY_THREADS)]
    deliveries = [partial(deliver, lane, stopping=stopping.is_set) for lane in lanes]
    planner = Planner(app, delivery_for(app), stopping.is_set)
    probe = partial(probe_write, planner.delivery.clock)
    duties: list[Callable[[], float]] = [*deliveries, planner.look, probe]
    threads = [
        threading.Thread(target=repeat, args=(app, duty, stopping, stop), daemon=True)
        for duty in duties
    ]
    for thread in threads:
        thread.start()
    stop.wait()
    stopping.set()
    deadline = time.monotonic() + STOP_TIMEOUT
    for thread in threads[:DELIVERY_THREADS]:
        thread.join(max(0, deadline - time.monotonic()))
    with app.app_context():
        for lane in lanes:
            try:
                lane.put_back()
            except SQLAlchemyError:  # the lease runs out by itself
                log.exception("an email could not be put back")
    for thread, lane in zip(threads, lanes, strict=False):
        if not thread.is_alive():
            lane.transport.close()


def repeat(
    app: Flask, duty: Callable[[], float], stopping: threading.Event, stop: StopRequest
) -> None:
    """Do something again and again; if it ends by a fault, end the worker: it is started anew."""
    try:
        while not stopping.is_set():
            stopping.wait(try_once(app, duty))
    finally:
        stop.set()


def try_once(app: Flask, duty: Callable[[], float]) -> float:
    """Do something once; a database that is away for a while is no reason to end."""
    with app.app_context():
        try:
            return duty()
        except (SQLAlchemyError, OSError):
            log.exception("the worker could not do its work, trying again")
            db.engine.dispose()
            return DATABASE_PAUSE


def delivery_for(app: Flask) -> Delivery:
    """The way out for mail that the app's settings name."""
    settings = _settings(app)
    links = Links(settings.base, settings.secret_key)
    return Delivery(
        transport_for(settings),
        settings.sender,
        links,
        clock=lambda: datetime.now(UTC),
        on_failure=notifications.notify_first_failure,
    )


def _settings(app: Flask) -> Settings:
    return cast("Settings", app.extensions["cop.settings"])


def _log_fault(fault: threading.ExceptHookArgs) -> None:
    """Log where a thread failed, without what the exception says: that may quote an address."""
    log.error("a thread of the worker failed", exc_info=fault.exc_value)
