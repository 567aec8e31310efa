"""Notify attendees of changes to a meeting, a few minutes after the last edit.

Each registration stores a snapshot of what its owner was last notified of; only people whose
snapshot is out of date are emailed. So an edit that was undone causes no email, and people who
registered after an edit get none about it.
"""

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta

from sqlalchemy import Select, select, update
from sqlalchemy.orm import Session

from cop.changes import emails
from cop.mail import recipients
from cop.mail.recipients import Registered
from cop.mail.writer import LetterWriter
from cop.meetings import locking
from cop.meetings.locking import Announced, MeetingFacts
from cop.models.meeting import Meeting, MeetingStatus
from cop.models.registration import Registration, RegistrationStatus
from cop.outbox import outbox
from cop.outbox.outbox import EmailKind, QueuedEmail


def queue_notices(db_session: Session, *, writer: LetterWriter) -> int:
    """Queue an email to everybody whose snapshot is out of date; return how many."""
    edited_until = _edited_until(writer)
    locked = locking.lock(db_session, db_session.scalars(_select_edited(edited_until)))
    # Check again under the lock: another worker may have queued them meanwhile.
    return sum(
        _queue_for(db_session, meeting, writer=writer)
        for meeting in locked
        if meeting.edited_at and meeting.edited_at <= edited_until
    )


def is_due(db_session: Session, *, writer: LetterWriter) -> bool:
    """Whether there is a meeting to send notices about now."""
    return db_session.scalar(_select_edited(_edited_until(writer)).limit(1)) is not None


def filter_recipients(
    people: Iterable[Registered], meeting: MeetingFacts, *, now: datetime
) -> list[Registered]:
    """Return the people who need an email about the meeting in its given state."""
    if meeting.ends_at <= now:
        return []
    current = meeting.snapshot
    return [person for person in people if _is_outdated(person, current)]


def _edited_until(writer: LetterWriter) -> datetime:
    """Return the time until which edits are old enough to send notices about them."""
    return writer.now - timedelta(minutes=writer.community.notice_minutes)


def _select_edited(edited_until: datetime) -> Select[int]:
    return select(Meeting.id).where(Meeting.edited_at <= edited_until)


def _queue_for(db_session: Session, meeting: MeetingFacts, *, writer: LetterWriter) -> int:
    people = recipients.of_meeting(db_session, meeting.id)
    to_notify = filter_recipients(people, meeting, now=writer.now)
    queued = [_email(writer, meeting, person) for person in to_notify]
    outbox.queue(db_session, queued, now=writer.now)
    rows = [
        {"id": person.registration_id, "announced": str(_next_snapshot(person, meeting))}
        for person in people
    ]
    if rows:
        db_session.execute(update(Registration), rows)
    db_session.execute(update(Meeting).where(Meeting.id == meeting.id).values(edited_at=None))
    return len(queued)


def _next_snapshot(person: Registered, meeting: MeetingFacts) -> Announced:
    """Return the snapshot to store; it keeps a removed join address until a new one."""
    current = meeting.snapshot
    announced_hash = Announced.read(person.announced).join_url_hash
    return replace(current, join_url_hash=current.join_url_hash or announced_hash)


def _is_outdated(person: Registered, current: Announced) -> bool:
    """Whether a person needs an email about the meeting.

    They do if its status, its time or (only if they have a spot) its join address has changed.
    """
    announced = Announced.read(person.announced)
    if not announced.starts_at:  # no snapshot was stored
        return False
    if MeetingStatus.CANCELLED in {announced.status, current.status}:
        return announced.status != current.status
    if (announced.starts_at, announced.ends_at) != (current.starts_at, current.ends_at):
        return True
    # A join address that was only added or removed, whose hash is empty, causes no email.
    hashes = {announced.join_url_hash, current.join_url_hash}
    return len(hashes) == 2 and "" not in hashes and person.status == RegistrationStatus.HELD


def _email(writer: LetterWriter, meeting: MeetingFacts, person: Registered) -> QueuedEmail:
    letter = emails.session_changed(writer, person, meeting)
    key = f"changed:{person.registration_id}:{meeting.edited_at}"
    return outbox.to_registered(letter, person, EmailKind.CHANGED, key, meeting.ends_at)
