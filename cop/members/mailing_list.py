"""The mailing list: members who have confirmed that they want to join it."""

import csv
from collections.abc import Sequence
from datetime import datetime
from typing import TextIO
from zoneinfo import ZoneInfo

from sqlalchemy import Row, func, select
from sqlalchemy.orm import Session

from cop.links import Links
from cop.models.registration import Member
from cop.web.downloads import guard_formula

COLUMNS = ("email", "confirmed_at", "leave_url")
_SELECT_SUBSCRIBERS = (
    select(Member.id, Member.email, Member.list_confirmed_at.label("confirmed_at"))
    .where(Member.list_confirmed_at.is_not(None))
    .order_by(Member.email_key)
)


def subscribers(db_session: Session) -> Sequence[Row[int, str, datetime | None]]:
    """Read everybody on the list, sorted by address: id, email, confirmed_at."""
    return db_session.execute(_SELECT_SUBSCRIBERS).all()


def count_unconfirmed(db_session: Session) -> int:
    """Count the addresses that were signed up but never confirmed: they get no email."""
    is_unconfirmed = Member.list_requested_at.is_not(None) & Member.list_confirmed_at.is_(None)
    return db_session.scalar(select(func.count()).select_from(Member).where(is_unconfirmed)) or 0


def write_csv(db_session: Session, out: TextIO, *, zone: ZoneInfo, links: Links) -> None:
    """Write the list to `out` as CSV, with everybody's unsubscribe URL."""
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(COLUMNS)
    for row in db_session.execute(_SELECT_SUBSCRIBERS.execution_options(yield_per=1000)):
        confirmed_at = row.confirmed_at.astimezone(zone).isoformat(timespec="seconds")
        writer.writerow([guard_formula(row.email), confirmed_at, links.unsubscribe(row.id, "list")])
