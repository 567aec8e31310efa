"""The outbox: emails are queued in a transaction, and delivered later."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from secrets import token_hex

from sqlalchemy import ColumnElement, delete, func, select, update
from sqlalchemy.orm import Session

from cop.db.expiry import Expiry
from cop.db.statements import Prepared
from cop.mail.letter import Letter
from cop.mail.recipients import Recipient, Registered
from cop.models.email import MailState, OutboxEmail
from cop.models.registration import Member

UNSENT_STATES = (MailState.QUEUED, MailState.RETRYING)


class EmailKind(StrEnum):
    """What an email is about."""

    CONFIRMATION = "confirmation"
    PROMOTED = "promoted"
    PLACE = "place"
    CHANGED = "changed"
    REMINDER = "reminder"
    TAKEAWAYS = "takeaways"
    LINK = "link"
    LIST = "list"
    COORDINATORS = "coordinators"
    MESSAGE = "message"
    PASSWORD = "password"  # noqa: S105 - a kind of email
    INVITATION = "invitation"


# Kinds that a member can opt out of, by the value stored in `Member.opt_outs`.
OPTIONAL = {"reminders": EmailKind.REMINDER, "takeaways": EmailKind.TAKEAWAYS}
# Prefix of the `dedup_key` of rows that are not sent. They are inserted for unknown addresses, so
# that the response time does not tell whether an address is known.
PLACEHOLDER_KEY = "nobody:"
HAS_RECIPIENT = OutboxEmail.dedup_key.not_like(f"{PLACEHOLDER_KEY}%")


@dataclass(frozen=True)
class QueuedEmail:
    """An email to a member, or to any address; queued only once per `dedup_key`."""

    letter: Letter
    to: Recipient | str
    kind: EmailKind
    dedup_key: str
    registration_id: int | None = None
    meeting_id: int | None = None
    expires_at: datetime | None = None


def to_registered(
    letter: Letter,
    person: Registered,
    kind: EmailKind,
    dedup_key: str,
    expires_at: datetime | None = None,
) -> QueuedEmail:
    """Make an email about a registration; canceling that withdraws it."""
    return QueuedEmail(
        letter,
        person.recipient,
        kind,
        dedup_key,
        registration_id=person.registration_id,
        meeting_id=person.meeting_id,
        expires_at=expires_at,
    )


def queue(db_session: Session, emails: Iterable[QueuedEmail], *, now: datetime) -> None:
    """Queue emails, but none to a member whose address does not work."""
    deliverable = [each for each in emails if isinstance(each.to, str) or each.to.is_deliverable]
    _INSERT.run(db_session, [_row_values(email, now) for email in deliverable])


def _row_values(email: QueuedEmail, now: datetime) -> dict[str, object]:
    member = None if isinstance(email.to, str) else email.to
    return vars(email.letter) | {
        "state": MailState.QUEUED,
        "attempts": 0,
        "unknown_outcomes": 0,
        "server_reply": "",
        "kind": email.kind,
        "dedup_key": email.dedup_key,
        "registration_id": email.registration_id,
        "meeting_id": email.meeting_id,
        "expires_at": email.expires_at,
        "to_address": email.to if isinstance(email.to, str) else email.to.email,
        "member_id": member.member_id if member else None,
        "to_name": member.display_name if member else "",
        "language": member.language if member else "en",
        # The same for every attempt, so that a second copy can be recognized.
        "message_id": token_hex(16),
        "created_at": now,
        "due_at": now,
    }


_SET_LATER = {"id", "lease", "lease_until", "done_at"}
_INSERT = Prepared.insert(
    OutboxEmail,
    set(OutboxEmail.__mapper__.columns.keys()) - _SET_LATER,
    lambda insert: insert.on_conflict_do_nothing(index_elements=[OutboxEmail.dedup_key]),
)


def withdraw(db_session: Session, *conditions: ColumnElement[bool]) -> None:
    """Delete the unsent emails that meet these conditions.

    Their keys can be queued again.
    """
    is_unsent = OutboxEmail.state.in_(UNSENT_STATES)
    db_session.execute(delete(OutboxEmail).where(is_unsent, *conditions))


def mark_undeliverable(db_session: Session, member_id: int, *, now: datetime) -> None:
    """Stop email to a member whose address does not work; their registrations stay."""
    is_member = (Member.id == member_id) & Member.undeliverable_at.is_(None)
    db_session.execute(update(Member).where(is_member).values(undeliverable_at=now))
    is_unsent = (OutboxEmail.member_id == member_id) & OutboxEmail.state.in_(UNSENT_STATES)
    db_session.execute(update(OutboxEmail).where(is_unsent).values(state=MailState.WITHDRAWN))


def retry(db_session: Session, ids: Iterable[int], *, now: datetime) -> None:
    """Queue failed emails again, with as many attempts as new ones."""
    is_failed = OutboxEmail.id.in_(list(ids)) & (OutboxEmail.state == MailState.FAILED)
    values = {"state": MailState.QUEUED, "attempts": 0, "due_at": now, "created_at": now}
    db_session.execute(update(OutboxEmail).where(is_failed).values(**values, done_at=None))


def failures(db_session: Session) -> list[int]:
    """List up to two failed emails to members: enough to tell one from more."""
    is_failed = OutboxEmail.state == MailState.FAILED
    query = select(OutboxEmail.id).where(is_failed, OutboxEmail.kind != EmailKind.COORDINATORS)
    return list(db_session.scalars(query.order_by(OutboxEmail.id).limit(2)))


def dedup_keys(db_session: Session, meeting_id: int) -> set[str]:
    """Read the keys of all emails about a meeting, which are queued already."""
    query = select(OutboxEmail.dedup_key).where(OutboxEmail.meeting_id == meeting_id)
    return set(db_session.scalars(query))


def count_links_today(
    db_session: Session, member_id: int, *, now: datetime, key_start: str = ""
) -> int:
    """Count a member's emails with a link that were queued in 24 hours.

    With `key_start`, only those whose `dedup_key` starts so.
    """
    query = select(func.count()).where(
        OutboxEmail.member_id == member_id,
        OutboxEmail.kind == EmailKind.LINK,
        OutboxEmail.dedup_key.startswith(key_start, autoescape=True),
        is_of_today(now),
    )
    return db_session.scalar(query) or 0


def is_of_today(now: datetime) -> ColumnElement[bool]:
    """Select the emails queued in the last 24 hours.

    Rows from the future, written while the clock was wrong, do not count.
    """
    is_recent = OutboxEmail.created_at > now - timedelta(days=1)
    return is_recent & (OutboxEmail.created_at <= now + timedelta(minutes=1))


TEXT_RETENTION = timedelta(days=7)  # after an email was sent, or has failed
ROW_RETENTION = timedelta(days=60)  # as long as the same key could be queued again
_TEXTS = ("to_address", "to_name", "subject", "text", "html", "server_reply")
_ERASED_VALUES = dict.fromkeys(_TEXTS, "") | {"calendar": None, "unsubscribe_url": None}


def expiries(*, now: datetime) -> Iterator[Expiry]:
    """Yield the texts of emails that were sent or failed a week ago, and old rows."""
    is_done = OutboxEmail.state.not_in([*UNSENT_STATES, MailState.SENDING])
    has_text = OutboxEmail.text != ""
    done_at = func.coalesce(OutboxEmail.done_at, OutboxEmail.created_at)
    has_old_text = is_done & has_text & (done_at <= now - TEXT_RETENTION)
    yield Expiry(OutboxEmail.id, has_old_text, _ERASED_VALUES, counter="emails")
    is_old = OutboxEmail.created_at <= now - ROW_RETENTION
    is_placeholder = ~HAS_RECIPIENT & (OutboxEmail.created_at <= now - timedelta(days=1))
    yield Expiry(OutboxEmail.id, is_done & (is_old | is_placeholder))
