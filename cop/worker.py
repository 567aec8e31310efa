"""The worker: what the community's site does by itself, once a day."""

import logging
import signal
import threading
from datetime import UTC, datetime, timedelta
from types import FrameType

from flask import Flask
from sqlalchemy.exc import SQLAlchemyError

from cop.db import db, empty_log, write_tx
from cop.domain import community, registration, retention, schedule
from cop.upgrade import forget_backups

A_DAY = timedelta(days=1)
LOOK = 60  # seconds between two looks at the clock, which may jump

log = logging.getLogger("cop.worker")


def daily_round(*, now: datetime) -> None:
    """Plan ahead, and erase what is past its date; doing it again changes nothing."""
    with write_tx() as db_session:
        planned = schedule.plan_ahead(db_session, now=now)
        registration.forget_submissions(db_session, now=now)
        erased = retention.run(db_session, now=now)
        community.note_round(db_session, now=now)
    empty_log()  # every day: a checkpoint that found a reader in its way is made up for
    log.info(
        "daily round",
        extra={
            "planned": len(planned),
            "answers_erased": erased.answers,
            "registrations_erased": erased.registrations,
            "members_erased": erased.members,
        },
    )


def work(app: Flask) -> None:
    """Do the daily round now and every day, until the process is asked to end."""
    stop = threading.Event()

    def end(_signal: int, _frame: FrameType | None) -> None:
        stop.set()

    signal.signal(signal.SIGTERM, end)
    signal.signal(signal.SIGINT, end)
    last: datetime | None = None
    while not stop.is_set():
        now = datetime.now(UTC)
        if last is None or abs(now - last) >= A_DAY:
            last = now if _try_round(app, now=now) else None
        stop.wait(LOOK)


def _try_round(app: Flask, *, now: datetime) -> bool:
    try:
        with app.app_context():
            daily_round(now=now)
            forget_backups(app, now=now)
    except (SQLAlchemyError, OSError):
        log.exception("daily round failed, trying again in a minute")
        return False
    finally:
        with app.app_context():
            db.engine.dispose()
    return True
