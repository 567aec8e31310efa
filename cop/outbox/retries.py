"""Leases: which worker is sending which email, and the result of each attempt.

A worker leases one email at a time. If the worker dies, the email is sent again when its lease has
ended.
"""

from datetime import datetime, timedelta
from secrets import token_hex

from sqlalchemy import ColumnElement, Text, bindparam, case, exists, func, or_, select, update
from sqlalchemy.orm import Session, aliased
from sqlalchemy.sql.dml import ReturningUpdate

from cop.audit import clock_check
from cop.community.community import load_community
from cop.db.types import UtcDateTime
from cop.mail import errors
from cop.models.email import MailState, OutboxEmail
from cop.models.meeting import Meeting, MeetingStatus
from cop.models.registration import Member, Registration, RegistrationStatus
from cop.outbox import outbox
from cop.outbox.outbox import OPTIONAL, EmailKind

LEASE = timedelta(minutes=15)
BACKOFF = tuple(timedelta(minutes=minutes) for minutes in (1, 5, 15, 60))
GIVE_UP_AFTER = timedelta(days=5)  # RFC 5321, 4.5.4.1: at least four or five days
MIN_ATTEMPTS = len(BACKOFF) + 1  # before giving up: the worker may have been away for days

_NOW = bindparam("now", type_=UtcDateTime())


def _is_expired() -> ColumnElement[bool]:
    return func.coalesce(OutboxEmail.expires_at <= _NOW, False)


def _is_obsolete() -> ColumnElement[bool]:
    """Whether an email is outdated, unwanted or too late.

    Most are withdrawn as soon as they are; not so one that was being sent at that moment.
    """
    email, later = OutboxEmail, aliased(OutboxEmail)
    of_member, of_place = Member.id == email.member_id, Registration.id == email.registration_id
    of_meeting = Meeting.id == email.meeting_id
    is_cancelled = Meeting.status == MeetingStatus.CANCELLED
    is_newer = (later.registration_id == email.registration_id) & (later.id > email.id)
    opted_out = [
        (email.kind == kind) & exists().where(of_member, Member.opt_outs.cast(Text).contains(name))
        for name, kind in OPTIONAL.items()
    ]
    return or_(
        _is_expired(),
        exists().where(of_place, Registration.status == RegistrationStatus.CANCELLED),
        exists().where(of_member, Member.undeliverable_at.is_not(None)),
        (email.kind == EmailKind.REMINDER)
        & exists().where(of_meeting, is_cancelled | (Meeting.starts_at != email.expires_at)),
        (email.kind == EmailKind.CHANGED)
        & exists().where(later.kind == EmailKind.CHANGED, is_newer),
        *opted_out,
    )


# An email is due when it is new, when its retry is, or when its worker died.
_DUE = (
    (OutboxEmail.state == MailState.QUEUED) & (OutboxEmail.due_at <= _NOW),
    (OutboxEmail.state == MailState.RETRYING) & (OutboxEmail.due_at <= _NOW),
    (OutboxEmail.state == MailState.SENDING) & (OutboxEmail.lease_until <= _NOW),
)


def _claim_statement(is_due: ColumnElement[bool]) -> ReturningUpdate[OutboxEmail]:
    """Build the statement that leases, or withdraws, the first email that is due."""
    # In the order of the index: a long queue is neither read whole nor sorted each time.
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


# Built once: building takes longer than running it.
_CLAIM = tuple(_claim_statement(is_due) for is_due in _DUE)
_CLAIM_UNEXPIRED = tuple(_claim_statement(is_due & ~_is_expired()) for is_due in _DUE)
_IS_DUE = select(OutboxEmail.id).where(or_(*_DUE)).limit(1)


def is_due(db_session: Session, *, now: datetime) -> bool:
    """Whether there is an email to deliver; cheap enough for polling."""
    return db_session.scalar(_IS_DUE, {"now": now}) is not None


def claim(db_session: Session, *, now: datetime, skip_expired: bool = False) -> OutboxEmail | None:
    """Lease the email that has been due longest; return None if there is none.

    An obsolete one, such as a reminder after the start, is withdrawn instead. An expired lease
    counts as an unknown outcome: the email may have arrived.

    `skip_expired`: leave expired emails untouched, since the clock may be wrong.
    """
    for claim_first in _CLAIM_UNEXPIRED if skip_expired else _CLAIM:
        values = {"now": now, "until": now + LEASE, "new_lease": token_hex(16)}
        while email := db_session.scalars(claim_first, values).one_or_none():
            if email.state == MailState.SENDING:
                return email
    return None


def store_result(
    db_session: Session, email: OutboxEmail, result: str | errors.DeliveryError, *, now: datetime
) -> bool:
    """Store the reply to an attempt, or its error; return False if the email was erased meanwhile.

    A permanent error about the address stops all email to its member. Other errors are retried.
    """
    if isinstance(result, str):
        sent = {"state": MailState.SENT, "server_reply": result, "done_at": now}
        is_stored = _end_lease(db_session, email, **sent)
    elif isinstance(result, errors.PermanentError):
        failed = {"state": MailState.FAILED, "server_reply": result.server_reply, "done_at": now}
        is_stored = _end_lease(db_session, email, **failed)
        if is_stored and result.is_address_fault and email.member_id is not None:
            outbox.mark_undeliverable(db_session, email.member_id, now=now)
    else:
        is_stored = _retry(db_session, email, result, now=now)
    query = select(OutboxEmail.id).where(OutboxEmail.id == email.id)
    return is_stored or db_session.scalar(query) is not None


def _retry(
    db_session: Session, email: OutboxEmail, error: errors.DeliveryError, *, now: datetime
) -> bool:
    """Schedule the next attempt, or give up after five days.

    It does not give up while the server is unavailable or because the site is stopped, nor by a
    clock that a coordinator has yet to confirm.
    """
    is_late = now - email.created_at >= GIVE_UP_AFTER and email.attempts >= MIN_ATTEMPTS
    is_endless = isinstance(error, errors.ServerUnavailableError | errors.StoppedError)
    is_given_up = is_late and not is_endless
    if is_given_up:
        community = load_community(db_session)
        is_given_up = clock_check.check(community, now=now) is not clock_check.Verdict.ASK
    is_unknown = isinstance(error, errors.UnknownOutcomeError)
    return _end_lease(
        db_session,
        email,
        state=MailState.FAILED if is_given_up else MailState.RETRYING,
        server_reply=error.server_reply,
        due_at=now + BACKOFF[min(email.attempts, len(BACKOFF)) - 1],
        done_at=now if is_given_up else None,
        unknown_outcomes=OutboxEmail.unknown_outcomes + int(is_unknown),
    )


def _end_lease(db_session: Session, email: OutboxEmail, **values: object) -> bool:
    # Only the holder of the lease may: a worker that was too slow has lost it to another one.
    leased = update(OutboxEmail).where(OutboxEmail.id == email.id, OutboxEmail.lease == email.lease)
    ended = leased.values(lease=None, lease_until=None, **values).returning(OutboxEmail.id)
    return db_session.scalar(ended) is not None
