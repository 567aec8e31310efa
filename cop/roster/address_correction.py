"""Correct a misspelled address: move its registrations to the right member."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import delete, exists, func, select, update
from sqlalchemy.orm import Session

from cop import email_addresses
from cop.audit import withdrawals
from cop.db.statements import insert_with_conflict
from cop.errors import Refused
from cop.i18n import N_
from cop.mail import recipients
from cop.mail.recipients import LIVE_STATUSES, MEMBER_COLUMNS, recipient
from cop.mail.writer import LetterWriter
from cop.meetings import locking
from cop.meetings.locking import MeetingFacts
from cop.models.email import OutboxEmail
from cop.models.meeting import Meeting
from cop.models.registration import Member, Registration, RegistrationStatus, Submission
from cop.outbox import outbox
from cop.outbox.outbox import EmailKind, QueuedEmail
from cop.registration import confirmation, emails, notifications, waiting_list
from cop.roster import places

# Recorded for the misspelled address, so that it gets no email after a backup is restored either.
_WITHDRAWN_SCOPES = (withdrawals.EMAIL, withdrawals.LINKS)
_COLUMNS = (*MEMBER_COLUMNS, Member.first_attended_on)


def correct_address(
    db_session: Session, registration_id: int, email: str, *, writer: LetterWriter
) -> tuple[int, list[str]]:
    """Move all registrations of a misspelled address to the right one.

    The member with the misspelled address is deleted with every email to it, so that its links stop
    working and nothing queued goes out. The right address, which may belong to an existing member,
    gets one confirmation with a new link. Return how many sessions the confirmation lists (0 if
    none is sent), and the Message-IDs of the deleted emails.
    """
    key = email_addresses.normalize(email)
    old = _lock_member(db_session, registration_id)
    is_theirs = Registration.member_id == old.id
    locked = locking.lock(
        db_session, db_session.scalars(select(Registration.meeting_id).where(is_theirs))
    )
    is_known = db_session.scalar(select(exists().where(Member.email_key == key)))
    new = _upsert_target_member(db_session, email, key, old)
    _refuse_shared_sessions(db_session, old.id, new.id)
    move_registrations = update(Registration).where(is_theirs).values(member_id=new.id)
    moved_ids = db_session.scalars(move_registrations.returning(Registration.id)).all()
    deleted_emails = _delete_member(db_session, old.id, writer=writer)
    if not is_known:  # what an existing member withdrew stays withdrawn
        withdrawals.forget(db_session, new.id, *_WITHDRAWN_SCOPES, writer=writer)
    if old.list_requested_at:
        to = recipient(new, name="", language=writer.language)
        notifications.request_subscription(db_session, to, writer=writer)
    sessions = _confirm(db_session, locked, moved_ids, writer=writer)
    return sessions, deleted_emails


def _delete_member(db_session: Session, member_id: int, *, writer: LetterWriter) -> list[str]:
    """Delete a member and their emails; return the Message-IDs of those."""
    withdrawals.remember(db_session, member_id, *_WITHDRAWN_SCOPES, writer=writer)
    is_theirs = OutboxEmail.member_id == member_id
    delete_emails = delete(OutboxEmail).where(is_theirs).returning(OutboxEmail.message_id)
    message_ids = list(db_session.scalars(delete_emails))
    db_session.execute(delete(Submission).where(Submission.member_id == member_id))
    db_session.execute(delete(Member).where(Member.id == member_id))
    return message_ids


def _lock_member(db_session: Session, registration_id: int) -> Any:
    """Read the member of a registration and lock their row, as an erasure does."""
    select_id = select(Registration.member_id).where(Registration.id == registration_id)
    query = select(*_COLUMNS).where(Member.id == select_id.scalar_subquery())
    if row := db_session.execute(query.with_for_update()).one_or_none():
        return row
    raise Refused(places.CHANGED)


def _upsert_target_member(db_session: Session, email: str, key: str, old: Any) -> Any:
    """Read or create the member with the right address, and lock their row.

    The lock makes a concurrent correction to the same address wait, and then find the member.
    """
    new = insert_with_conflict(db_session, Member).values(
        email=email, email_key=key, opt_outs=old.opt_outs if old.verified_at else []
    )
    # For an existing member the update changes nothing, but locks the row and returns it.
    upsert = new.on_conflict_do_update(
        index_elements=[Member.email_key], set_={"email_key": new.excluded.email_key}
    )
    row: Any = db_session.execute(upsert.returning(*_COLUMNS)).one()
    if row.id == old.id:
        raise Refused(confirmation.SAME_EMAIL, field="email")
    days = [day for day in (old.first_attended_on, row.first_attended_on) if day]
    update_member = update(Member).where(Member.id == row.id)
    db_session.execute(update_member.values(first_attended_on=min(days, default=None)))
    return row


def _refuse_shared_sessions(db_session: Session, *member_ids: int) -> None:
    query = select(Registration.meeting_id).where(Registration.status.in_(LIVE_STATUSES))
    is_shared = [Meeting.id.in_(query.where(Registration.member_id == id_)) for id_ in member_ids]
    if first_starts_at := db_session.scalar(select(func.min(Meeting.starts_at)).where(*is_shared)):
        raise Refused(
            N_(
                "This email is already registered for %(date)s. Cancel the registration with the "
                "typo for that session, without an email, then try again."
            ),
            field="email",
            date=first_starts_at,
        )


def _confirm(
    db_session: Session,
    locked: Sequence[MeetingFacts],
    moved_ids: Sequence[int],
    *,
    writer: LetterWriter,
) -> int:
    """Queue one confirmation of all upcoming sessions; return how many, 0 if unsent."""
    moved = recipients.of_registrations(db_session, moved_ids)
    live = {person.meeting_id: person for person in moved if person.status in LIVE_STATUSES}
    future = (m for m in locked if m.ends_at > writer.now and not m.is_cancelled)
    upcoming = [meeting for meeting in future if meeting.id in live]
    if not upcoming:
        return 0
    ids = {meeting.id: live[meeting.id].registration_id for meeting in upcoming}
    rows = [{"id": ids[m.id], "announced": str(m.snapshot)} for m in upcoming]
    db_session.execute(update(Registration), rows)
    held = [m for m in upcoming if live[m.id].status == RegistrationStatus.HELD]
    waiting = [m for m in upcoming if live[m.id].status == RegistrationStatus.WAITING]
    to = live[upcoming[0].id].recipient
    positions = waiting_list.positions(db_session, waiting, ids)
    letter = emails.confirmation(
        writer, to, held=held, waiting=waiting, positions=positions, registration_ids=ids
    )
    key = f"corrected:{to.member_id}:{writer.now.isoformat()}"
    outbox.queue(db_session, [QueuedEmail(letter, to, EmailKind.CONFIRMATION, key)], now=writer.now)
    return len(upcoming) if to.is_deliverable else 0
