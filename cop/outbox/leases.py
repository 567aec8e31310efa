"""Leases: which worker has which mail of the outbox, and how handing it over ended.

A worker leases one mail at a time; when it dies with a lease, the mail goes out again after the
lease ends.
"""

from datetime import datetime, timedelta
from secrets import token_hex

from sqlalchemy import ColumnElement, Text, bindparam, case, exists, func, or_, select, update
from sqlalchemy.orm import Session, aliased
from sqlalchemy.sql.dml import ReturningUpdate

from cop.audit import clock_check
from cop.audit.clock_check import Verdict
from cop.community.community import load_community
from cop.db.types import UtcDateTime
from cop.models.email import MailState, OutboxEmail
from cop.models.meeting import Meeting, MeetingStatus
from cop.models.registration import Member, Registration, RegistrationStatus
from cop.outbox import outbox
from cop.outbox.outbox import OPTIONAL, EmailKind

LEASE = timedelta(minutes=15)
BACKOFF = tuple(timedelta(minutes=minutes) for minutes in (1, 5, 15, 60))
GIVE_UP_AFTER = timedelta(days=5)  # RFC 5321, 4.5.4.1: at least four or five days
MIN_ATTEMPTS = len(BACKOFF) + 1  # before giving up: the worker itself may have been away for days

_NOW = bindparam("now", type_=UtcDateTime())


def _is_expired() -> ColumnElement[bool]:
    return func.coalesce(OutboxEmail.expires_at <= _NOW, False)


def _is_obsolete() -> ColumnElement[bool]:
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
        (mail.kind == kind) & exists().where(of_member, Member.opt_outs.cast(Text).contains(name))
        for name, kind in OPTIONAL.items()
    ]
    return or_(
        _is_expired(),
        exists().where(of_place, Registration.status == RegistrationStatus.CANCELLED),
        exists().where(of_member, Member.undeliverable_at.is_not(None)),
        (mail.kind == EmailKind.REMINDER) & exists().where(of_meeting, not_as_planned),
        (mail.kind == EmailKind.CHANGED)
        & exists().where(later.kind == EmailKind.CHANGED, is_newer),
        *off,
    )


# The ways in which a mail can be due: new, after a while, or left by a worker that ended.
_DUE = (
    (OutboxEmail.state == MailState.QUEUED) & (OutboxEmail.due_at <= _NOW),
    (OutboxEmail.state == MailState.RETRYING) & (OutboxEmail.due_at <= _NOW),
    (OutboxEmail.state == MailState.SENDING) & (OutboxEmail.lease_until <= _NOW),
)


def _claim_statement(is_due: ColumnElement[bool]) -> ReturningUpdate[OutboxEmail]:
    """The statement that leases, or withdraws, the first mail that is due in one way."""
    # In the order of the index, so that a long queue is neither read whole nor sorted each time.
    first = select(OutboxEmail.id).where(is_due).order_by(OutboxEmail.due_at).limit(1)
    was_abandoned = case((OutboxEmail.state == MailState.SENDING, 1), else_=0)
    return (
        update(OutboxEmail)
        .where(OutboxEmail.id == first.with_for_update(skip_locked=True).scalar_subquery())
        .values(
            state=case((_is_obsolete(), MailState.WITHDRAWN), else_=MailState.SENDING),
            attempts=OutboxEmail.attempts + 1,
            unknown_outcomes=OutboxEmail.unknown_outcomes + was_abandoned,
            lease=bindparam("new_lease"),
            lease_until=bindparam("until", type_=UtcDateTime()),
        )
        .returning(OutboxEmail)
        .execution_options(populate_existing=True)
    )


# Made once: it is asked for each mail, and takes longer to make than to run.
_CLAIM = tuple(_claim_statement(is_due) for is_due in _DUE)
_TAKE_FIRST_UNEXPIRED = tuple(_claim_statement(is_due & ~_is_expired()) for is_due in _DUE)
_IS_DUE = select(OutboxEmail.id).where(or_(*_DUE)).limit(1)


def is_due(db_session: Session, *, now: datetime) -> bool:
    """Whether there is a mail to deliver; cheap, so that it can be asked often."""
    return db_session.scalar(_IS_DUE, {"now": now}) is not None


def claim(db_session: Session, *, now: datetime, skip_expired: bool = False) -> OutboxEmail | None:
    """Lease the mail that has been due longest, if any; nobody else has it until the lease ends.

    What does not hold any more, such as a reminder after the start, is withdrawn as it comes up.
    A lease that its holder let run out ended in a way that nobody knows: the mail may be there.

    `skip_expired`: leave emails that have expired as they are, where the clock may be wrong.
    """
    for take_first in _TAKE_FIRST_UNEXPIRED if skip_expired else _CLAIM:
        values = {"now": now, "until": now + LEASE, "new_lease": token_hex(16)}
        while email := db_session.scalars(take_first, values).one_or_none():
            if email.state == MailState.SENDING:
                return email
    return None


def mark_sent(db_session: Session, email: OutboxEmail, *, answer: str, now: datetime) -> bool:
    """Note that the server has taken a mail; return False where it was erased meanwhile."""
    if _end_lease(db_session, email, state=MailState.SENT, server_reply=answer, done_at=now):
        return True
    query = select(OutboxEmail.id).where(OutboxEmail.id == email.id)
    return db_session.scalar(query) is not None


def mark_for_retry(
    db_session: Session,
    email: OutboxEmail,
    *,
    answer: str,
    now: datetime,
    in_doubt: bool = False,
    is_own_fault: bool = True,
) -> None:
    """Note that a mail did not get through, and when to try again; after five days it has failed.

    Not by a clock that a coordinator has yet to confirm: that would be for good.
    `in_doubt`: the connection ended before the answer, so the server may have the mail already.
    `is_own_fault`: not where the server takes no mail at all; then it waits as long as it takes.
    """
    wait = BACKOFF[min(email.attempts, len(BACKOFF)) - 1]
    is_late = now - email.created_at >= GIVE_UP_AFTER
    is_hopeless = is_own_fault and is_late and email.attempts >= MIN_ATTEMPTS
    if is_hopeless:
        community = load_community(db_session)
        is_hopeless = clock_check.check(community, now=now) is not Verdict.ASK
    _end_lease(
        db_session,
        email,
        state=MailState.FAILED if is_hopeless else MailState.RETRYING,
        server_reply=answer,
        due_at=now + wait,
        done_at=now if is_hopeless else None,
        unknown_outcomes=OutboxEmail.unknown_outcomes + int(in_doubt),
    )


def mark_failed(
    db_session: Session, email: OutboxEmail, *, answer: str, now: datetime, bad_address: bool
) -> None:
    """Note that a mail was refused for good; a member whose address is at fault gets no more."""
    is_ours = _end_lease(
        db_session, email, state=MailState.FAILED, server_reply=answer, done_at=now
    )
    if is_ours and bad_address and email.member_id is not None:
        outbox.mark_undeliverable(db_session, email.member_id, now=now)


def _end_lease(db_session: Session, email: OutboxEmail, **values: object) -> bool:
    # Only for the lease's holder: a worker that was away too long must not speak for another one.
    leased = update(OutboxEmail).where(OutboxEmail.id == email.id, OutboxEmail.lease == email.lease)
    ended = leased.values(lease=None, lease_until=None, **values).returning(OutboxEmail.id)
    return db_session.scalar(ended) is not None
