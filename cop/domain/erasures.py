"""Erasures, remembered as keyed hashes: a backup made before still has what was deleted."""

import hashlib
import hmac
from collections.abc import Container, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from cop.domain.statements import insert_with_conflict
from cop.mail.writer import Writer
from cop.models import Erasure, Member

KEPT = timedelta(days=14)  # as long as backups


@dataclass(frozen=True)
class Remembered:
    """That somebody was erased, and when; who it was can be asked, and not read."""

    key: str
    erased_at: datetime


def remember(db_session: Session, email_key: str, *, writer: Writer) -> None:
    """Remember that everything about an address was deleted."""
    keep(db_session, [Remembered(_key(email_key, writer.links.secret_key), writer.now)])


def keep(db_session: Session, erased: Iterable[Remembered]) -> None:
    """Remember what another database remembers."""
    for each in erased:
        row = vars(each)
        new = insert_with_conflict(db_session, Erasure).values(**row)
        db_session.execute(new.on_conflict_do_update(index_elements=["key"], set_=row))


def members(db_session: Session, keys: Container[str], *, secret_key: str) -> list[int]:
    """The members whose erasure is remembered by one of these keys."""
    rows = db_session.execute(select(Member.id, Member.email_key))
    return [row.id for row in rows if _key(row.email_key, secret_key) in keys]


def forget(db_session: Session, *, now: datetime) -> None:
    """Forget the erasures that every backup knows of."""
    db_session.execute(delete(Erasure).where(Erasure.erased_at <= now - KEPT))


def _key(email_key: str, secret_key: str) -> str:
    return hmac.new(secret_key.encode(), f"erased {email_key}".encode(), hashlib.sha256).hexdigest()
