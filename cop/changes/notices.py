"""Telling those registered what became of a meeting: once, a short while after the last edit.

Each registration knows what its owner was told last. Who was told what still holds gets no mail:
so an edit that was undone is not told, and who registered between two edits is told what they need.
"""

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta

from sqlalchemy import select, update
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
    """Queue a mail to everybody who was told something that does not hold any more."""
    settled = writer.now - timedelta(minutes=writer.community.notice_minutes)
    query = select(Meeting.id).where(Meeting.edited_at <= settled)
    edited = locking.lock(db_session, db_session.scalars(query))
    # Two workers at once: the second one finds, behind the lock, that the first has done it.
    return sum(
        _announce(db_session, meeting, writer=writer)
        for meeting in edited
        if meeting.edited_at and meeting.edited_at <= settled
    )


def is_due(db_session: Session, *, writer: LetterWriter) -> bool:
    """Whether something was edited long enough ago."""
    settled = writer.now - timedelta(minutes=writer.community.notice_minutes)
    query = select(Meeting.id).where(Meeting.edited_at <= settled).limit(1)
    return db_session.scalar(query) is not None


def count_recipients(
    people: Iterable[Registered], meeting: MeetingFacts, *, now: datetime
) -> list[Registered]:
    """Who of those registered has to hear of a meeting as it is, or as it would be."""
    if meeting.ends_at <= now:
        return []
    return [
        person
        for person in people
        if _has_changed(person, Announced.read(person.announced), meeting.snapshot)
    ]


def _announce(db_session: Session, meeting: MeetingFacts, *, writer: LetterWriter) -> int:
    now_true = meeting.snapshot
    people = recipients.of_meeting(db_session, meeting.id)
    audience = count_recipients(people, meeting, now=writer.now)
    mails = [_mail(writer, meeting, person) for person in audience]
    outbox.queue(db_session, mails, now=writer.now)
    told = [
        {"id": person.registration_id, "announced": str(_merge_snapshot(person, now_true))}
        for person in people
    ]
    if told:
        db_session.execute(update(Registration), told)
    is_told = update(Meeting).where(Meeting.id == meeting.id).values(edited_at=None)
    db_session.execute(is_told)
    return len(mails)


def _merge_snapshot(person: Registered, now_true: Announced) -> Announced:
    """What somebody knows now; a way in that was taken away is remembered until the next."""
    join_url_hash = now_true.join_url_hash or Announced.read(person.announced).join_url_hash
    return replace(now_true, join_url_hash=join_url_hash)


def _has_changed(person: Registered, told: Announced, now_true: Announced) -> bool:
    """Whether somebody has to be told: another time, another fate, or another way in."""
    if not told.starts_at:
        return False
    if MeetingStatus.CANCELLED in {told.status, now_true.status}:
        return told.status != now_true.status
    if (told.starts_at, told.ends_at) != (now_true.starts_at, now_true.ends_at):
        return True
    hashes = {told.join_url_hash, now_true.join_url_hash}
    return len(hashes) == 2 and "" not in hashes and person.status == RegistrationStatus.HELD


def _mail(writer: LetterWriter, meeting: MeetingFacts, person: Registered) -> QueuedEmail:
    id_ = person.registration_id
    letter = emails.session_changed(
        writer,
        person.recipient,
        meeting,
        registration_id=id_,
        is_held=person.status == RegistrationStatus.HELD,
        told=Announced.read(person.announced),
    )
    return QueuedEmail(
        letter,
        person.recipient,
        EmailKind.CHANGED,
        f"changed:{id_}:{meeting.edited_at}",
        registration_id=id_,
        meeting_id=meeting.id,
        expires_at=meeting.ends_at,
    )
