"""Reset a forgotten password by an emailed link, which works once, for an hour."""

import hashlib
from datetime import UTC, datetime, timedelta

from sqlalchemy import and_, func, select
from sqlalchemy.orm import Session

from cop import email_addresses
from cop.accounts import accounts, emails
from cop.errors import LinkExpired
from cop.i18n import N_
from cop.links import Purpose, read_token
from cop.mail.writer import LetterWriter
from cop.models.coordinator import Coordinator
from cop.models.email import MailState, OutboxEmail
from cop.outbox import outbox

_LINK_EXPIRED = N_("This link has been used, or it's more than an hour old.")

LINK_VALID_FOR = timedelta(hours=1)
MAX_EMAILS_PER_DAY = 5
# Anybody can request emails, so a stranger could use up those of a day. Beyond them, one more is
# sent if no working link was sent in this interval. So the coordinator can always get a link, and
# gets at most 53 emails a day.
MIN_INTERVAL = timedelta(minutes=30)


def request_reset(db_session: Session, email: str, *, writer: LetterWriter) -> None:
    """Email a coordinator the link to reset their password.

    Addresses without an account are ignored.
    """
    # Locked, so that of two requests at once, the second finds the email of the first.
    query = select(Coordinator).where(Coordinator.email_key == email_addresses.normalize(email))
    found = db_session.scalars(query.with_for_update()).one_or_none()
    # This query runs even without an account, so that the response time does not tell whose
    # addresses have one.
    fingerprint = _fingerprint(found) if found else ""
    may_send = _may_send(db_session, found.id if found else 0, fingerprint, now=writer.now)
    if found is None or not may_send:
        return
    link = writer.links.new_password(found.id, int(writer.now.timestamp()) // 60, fingerprint)
    queued = outbox.QueuedEmail(
        emails.password_reset(writer, link),
        found.email,
        outbox.EmailKind.PASSWORD,
        f"password:{found.id}:{fingerprint}:{writer.now.isoformat()}",
        expires_at=writer.now + LINK_VALID_FOR,
    )
    outbox.queue(db_session, [queued], now=writer.now)


def check_link(db_session: Session, token: str, *, secret_key: str, now: datetime) -> Coordinator:
    """Return the coordinator of a link that can still be used.

    Raises:
        LinkExpired: it cannot be used anymore.
    """
    parts = read_token(secret_key, Purpose.PASSWORD, token, (int, int, str))
    if not parts:
        raise LinkExpired(_LINK_EXPIRED)
    coordinator_id, minute, fingerprint = parts
    expires_at = datetime.fromtimestamp(int(minute) * 60, UTC) + LINK_VALID_FOR
    # Locked, so that if a form is sent twice at once, the second finds the link used.
    found = db_session.get(Coordinator, coordinator_id, with_for_update=True)
    if found is None or now > expires_at or fingerprint != _fingerprint(found):
        raise LinkExpired(_LINK_EXPIRED)
    return found


def reset_password(
    db_session: Session, token: str, *, password: str, secret_key: str, now: datetime
) -> None:
    """Set the coordinator's password, and sign out their devices.

    The link works only once.

    Raises:
        LinkExpired: it cannot be used anymore.
    """
    found = check_link(db_session, token, secret_key=secret_key, now=now)
    accounts.change_password(db_session, found.email, password=password)


def _may_send(db_session: Session, coordinator_id: int, fingerprint: str, *, now: datetime) -> bool:
    """Allow a few emails a day, and more if no recent link works."""
    key, prefix = OutboxEmail.dedup_key, f"password:{coordinator_id}:"
    is_usable = and_(
        key.startswith(f"{prefix}{fingerprint}:"),  # made for the current password
        OutboxEmail.created_at > now - MIN_INTERVAL,
        OutboxEmail.state.not_in([MailState.FAILED, MailState.WITHDRAWN]),
    )
    is_theirs_today = key.startswith(prefix) & outbox.is_of_today(now)
    query = select(func.count(), func.count().filter(is_usable)).where(is_theirs_today)
    count_today, usable_count = db_session.execute(query).one()
    return bool(count_today < MAX_EMAILS_PER_DAY or not usable_count)


def _fingerprint(coordinator: Coordinator) -> str:
    """Return a hash that changes with the password, so that old links expire."""
    return hashlib.sha256(coordinator.password_hash.encode()).hexdigest()[:16]
