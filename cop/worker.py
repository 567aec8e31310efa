"""The worker: mail as soon as it is due, reminders and notices in time, and the daily round."""

import logging
import signal
import threading
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from types import FrameType
from typing import TYPE_CHECKING, cast

from flask import Flask
from sqlalchemy.exc import SQLAlchemyError

from cop.db import db, empty_log, read_tx, write_tx
from cop.delivery import LANES, Delivery, deliver
from cop.domain import community, notices, outbox, registration, reminders, retention, schedule
from cop.links import Links
from cop.mail.folder import FolderTransport
from cop.mail.transport import transport_for
from cop.upgrade import forget_backups

if TYPE_CHECKING:
    from cop.config import Settings

A_DAY = timedelta(days=1)
LOOK = 0.5  # seconds between two looks for mail that is due
PLANNING = 15  # seconds between two looks for reminders and notices that are due
PAUSE = 15  # seconds without mail after a server could not be used
AWAY = 5  # seconds after the database could not be used

log = logging.getLogger("cop.worker")


def daily_round(*, now: datetime) -> None:
    """Plan ahead, and erase what is past its date; doing it again changes nothing."""
    with write_tx() as db_session:
        planned = schedule.plan_ahead(db_session, now=now)
        registration.forget_submissions(db_session, now=now)
        erased = retention.run(db_session, now=now)
        community.note_round(db_session, now=now)
    empty_log()  # every day: a checkpoint that found a reader in its way is made up for
    gone = {f"{what}_erased": number for what, number in vars(erased).items()}
    log.info("daily round", extra={"planned": len(planned)} | gone)


def queue_mails(delivery: Delivery) -> None:
    """Queue the notices and the reminders whose time has come."""
    with read_tx() as db_session:
        writer = delivery.writer(db_session)
        is_edited = notices.is_due(db_session, writer=writer)
        soon = reminders.due(db_session, writer=writer)
    if is_edited:
        with write_tx() as db_session:
            log.info("notices", extra={"mails": notices.announce(db_session, writer=writer)})
    if soon:
        with write_tx() as db_session:
            log.info("reminders", extra={"mails": reminders.queue(db_session, soon, writer=writer)})


@dataclass
class Rounds:
    """What a worker does at each look, and when it did what the last time."""

    app: Flask
    stop: threading.Event
    lanes: list[Delivery]
    last_day: datetime | None = None
    not_before: dict[str, float] = field(default_factory=dict)

    def look(self) -> None:
        """Do what it is time for."""
        now = self.lanes[0].clock()
        if self.last_day is None or abs(now - self.last_day) >= A_DAY:  # the clock may jump
            daily_round(now=now)
            self._forget_files(now)
            self.last_day = now
        if self._is_time("planning"):
            queue_mails(self.lanes[0])
            self._wait("planning", PLANNING)
        is_time = self._is_time("mail")
        if is_time and not deliver(self.app, self.lanes, stopping=self.stop.is_set):
            self._wait("mail", PAUSE)

    def _forget_files(self, now: datetime) -> None:
        forget_backups(self.app, now=now)
        if isinstance(transport := self.lanes[0].transport, FolderTransport):
            transport.forget_before(now - outbox.TEXT_KEPT)

    def _is_time(self, what: str) -> bool:
        return time.monotonic() >= self.not_before.get(what, 0)

    def _wait(self, what: str, seconds: float) -> None:
        self.not_before[what] = time.monotonic() + seconds


def work(app: Flask) -> None:
    """Work until the process is asked to end; a mail that is being handed over is finished."""
    stop = threading.Event()

    def end(_signal: int, _frame: FrameType | None) -> None:
        stop.set()

    signal.signal(signal.SIGTERM, end)
    signal.signal(signal.SIGINT, end)
    rounds = Rounds(app, stop, [delivery_for(app) for _ in range(LANES)])
    while not stop.is_set():
        stop.wait(LOOK if try_look(rounds) else AWAY)
    for lane in rounds.lanes:
        lane.transport.close()


def delivery_for(app: Flask) -> Delivery:
    """The way out for mail that the app's settings name."""
    settings = cast("Settings", app.extensions["cop.settings"])
    links = Links(settings.base, settings.secret_key)
    return Delivery(transport_for(settings), settings.sender, links, lambda: datetime.now(UTC))


def try_look(rounds: Rounds) -> bool:
    """Whether it went well; a database that is away for a while is no reason to end."""
    with rounds.app.app_context():
        try:
            rounds.look()
        except (SQLAlchemyError, OSError):
            log.exception("the worker could not do its work, trying again")
            db.engine.dispose()
            return False
    return True
