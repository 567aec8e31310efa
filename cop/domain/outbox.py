"""The outbox: composed mails, kept with what they tell, and delivered by whoever has the lease.

A mail is queued in the transaction that it tells of, so both are kept or lost together. A worker
leases one mail at a time; when it dies with a lease, the mail goes out again after the lease ends.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from secrets import token_hex

from sqlalchemy import ColumnElement, Text, case, delete, exists, func, or_, select, update
from sqlalchemy.orm import Session, aliased

from cop.domain.recipients import Recipient
from cop.domain.statements import insert_with_conflict
from cop.mail.letter import Letter
from cop.models import (
    MailState,
    Meeting,
    MeetingStatus,
    Member,
    OutboxEmail,
    Registration,
    RegistrationStatus,
)

LEASE = timedelta(minutes=15)
BACKOFF = tuple(timedelta(minutes=minutes) for minutes in (1, 5, 15, 60))
GIVEN_UP_AFTER = timedelta(days=5)  # RFC 5321, 4.5.4.1: at least four or five days
LEAST_TRIES = len(BACKOFF) + 1  # before giving up: the worker itself may have been away for days
WAITING = (MailState.QUEUED, MailState.RETRYING)


class Kind(StrEnum):
    """What a mail is about."""

    CONFIRMATION = "confirmation"
    PROMOTED = "promoted"
    CHANGED = "changed"
    REMINDER = "reminder"
    TAKEAWAYS = "takeaways"
    LINK = "link"
    LIST = "list"
    COORDINATORS = "coordinators"
    PASSWORD = "password"  # noqa: S105 - a kind of mail


# What can be switched off: the value kept in `Member.mail_off`, and the kind that it stops.
OPTIONAL = {"reminders": Kind.REMINDER, "takeaways": Kind.TAKEAWAYS}


NOBODYS = "nobody:"  # begins the key of a row that only takes as long as a mail
IS_TO_SOMEBODY = OutboxEmail.dedup_key.not_like(f"{NOBODYS}%")


@dataclass(frozen=True)
class Mail:
    """A letter with whom it goes to: a member, or the address of somebody who is none.

    It is queued once for each `dedup_key`; what it is about lets it be found and withdrawn.
    """

    letter: Letter
    to: Recipient | str
    kind: Kind
    dedup_key: str
    registration_id: int | None = None
    meeting_id: int | None = None
    expires_at: datetime | None = None


def queue(db_session: Session, mails: Iterable[Mail], *, now: datetime) -> None:
    """Queue mails; none to a member whose address refuses mail."""
    rows = [_row(mail, now) for mail in mails if _is_deliverable(mail.to)]
    if rows:
        new = insert_with_conflict(db_session, OutboxEmail)
        db_session.execute(new.on_conflict_do_nothing(index_elements=[OutboxEmail.dedup_key]), rows)


def _is_deliverable(to: Recipient | str) -> bool:
    return isinstance(to, str) or to.undeliverable_at is None


def _row(mail: Mail, now: datetime) -> dict[str, object]:
    letter = mail.letter
    address, member = (mail.to, None) if isinstance(mail.to, str) else (mail.to.email, mail.to)
    return {
        "kind": mail.kind,
        "dedup_key": mail.dedup_key,
        "registration_id": mail.registration_id,
        "meeting_id": mail.meeting_id,
        "expires_at": mail.expires_at,
        "to_address": address,
        "member_id": member.member_id if member else None,
        "to_name": member.shown_name if member else "",
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


def take_back(db_session: Session, *conditions: ColumnElement[bool]) -> None:
    """Delete mails that have not gone out, since what they say does not hold any more.

    Their keys are free again: should it hold once more, it is said once more.
    """
    mails = delete(OutboxEmail).where(OutboxEmail.state.in_(WAITING), *conditions)
    db_session.execute(mails.execution_options(synchronize_session=False))


def _withdraw(db_session: Session, *conditions: ColumnElement[bool]) -> None:
    mails = update(OutboxEmail).where(*conditions).values(state=MailState.WITHDRAWN, lease=None)
    db_session.execute(mails.execution_options(synchronize_session=False))


def is_due(db_session: Session, *, now: datetime) -> bool:
    """Whether there is a mail to deliver; cheap, so that it can be asked often."""
    query = select(OutboxEmail.id).where(_is_due(now)).limit(1)
    return db_session.scalar(query) is not None


def _is_due(now: datetime) -> ColumnElement[bool]:
    is_waiting = OutboxEmail.state.in_(WAITING) & (OutboxEmail.due_at <= now)
    is_abandoned = (OutboxEmail.state == MailState.SENDING) & (OutboxEmail.lease_until <= now)
    return or_(is_waiting, is_abandoned)


def _is_moot(now: datetime) -> ColumnElement[bool]:
    """Whether what a mail says does not hold any more, or is not wanted, or comes too late.

    Most of these are taken back when it happens; those that were just being handed over are not.
    """
    mail, later = OutboxEmail, aliased(OutboxEmail)
    of_member, of_place = Member.id == mail.member_id, Registration.id == mail.registration_id
    of_meeting = Meeting.id == mail.meeting_id
    not_as_planned = (Meeting.status == MeetingStatus.CANCELLED) | (
        Meeting.starts_at != mail.expires_at
    )
    is_newer = (later.registration_id == mail.registration_id) & (later.id > mail.id)
    off = [
        (mail.kind == kind) & exists().where(of_member, Member.mail_off.cast(Text).contains(name))
        for name, kind in OPTIONAL.items()
    ]
    return or_(
        func.coalesce(mail.expires_at <= now, False),
        exists().where(of_place, Registration.status == RegistrationStatus.CANCELLED),
        exists().where(of_member, Member.undeliverable_at.is_not(None)),
        (mail.kind == Kind.REMINDER) & exists().where(of_meeting, not_as_planned),
        (mail.kind == Kind.CHANGED) & exists().where(later.kind == Kind.CHANGED, is_newer),
        *off,
    )


def withdraw_moot(db_session: Session, *, now: datetime) -> None:
    """Withdraw what is due and is not to be said any more, such as a reminder after the start."""
    _withdraw(db_session, _is_due(now), _is_moot(now))


def claim(db_session: Session, *, now: datetime) -> OutboxEmail | None:
    """Lease the mail that has been due longest, if any; nobody else has it until the lease ends.

    Nothing goes out that does not hold any more.
    A lease that its holder let run out ended in a way that nobody knows: the mail may be there.
    """
    due = select(OutboxEmail.id).where(_is_due(now), ~_is_moot(now))
    due = due.order_by(OutboxEmail.due_at, OutboxEmail.id)
    chosen = due.limit(1).with_for_update(skip_locked=True)
    was_abandoned = case((OutboxEmail.state == MailState.SENDING, 1), else_=0)
    leased = (
        update(OutboxEmail)
        .where(OutboxEmail.id == chosen.scalar_subquery())
        .values(
            state=MailState.SENDING,
            attempts=OutboxEmail.attempts + 1,
            unknown_endings=OutboxEmail.unknown_endings + was_abandoned,
            lease=token_hex(16),
            lease_until=now + LEASE,
        )
        .returning(OutboxEmail)
        .execution_options(synchronize_session=False, populate_existing=True)
    )
    return db_session.scalars(leased).one_or_none()


def sent(db_session: Session, email: OutboxEmail, *, answer: str, now: datetime) -> bool:
    """Note that the server has taken a mail; return False where it was erased meanwhile."""
    if _end_lease(db_session, email, state=MailState.SENT, answer=answer, done_at=now):
        return True
    query = select(OutboxEmail.id).where(OutboxEmail.id == email.id)
    return db_session.scalar(query) is not None


def put_back(
    db_session: Session,
    email: OutboxEmail,
    *,
    answer: str,
    now: datetime,
    in_doubt: bool = False,
    is_own_fault: bool = True,
) -> None:
    """Note that a mail did not get through, and when to try again; after five days it has failed.

    `in_doubt`: the connection ended before the answer, so the server may have the mail already.
    `is_own_fault`: not where the server takes no mail at all; then it waits as long as it takes.
    """
    wait = BACKOFF[min(email.attempts, len(BACKOFF)) - 1]
    is_late = now - email.created_at >= GIVEN_UP_AFTER
    is_hopeless = is_own_fault and is_late and email.attempts >= LEAST_TRIES
    _end_lease(
        db_session,
        email,
        state=MailState.FAILED if is_hopeless else MailState.RETRYING,
        answer=answer,
        due_at=now + wait,
        done_at=now if is_hopeless else None,
        unknown_endings=OutboxEmail.unknown_endings + int(in_doubt),
    )


def failed(
    db_session: Session, email: OutboxEmail, *, answer: str, now: datetime, bad_address: bool
) -> None:
    """Note that a mail was refused for good; a member whose address is at fault gets no more."""
    is_ours = _end_lease(db_session, email, state=MailState.FAILED, answer=answer, done_at=now)
    if is_ours and bad_address and email.member_id is not None:
        mark_undeliverable(db_session, email.member_id, now=now)


def mark_undeliverable(db_session: Session, member_id: int, *, now: datetime) -> None:
    """Stop mail to a member whose address does not work; their places stay."""
    member = update(Member).where(Member.id == member_id, Member.undeliverable_at.is_(None))
    db_session.execute(member.values(undeliverable_at=now))
    _withdraw(db_session, OutboxEmail.state.in_(WAITING), OutboxEmail.member_id == member_id)


def mark_deliverable(db_session: Session, member_id: int) -> None:
    """Let mail go to a member again; what was withdrawn meanwhile stays so."""
    member = update(Member).where(Member.id == member_id)
    db_session.execute(member.values(undeliverable_at=None))


def _end_lease(db_session: Session, email: OutboxEmail, **values: object) -> bool:
    # Only for the lease's holder: a worker that was away too long must not speak for another one.
    leased = update(OutboxEmail).where(OutboxEmail.id == email.id, OutboxEmail.lease == email.lease)
    ended = leased.values(lease=None, lease_until=None, **values).returning(OutboxEmail.id)
    return db_session.scalar(ended.execution_options(synchronize_session=False)) is not None


def try_again(db_session: Session, ids: Iterable[int], *, now: datetime) -> None:
    """Give mails that failed another chance, from the beginning."""
    mails = update(OutboxEmail).where(
        OutboxEmail.id.in_(list(ids)), OutboxEmail.state == MailState.FAILED
    )
    db_session.execute(
        mails.values(
            state=MailState.QUEUED, attempts=0, due_at=now, created_at=now, done_at=None
        ).execution_options(synchronize_session=False)
    )


def failures(db_session: Session) -> list[int]:
    """The mails to members that have failed, one or two: enough to tell whether it is the first."""
    is_failed = OutboxEmail.state == MailState.FAILED
    query = select(OutboxEmail.id).where(is_failed, OutboxEmail.kind != Kind.COORDINATORS)
    return list(db_session.scalars(query.order_by(OutboxEmail.id).limit(2)))


def keys(db_session: Session, meeting_id: int) -> set[str]:
    """The keys of all mails about a meeting: what need not be composed again."""
    query = select(OutboxEmail.dedup_key).where(OutboxEmail.meeting_id == meeting_id)
    return set(db_session.scalars(query))


def queued_lately(
    db_session: Session, member_id: int, kind: Kind, *, now: datetime, within: timedelta
) -> int:
    """How many mails of a kind were queued for a member within a time."""
    query = select(func.count()).where(
        OutboxEmail.member_id == member_id,
        OutboxEmail.kind == kind,
        OutboxEmail.created_at > now - within,
    )
    return db_session.scalar(query) or 0
