"""Correct a misspelled address: move its registrations to the member with the right one."""

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
from cop.members import preferences
from cop.models.email import OutboxEmail
from cop.models.meeting import Meeting
from cop.models.registration import Member, Registration
from cop.outbox import outbox
from cop.outbox.outbox import EmailKind, QueuedEmail
from cop.registration import emails
from cop.roster import places

# Withdrawn, so that the misspelled address gets no email after a backup is restored either.
_ENDED_STATES = (withdrawals.EMAIL, withdrawals.LINKS)
_COLUMNS = (*MEMBER_COLUMNS, Member.first_attended_on)


def correct_address(
    db_session: Session, registration_id: int, email: str, *, writer: LetterWriter
) -> tuple[int, list[str]]:
    """Move all registrations of a misspelled address to the right one.

    The member with the misspelled address is deleted with every email to it, so that its links stop
    working and nothing queued goes out. The right address, which may belong to an existing member,
    gets one confirmation with a link of its own. Returns how many sessions that lists, and the
    Message-IDs of the deleted emails.
    """
    key = email_addresses.normalize(email)
    old = _locked_member(db_session, registration_id)
    is_theirs = Registration.member_id == old.id
    locked = locking.lock(
        db_session, db_session.scalars(select(Registration.meeting_id).where(is_theirs))
    )
    has_member = db_session.scalar(select(exists().where(Member.email_key == key)))
    new = _target_member(db_session, email, key, old)
    _refuse_shared_sessions(db_session, old.id, new.id)
    moved = update(Registration).where(is_theirs).values(member_id=new.id)
    moved_ids = db_session.scalars(moved.returning(Registration.id)).all()
    deleted_emails = _delete_member(db_session, old.id, writer=writer)
    if not has_member:  # what an existing member withdrew stays withdrawn
        withdrawals.forget(db_session, new.id, *_ENDED_STATES, writer=writer)
    if old.list_requested_at:
        to = recipient(new, name="", language=writer.language)
        preferences.request_subscription(db_session, to, writer=writer)
    sessions = _confirm(db_session, locked, moved_ids, writer=writer)
    return sessions, deleted_emails


def _delete_member(db_session: Session, member_id: int, *, writer: LetterWriter) -> list[str]:
    """Delete a member; return the Message-IDs of their emails, which are deleted as well."""
    withdrawals.remember(db_session, member_id, *_ENDED_STATES, writer=writer)
    is_theirs = OutboxEmail.member_id == member_id
    emails = delete(OutboxEmail).where(is_theirs).returning(OutboxEmail.message_id)
    message_ids = list(db_session.scalars(emails))
    db_session.execute(delete(Member).where(Member.id == member_id))
    return message_ids


def _locked_member(db_session: Session, registration_id: int) -> Any:
    """Read the member of a registration and lock their row, as an erasure does."""
    id_ = select(Registration.member_id).where(Registration.id == registration_id).scalar_subquery()
    query = select(*_COLUMNS).where(Member.id == id_)
    if row := db_session.execute(query.with_for_update()).one_or_none():
        return row
    raise Refused(places.CHANGED)


def _target_member(db_session: Session, email: str, key: str, old: Any) -> Any:
    """Read or create the member with the right address, and lock their row.

    The row lock serializes concurrent corrections to one address: the second finds the member.
    """
    new = insert_with_conflict(db_session, Member).values(
        email=email,
        email_key=key,
        opt_outs=old.opt_outs if old.verified_at else [],
    )
    upsert = new.on_conflict_do_update(
        index_elements=[Member.email_key], set_={"email_key": new.excluded.email_key}
    )
    row: Any = db_session.execute(upsert.returning(*_COLUMNS)).one()
    if row.id == old.id:
        raise Refused(
            N_("This is the address that we have. Write the one that is meant."), field="email"
        )
    days = [day for day in (old.first_attended_on, row.first_attended_on) if day]
    first = update(Member).where(Member.id == row.id)
    db_session.execute(first.values(first_attended_on=min(days, default=None)))
    return row


def _refuse_shared_sessions(db_session: Session, old: int, new: int) -> None:
    live = select(Registration.meeting_id).where(Registration.status.in_(LIVE_STATUSES))
    shared = [Meeting.id.in_(live.where(Registration.member_id == id_)) for id_ in (old, new)]
    if first := db_session.scalar(select(func.min(Meeting.starts_at)).where(*shared)):
        raise Refused(
            N_(
                "This address is registered for %(date)s already. Cancel the place of the misspelt "
                "address on that day, without a mail: the other one stays."
            ),
            field="email",
            date=first,
        )


def _confirm(
    db_session: Session,
    locked: Sequence[MeetingFacts],
    moved_ids: Sequence[int],
    *,
    writer: LetterWriter,
) -> int:
    """Queue one confirmation of all upcoming sessions; return how many it lists."""
    moved = recipients.of_registrations(db_session, moved_ids)
    live = {person.meeting_id: person for person in moved if person.status in LIVE_STATUSES}
    future = (m for m in locked if m.ends_at > writer.now and not m.is_cancelled)
    upcoming = [meeting for meeting in future if meeting.id in live]
    if not upcoming:
        return 0
    ids = {meeting.id: live[meeting.id].registration_id for meeting in upcoming}
    rows = [{"id": ids[m.id], "announced": str(m.snapshot)} for m in upcoming]
    db_session.execute(update(Registration), rows)
    held, waits = ([m for m in upcoming if live[m.id].status == status] for status in LIVE_STATUSES)
    to = live[upcoming[0].id].recipient
    letter = emails.confirmation(writer, to, held=held, waiting=waits, registration_ids=ids)
    key = f"corrected:{to.member_id}:{writer.now.isoformat()}"
    outbox.queue(db_session, [QueuedEmail(letter, to, EmailKind.CONFIRMATION, key)], now=writer.now)
    return len(upcoming) if to.is_deliverable else 0
