"""Lease emails to workers, and store the result of each attempt to send one.

A worker leases one email at a time. If the worker dies, the email is sent again after its lease has
expired.
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
MIN_ATTEMPTS = len(BACKOFF) + 1  # before giving up, if the worker was stopped for days

_NOW = bindparam("now", type_=UtcDateTime())


def _is_expired() -> ColumnElement[bool]:
    # An email without `expires_at` never expires: its comparison is NULL.
    return func.coalesce(OutboxEmail.expires_at <= _NOW, False)


def _is_obsolete() -> ColumnElement[bool]:
    """Whether an email is outdated, unwanted or too late.

    Most are deleted or withdrawn at the moment they become obsolete. This check is for those that
    were being sent at that moment, and are tried again.
    """
    email, newer_email = OutboxEmail, aliased(OutboxEmail)
    is_member, is_meeting = Member.id == email.member_id, Meeting.id == email.meeting_id
    is_registration = Registration.id == email.registration_id
    is_cancelled = Meeting.status == MeetingStatus.CANCELLED
    is_moved = Meeting.starts_at != email.expires_at  # reminders expire at the meeting's start
    is_newer = newer_email.id > email.id
    is_about_same = newer_email.registration_id == email.registration_id
    opted_out = [
        (email.kind == kind) & exists().where(is_member, Member.opt_outs.cast(Text).contains(name))
        for name, kind in OPTIONAL.items()
    ]
    return or_(
        _is_expired(),
        exists().where(is_registration, Registration.status == RegistrationStatus.CANCELLED),
        exists().where(is_member, Member.undeliverable_at.is_not(None)),
        (email.kind == EmailKind.REMINDER) & exists().where(is_meeting, is_cancelled | is_moved),
        (email.kind == EmailKind.CHANGED)
        & exists().where(newer_email.kind == EmailKind.CHANGED, is_newer, is_about_same),
        *opted_out,
    )


# An email is due if it is new, if it is time for a retry, or if its worker died.
_DUE = (
    (OutboxEmail.state == MailState.QUEUED) & (OutboxEmail.due_at <= _NOW),
    (OutboxEmail.state == MailState.RETRYING) & (OutboxEmail.due_at <= _NOW),
    (OutboxEmail.state == MailState.SENDING) & (OutboxEmail.lease_until <= _NOW),
)


def _claim_statement(is_due: ColumnElement[bool]) -> ReturningUpdate[OutboxEmail]:
    """Build the statement that leases the first due email, or withdraws it."""
    # The index on state and due_at gives this order, so a long queue is not read and sorted.
    first_query = select(OutboxEmail.id).where(is_due).order_by(OutboxEmail.due_at).limit(1)
    was_abandoned = case((OutboxEmail.state == MailState.SENDING, 1), else_=0)
    return (
        update(OutboxEmail)
        .where(OutboxEmail.id == first_query.with_for_update(skip_locked=True).scalar_subquery())
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
_SELECT_ANY_DUE = select(OutboxEmail.id).where(or_(*_DUE)).limit(1)


def is_due(db_session: Session, *, now: datetime) -> bool:
    """Whether any email is due; cheap enough for polling."""
    return db_session.scalar(_SELECT_ANY_DUE, {"now": now}) is not None


def claim(db_session: Session, *, now: datetime, skip_expired: bool = False) -> OutboxEmail | None:
    """Lease the next email that is due, new ones first; return None if there is none.

    Obsolete emails, such as a reminder after the start, are withdrawn on the way. An expired lease
    counts as an unknown outcome, since the email may have arrived.

    `skip_expired`: leave expired emails as they are, since the clock may be wrong.
    """
    for claim_first in _CLAIM_UNEXPIRED if skip_expired else _CLAIM:
        values = {"now": now, "until": now + LEASE, "new_lease": token_hex(16)}
        while email := db_session.scalars(claim_first, values).one_or_none():
            if email.state == MailState.SENDING:  # else it was withdrawn
                return email
    return None


def store_result(
    db_session: Session, email: OutboxEmail, result: str | errors.DeliveryError, *, now: datetime
) -> bool:
    """Store the reply to an attempt, or its error.

    Return False if the email was erased meanwhile.

    After a permanent error that is the address's fault, its member gets no more emails. After an
    error that is not permanent, the email is tried again.
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

    It never gives up because the server is unavailable or the site was stopped, nor as long as a
    coordinator has to confirm the clock.
    """
    is_too_old = now - email.created_at >= GIVE_UP_AFTER and email.attempts >= MIN_ATTEMPTS
    may_give_up = not isinstance(error, errors.ServerUnavailableError | errors.StoppedError)
    is_given_up = is_too_old and may_give_up
    if is_given_up:
        community = load_community(db_session)
        is_given_up = clock_check.check(community, now=now) is not clock_check.Verdict.ASK
    is_unknown = isinstance(error, errors.UnknownOutcomeError)
    return _end_lease(
        db_session,
        email,
        state=MailState.FAILED if is_given_up else MailState.RETRYING,
        server_reply=error.server_reply,
        # `attempts` includes this one; after the last backoff, it stays the same.
        due_at=now + BACKOFF[min(email.attempts, len(BACKOFF)) - 1],
        done_at=now if is_given_up else None,
        unknown_outcomes=OutboxEmail.unknown_outcomes + int(is_unknown),
    )


def _end_lease(db_session: Session, email: OutboxEmail, **values: object) -> bool:
    """Store values and end the lease; return False if it is another worker's."""
    is_leased = (OutboxEmail.id == email.id) & (OutboxEmail.lease == email.lease)
    end_lease = update(OutboxEmail).where(is_leased).values(lease=None, lease_until=None, **values)
    return db_session.scalar(end_lease.returning(OutboxEmail.id)) is not None
