"""The outbox: composed mails, kept with what they tell until a mail server has taken them.

A mail is queued in the transaction that it tells of, so both are kept or lost together.
"""

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
from cop.mail.recipients import Recipient
from cop.models.email import MailState, OutboxEmail
from cop.models.registration import Member

UNSENT_STATES = (MailState.QUEUED, MailState.RETRYING)

# Later ones are from a clock that ran ahead: they must not count until that time comes.
CLOCK_SLACK = timedelta(minutes=1)


class EmailKind(StrEnum):
    """What a mail is about."""

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
    PASSWORD = "password"  # noqa: S105 - a kind of mail
    INVITATION = "invitation"


# What can be switched off: the value kept in `Member.opt_outs`, and the kind that it stops.
OPTIONAL = {"reminders": EmailKind.REMINDER, "takeaways": EmailKind.TAKEAWAYS}


PLACEHOLDER_ADDRESS = "nobody:"  # begins the key of a row that only takes as long as a mail
HAS_RECIPIENT = OutboxEmail.dedup_key.not_like(f"{PLACEHOLDER_ADDRESS}%")


@dataclass(frozen=True)
class QueuedEmail:
    """A letter with whom it goes to: a member, or the address of somebody who is none.

    It is queued once for each `dedup_key`; what it is about lets it be found and withdrawn.
    """

    letter: Letter
    to: Recipient | str
    kind: EmailKind
    dedup_key: str
    registration_id: int | None = None
    meeting_id: int | None = None
    expires_at: datetime | None = None


def queue(db_session: Session, mails: Iterable[QueuedEmail], *, now: datetime) -> None:
    """Queue mails; none to a member whose address refuses mail."""
    _QUEUE.run(db_session, [_row(mail, now) for mail in mails if _is_deliverable(mail.to)])


def _is_deliverable(to: Recipient | str) -> bool:
    return isinstance(to, str) or to.is_deliverable


_INITIAL_VALUES = {
    "state": MailState.QUEUED,
    "attempts": 0,
    "unknown_outcomes": 0,
    "server_reply": "",
}


def _row(mail: QueuedEmail, now: datetime) -> dict[str, object]:
    letter = mail.letter
    address, member = (mail.to, None) if isinstance(mail.to, str) else (mail.to.email, mail.to)
    return _INITIAL_VALUES | {
        "kind": mail.kind,
        "dedup_key": mail.dedup_key,
        "registration_id": mail.registration_id,
        "meeting_id": mail.meeting_id,
        "expires_at": mail.expires_at,
        "to_address": address,
        "member_id": member.member_id if member else None,
        "to_name": member.display_name if member else "",
        "language": member.language if member else "en",
        # Made once: a mail that is sent again can be recognised as the same one.
        "message_id": token_hex(16),
        "subject": letter.subject,
        "text": letter.text,
        "html": letter.html,
        "calendar": letter.calendar,
        "unsubscribe_url": letter.unsubscribe_url,
        "created_at": now,
        "due_at": now,
    }


_LATER = {"id", "lease", "lease_until", "done_at"}
_QUEUE = Prepared.insert(
    OutboxEmail,
    set(OutboxEmail.__mapper__.columns.keys()) - _LATER,
    lambda new: new.on_conflict_do_nothing(index_elements=[OutboxEmail.dedup_key]),
)


def withdraw(db_session: Session, *conditions: ColumnElement[bool]) -> None:
    """Delete mails that have not gone out, since what they say does not hold any more.

    Their keys are free again: should it hold once more, it is said once more.
    """
    mails = delete(OutboxEmail).where(OutboxEmail.state.in_(UNSENT_STATES), *conditions)
    db_session.execute(mails)


def mark_undeliverable(db_session: Session, member_id: int, *, now: datetime) -> None:
    """Stop mail to a member whose address does not work; their places stay."""
    member = update(Member).where(Member.id == member_id, Member.undeliverable_at.is_(None))
    db_session.execute(member.values(undeliverable_at=now))
    theirs = (OutboxEmail.member_id == member_id, OutboxEmail.state.in_(UNSENT_STATES))
    mails = update(OutboxEmail).where(*theirs).values(state=MailState.WITHDRAWN)
    db_session.execute(mails)


def mark_deliverable(db_session: Session, member_id: int) -> None:
    """Let mail go to a member again; what was withdrawn meanwhile stays so."""
    member = update(Member).where(Member.id == member_id)
    db_session.execute(member.values(undeliverable_at=None))


def retry(db_session: Session, ids: Iterable[int], *, now: datetime) -> None:
    """Give mails that failed another chance, from the beginning."""
    mails = update(OutboxEmail).where(
        OutboxEmail.id.in_(list(ids)), OutboxEmail.state == MailState.FAILED
    )
    db_session.execute(
        mails.values(state=MailState.QUEUED, attempts=0, due_at=now, created_at=now, done_at=None)
    )


def failures(db_session: Session) -> list[int]:
    """The mails to members that have failed, one or two: enough to tell whether it is the first."""
    is_failed = OutboxEmail.state == MailState.FAILED
    query = select(OutboxEmail.id).where(is_failed, OutboxEmail.kind != EmailKind.COORDINATORS)
    return list(db_session.scalars(query.order_by(OutboxEmail.id).limit(2)))


def keys(db_session: Session, meeting_id: int) -> set[str]:
    """The keys of all mails about a meeting: what need not be composed again."""
    query = select(OutboxEmail.dedup_key).where(OutboxEmail.meeting_id == meeting_id)
    return set(db_session.scalars(query))


def count_recent(
    db_session: Session,
    member_id: int,
    kind: EmailKind,
    *,
    now: datetime,
    within: timedelta,
    key_start: str = "",
) -> int:
    """How many emails of a kind were queued for a member within a time, by how their keys begin."""
    query = select(func.count()).where(
        OutboxEmail.member_id == member_id,
        OutboxEmail.kind == kind,
        OutboxEmail.created_at > now - within,
        OutboxEmail.created_at <= now + CLOCK_SLACK,
        OutboxEmail.dedup_key.startswith(key_start, autoescape=True),
    )
    return db_session.scalar(query) or 0


TEXT_RETENTION = timedelta(days=7)  # after a mail has gone out, or has failed
ROW_RETENTION = timedelta(days=60)  # as long as the same mail could be queued again
_BLANK = dict.fromkeys(("to_address", "to_name", "subject", "text", "html", "server_reply"), "")
_NONE = dict.fromkeys(("calendar", "unsubscribe_url"))


def expiries(*, now: datetime) -> Iterator[Expiry]:
    """The texts of emails that are done with for a week, and old rows."""
    is_done = OutboxEmail.state.not_in([*UNSENT_STATES, MailState.SENDING])
    has_text = OutboxEmail.text != ""
    is_over = func.coalesce(OutboxEmail.done_at, OutboxEmail.created_at) <= now - TEXT_RETENTION
    yield Expiry(OutboxEmail.id, is_done & has_text & is_over, _BLANK | _NONE, counter="mails")
    is_old = OutboxEmail.created_at <= now - ROW_RETENTION
    is_nobodys = ~HAS_RECIPIENT & (OutboxEmail.created_at <= now - timedelta(days=1))
    yield Expiry(OutboxEmail.id, is_done & (is_old | is_nobodys))
