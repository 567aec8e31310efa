"""A forgotten password: a link by mail to a new one, which works once and for an hour."""

import hashlib
from datetime import UTC, datetime, timedelta

from sqlalchemy import and_, func, select
from sqlalchemy.orm import Session

from cop import email_addresses
from cop.accounts import accounts, emails
from cop.errors import Refused
from cop.i18n import N_
from cop.links import Purpose, read_token
from cop.mail.writer import LetterWriter
from cop.models.coordinator import Coordinator
from cop.models.email import MailState, OutboxEmail
from cop.outbox import outbox
from cop.outbox.outbox import EmailKind, QueuedEmail

_LINK_OVER = N_("This link has been used, or is older than an hour. You can ask for a new one.")

LINK_VALID_FOR = timedelta(hours=1)
MAX_EMAILS_PER_DAY = 5  # that are sent whenever somebody asks
# Anybody can ask, and must not use up the emails of the coordinator who needs one. So beyond those,
# one more goes out where no link that still works was sent lately: at most 53 a day.
MIN_INTERVAL = timedelta(minutes=30)
_MINUTE = timedelta(minutes=1)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def request_reset(db_session: Session, email: str, *, writer: LetterWriter) -> None:
    """Mail a coordinator the link to a new password; to everybody else, nothing."""
    # Locked, so that of two requests at once the second finds the email of the first.
    query = select(Coordinator).where(Coordinator.email_key == email_addresses.normalize(email))
    found = db_session.scalars(query.with_for_update()).one_or_none()
    # Looked up for nobody too: how long it takes should not tell who coordinates.
    fingerprint = _fingerprint(found) if found else ""
    may_send = _may_send(db_session, found.id if found else 0, fingerprint, now=writer.now)
    if found is None or not may_send:
        return
    minute = (writer.now - _EPOCH) // _MINUTE
    address = writer.links.new_password(found.id, minute, fingerprint)
    mail = QueuedEmail(
        emails.password_reset(writer, address),
        found.email,
        EmailKind.PASSWORD,
        f"{_key_start(found.id)}{fingerprint}:{writer.now.isoformat()}",
        expires_at=writer.now + LINK_VALID_FOR,
    )
    outbox.queue(db_session, [mail], now=writer.now)


def check_link(db_session: Session, token: str, *, secret_key: str, now: datetime) -> None:
    """Pass for a link that can still be used."""
    _coordinator_of_link(db_session, token, secret_key=secret_key, now=now)


def reset_password(
    db_session: Session, token: str, *, password: str, secret_key: str, now: datetime
) -> None:
    """Give the link's coordinator a new password, sign out their devices, and use up the link."""
    found = _coordinator_of_link(db_session, token, secret_key=secret_key, now=now)
    accounts.set_password(db_session, found, password=password)


def _may_send(db_session: Session, coordinator_id: int, fingerprint: str, *, now: datetime) -> bool:
    """Whether one more email may go out: a few a day, and whenever there is no link to use."""
    key, start = OutboxEmail.dedup_key, _key_start(coordinator_id)
    is_usable = and_(
        key.startswith(f"{start}{fingerprint}:", autoescape=True),  # for the present password
        OutboxEmail.created_at > now - MIN_INTERVAL,
        OutboxEmail.state.not_in([MailState.FAILED, MailState.WITHDRAWN]),
    )
    query = select(func.count(), func.count().filter(is_usable)).where(
        key.startswith(start, autoescape=True),
        OutboxEmail.created_at > now - timedelta(days=1),
        OutboxEmail.created_at <= now + outbox.CLOCK_SLACK,
    )
    today, usable = db_session.execute(query).one()
    return bool(today < MAX_EMAILS_PER_DAY or not usable)


def _key_start(coordinator_id: int) -> str:
    return f"password:{coordinator_id}:"


def _coordinator_of_link(
    db_session: Session, token: str, *, secret_key: str, now: datetime
) -> Coordinator:
    parts = read_token(secret_key, Purpose.PASSWORD, token, (int, int, str))
    if not parts:
        raise Refused(_LINK_OVER)
    coordinator_id, minute, fingerprint = parts
    made_at = _EPOCH + int(minute) * _MINUTE
    # Held until the end of the transaction, so that of two posts at once the second finds it used.
    query = select(Coordinator).where(Coordinator.id == coordinator_id).with_for_update()
    found = db_session.scalars(query).one_or_none()
    if found is None or now > made_at + LINK_VALID_FOR or fingerprint != _fingerprint(found):
        raise Refused(_LINK_OVER)
    return found


def _fingerprint(coordinator: Coordinator) -> str:
    """What tells one password from the next: a link made for an old one opens nothing."""
    return hashlib.sha256(coordinator.password_hash.encode()).hexdigest()[:16]
