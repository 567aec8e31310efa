"""The outbox: composed mails, kept with what they tell, and delivered by whoever has the lease.

A mail is queued in the transaction that it tells of, so both are kept or lost together. A worker
leases one mail at a time; when it dies with a lease, the mail goes out again after the lease ends.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from secrets import token_hex

from sqlalchemy import ColumnElement, Row, case, delete, func, or_, select, update
from sqlalchemy.orm import Session

from cop.domain.recipients import Recipient
from cop.domain.statements import insert_with_conflict
from cop.mail.letter import Letter
from cop.models import MailState, Member, OutboxEmail

LEASE = timedelta(minutes=15)
BACKOFF = tuple(timedelta(minutes=minutes) for minutes in (1, 5, 15, 60))
GIVEN_UP_AFTER = timedelta(days=5)  # RFC 5321, 4.5.4.1: at least four or five days
TEXT_KEPT = timedelta(days=7)  # after a mail has gone out, or has failed
ROW_KEPT = timedelta(days=60)  # as long as the same mail could be queued again
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


def _is_over(now: datetime) -> ColumnElement[bool]:
    return func.coalesce(OutboxEmail.expires_at <= now, False)


def withdraw_late(db_session: Session, *, now: datetime) -> None:
    """Withdraw what is due and has come too late to be said, such as a reminder after the start."""
    _withdraw(db_session, _is_due(now), _is_over(now))


def claim(db_session: Session, *, now: datetime) -> OutboxEmail | None:
    """Lease the mail that has been due longest, if any; nobody else has it until the lease ends.

    Nothing goes out after its time.
    A lease that its holder let run out ended in a way that nobody knows: the mail may be there.
    """
    due = select(OutboxEmail.id).where(_is_due(now), ~_is_over(now))
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


def sent(db_session: Session, email: OutboxEmail, *, answer: str, now: datetime) -> None:
    """Note that the server has taken a mail."""
    _end_lease(db_session, email, state=MailState.SENT, answer=answer, done_at=now)


def put_back(
    db_session: Session, email: OutboxEmail, *, answer: str, now: datetime, in_doubt: bool = False
) -> None:
    """Note that a mail did not get through, and when to try again; after five days it has failed.

    `in_doubt`: the connection ended before the answer, so the server may have the mail already.
    """
    wait = BACKOFF[min(email.attempts, len(BACKOFF)) - 1]
    is_hopeless = now - email.created_at >= GIVEN_UP_AFTER
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
    _end_lease(db_session, email, state=MailState.FAILED, answer=answer, done_at=now)
    if bad_address and email.member_id is not None:
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


def _end_lease(db_session: Session, email: OutboxEmail, **values: object) -> None:
    # Only for the lease's holder: a worker that was away too long must not speak for another one.
    leased = update(OutboxEmail).where(OutboxEmail.id == email.id, OutboxEmail.lease == email.lease)
    db_session.execute(
        leased.values(lease=None, lease_until=None, **values).execution_options(
            synchronize_session=False
        )
    )


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


def forget(db_session: Session, *, now: datetime) -> int:
    """Blank what mails said that are done with for a week, and delete old rows; return how many."""
    is_done = OutboxEmail.state.not_in([*WAITING, MailState.SENDING])
    has_text = OutboxEmail.text != ""
    over = func.coalesce(OutboxEmail.done_at, OutboxEmail.created_at) <= now - TEXT_KEPT
    blank = {"to_address": "", "to_name": "", "subject": "", "text": "", "html": "", "answer": ""}
    blanked = db_session.execute(
        update(OutboxEmail)
        .where(is_done, has_text, over)
        .values(**blank, calendar=None, unsubscribe_url=None)
        .execution_options(synchronize_session=False)
    )
    db_session.execute(
        delete(OutboxEmail)
        .where(is_done, OutboxEmail.created_at <= now - ROW_KEPT)
        .execution_options(synchronize_session=False)
    )
    return blanked.rowcount  # type: ignore[attr-defined,no-any-return]


def failures(db_session: Session) -> list[Row[int, str]]:
    """The mails that have failed, one or two of them: enough to tell whether it is the first."""
    query = select(OutboxEmail.id, OutboxEmail.kind).where(OutboxEmail.state == MailState.FAILED)
    return list(db_session.execute(query.order_by(OutboxEmail.id).limit(2)))


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
