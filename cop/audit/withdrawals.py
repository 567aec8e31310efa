"""Withdrawals: what people deleted or opted out of, to repeat in backups.

A backup from before a withdrawal still contains the data (`cop/operations/restore.py`). Only keyed
hashes of addresses are stored, and only as long as there can be such a backup.
"""

import hashlib
import hmac
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from cop.db.statements import insert_with_conflict
from cop.mail.writer import LetterWriter
from cop.models.registration import Member, Withdrawal

RETENTION = timedelta(days=14)  # as long as backups

# What can be withdrawn, besides the kinds of email in `preferences.KINDS`.
EVERYTHING = "everything"  # all data of the person
EMAIL = "email"  # all email to the address
LINKS = "links"  # all emailed links, including the calendar
CALENDAR = "calendar"  # the address of the calendar feed
ACCOUNT = "account"  # a coordinator's account
CORRECTION = "correction"  # a mistyped address that was corrected; restoring repeats nothing of it
ANSWER = "answer"  # one answer, stored as `answer:<field>:<slug of the session>`


@dataclass(frozen=True)
class Withdrawn:
    """What was withdrawn and when; `key` is the keyed hash of an address."""

    key: str
    scope: str
    withdrawn_at: datetime


def answer(name: str, slug: str) -> str:
    """Return the scope of one answer about one session."""
    return f"{ANSWER}:{name}:{slug}"


def remember(db_session: Session, member_id: int, *scopes: str, writer: LetterWriter) -> None:
    """Store what a member has withdrawn."""
    remember_address(db_session, _email_key(db_session, member_id), *scopes, writer=writer)


def remember_address(
    db_session: Session, email_key: str, *scopes: str, writer: LetterWriter
) -> None:
    """Store what was withdrawn for an address."""
    key = key_of(email_key, writer.links.secret_key)
    store(db_session, [Withdrawn(key, scope, writer.now) for scope in scopes])


def forget(db_session: Session, member_id: int, *scopes: str, writer: LetterWriter) -> None:
    """Delete withdrawals of a member who opted in again."""
    key = key_of(_email_key(db_session, member_id), writer.links.secret_key)
    is_revoked = (Withdrawal.key == key) & Withdrawal.scope.in_(scopes)
    db_session.execute(delete(Withdrawal).where(is_revoked))


def store(db_session: Session, withdrawn: Iterable[Withdrawn]) -> None:
    """Store withdrawals, which may also come from another database."""
    for each in withdrawn:
        insert = insert_with_conflict(db_session, Withdrawal).values(**vars(each))
        new_time = {"withdrawn_at": each.withdrawn_at}
        key = ["key", "scope"]
        db_session.execute(insert.on_conflict_do_update(index_elements=key, set_=new_time))


def read_all(db_session: Session) -> set[Withdrawn]:
    """Return all withdrawals."""
    query = select(Withdrawal.key, Withdrawal.scope, Withdrawal.withdrawn_at)
    return {Withdrawn(*row) for row in db_session.execute(query)}


def delete_old(db_session: Session, *, now: datetime) -> None:
    """Delete the withdrawals that are older than all backups."""
    db_session.execute(delete(Withdrawal).where(Withdrawal.withdrawn_at <= now - RETENTION))


def key_of(email_key: str, secret_key: str) -> str:
    """Return the keyed hash of an address."""
    # The prefix must stay, since stored rows have it: at first only erasures were stored.
    return hmac.new(secret_key.encode(), f"erased {email_key}".encode(), hashlib.sha256).hexdigest()


def _email_key(db_session: Session, member_id: int) -> str:
    return db_session.scalars(select(Member.email_key).where(Member.id == member_id)).one()
