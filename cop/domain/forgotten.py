"""A forgotten password: a link by mail to a new one, which works once and for an hour."""

import hashlib
from datetime import UTC, datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from cop.domain import addresses, coordinators, outbox
from cop.domain.errors import PasswordLinkUnusable
from cop.domain.outbox import Kind, Mail
from cop.mail import informing
from cop.mail.writer import Writer
from cop.models import Coordinator, OutboxEmail
from cop.tokens import Purpose, read

WITHIN = timedelta(hours=1)
MAILS_A_DAY = 5
_MINUTE = timedelta(minutes=1)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def ask(db_session: Session, email: str, *, writer: Writer) -> None:
    """Mail a coordinator the link to a new password; to everybody else, nothing.

    Raises:
        AddressRefused: the address is none.
    """
    query = select(Coordinator).where(Coordinator.email_key == addresses.key(email))
    found = db_session.scalars(query).one_or_none()
    # Asked for nobody too: how long it takes should not tell who coordinates.
    lately = _mails_lately(db_session, found.id if found else 0, now=writer.now)
    if found is None or lately >= MAILS_A_DAY:
        return
    minute = (writer.now - _EPOCH) // _MINUTE
    address = writer.links.new_password(found.id, minute, _fingerprint(found))
    mail = Mail(
        informing.new_password(writer, address),
        found.email,
        Kind.PASSWORD,
        f"{_prefix(found.id)}{writer.now.isoformat()}",
        expires_at=writer.now + WITHIN,
    )
    outbox.queue(db_session, [mail], now=writer.now)


def check(db_session: Session, token: str, *, secret_key: str, now: datetime) -> None:
    """Pass for a link that can still be used.

    Raises:
        PasswordLinkUnusable: it is unknown, used or too old.
    """
    _whose(db_session, token, secret_key=secret_key, now=now)


def choose(
    db_session: Session, token: str, *, password: str, secret_key: str, now: datetime
) -> None:
    """Give the link's coordinator a new password, and sign out their devices; the link is used up.

    Raises:
        PasswordLinkUnusable: it is unknown, used or too old.
        PasswordRefused: the password is too short, too long, or easy to guess.
    """
    found = _whose(db_session, token, secret_key=secret_key, now=now)
    coordinators.set_password(db_session, found, password=password)


def _mails_lately(db_session: Session, coordinator_id: int, *, now: datetime) -> int:
    query = select(func.count()).where(
        OutboxEmail.dedup_key.startswith(_prefix(coordinator_id), autoescape=True),
        OutboxEmail.created_at > now - timedelta(days=1),
    )
    return db_session.scalar(query) or 0


def _prefix(coordinator_id: int) -> str:
    return f"password:{coordinator_id}:"


def _whose(db_session: Session, token: str, *, secret_key: str, now: datetime) -> Coordinator:
    parts = read(secret_key, Purpose.PASSWORD, token, (int, int, str))
    if not parts:
        raise PasswordLinkUnusable
    coordinator_id, minute, fingerprint = parts
    made_at = _EPOCH + int(minute) * _MINUTE
    # Held until the end of the transaction, so that of two posts at once the second finds it used.
    query = select(Coordinator).where(Coordinator.id == coordinator_id).with_for_update()
    found = db_session.scalars(query).one_or_none()
    if found is None or now > made_at + WITHIN or fingerprint != _fingerprint(found):
        raise PasswordLinkUnusable
    return found


def _fingerprint(coordinator: Coordinator) -> str:
    """What tells one password from the next: a link made for an old one opens nothing."""
    return hashlib.sha256(coordinator.password_hash.encode()).hexdigest()[:16]
