"""The mailing list: who has confirmed that they want mail about future sessions."""

import csv
from dataclasses import dataclass
from datetime import datetime
from typing import TextIO
from zoneinfo import ZoneInfo

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from cop.links import Links
from cop.models.registration import Member
from cop.web.downloads import guard_formula

COLUMNS = ("email", "confirmed_at", "leave_url")
_CONFIRMED = (
    select(Member.id, Member.email, Member.list_confirmed_at.label("confirmed_at"))
    .where(Member.list_confirmed_at.is_not(None))
    .order_by(Member.email_key)
)


@dataclass(frozen=True)
class Subscriber:
    """An address on the list, and since when."""

    id: int
    email: str
    confirmed_at: datetime


def subscribers(db_session: Session) -> list[Subscriber]:
    """Everybody on the list, by address."""
    return [Subscriber(**row._mapping) for row in db_session.execute(_CONFIRMED)]


def count_unconfirmed(db_session: Session) -> int:
    """How many were entered into a form and have not confirmed it: they get no mail."""
    asked = Member.list_requested_at.is_not(None) & Member.list_confirmed_at.is_(None)
    return db_session.scalar(select(func.count()).select_from(Member).where(asked)) or 0


def write_csv(db_session: Session, out: TextIO, *, zone: ZoneInfo, links: Links) -> None:
    """Write the list to `out`, like the attendee list; each with the address that leaves it."""
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(COLUMNS)
    for row in db_session.execute(_CONFIRMED.execution_options(yield_per=1000)):
        since = row.confirmed_at.astimezone(zone).isoformat(timespec="seconds")
        writer.writerow([guard_formula(row.email), since, links.unsubscribe(row.id, "list")])
