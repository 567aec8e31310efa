"""The waiting list: free places go to those who wait, in the order in which they joined it."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Select, func, select, update
from sqlalchemy.orm import Session

from cop.mail import recipients
from cop.mail.recipients import Registered
from cop.mail.writer import LetterWriter
from cop.meetings.locking import LockedMeeting
from cop.models.registration import Registration, RegistrationStatus
from cop.outbox import outbox
from cop.outbox.outbox import EmailKind, QueuedEmail
from cop.registration import emails


def promote(db_session: Session, meeting: LockedMeeting, *, writer: LetterWriter) -> list[int]:
    """Give a meeting's free places to those who wait; return whose registrations they are.

    The caller holds the meeting's lock, so that no place is lost or given twice. Never after the
    start: who waited has other plans by then.
    """
    if meeting.is_cancelled or meeting.starts_at <= writer.now:
        return []
    in_line = _at(meeting, RegistrationStatus.WAITING).order_by(Registration.id)
    if meeting.capacity is not None:
        held = _at(meeting, RegistrationStatus.HELD).subquery()
        taken = db_session.scalar(select(func.count()).select_from(held)) or 0
        in_line = in_line.limit(max(0, meeting.capacity - taken))
    ids = list(db_session.scalars(in_line))
    if ids:
        give_places(db_session, meeting, ids, writer=writer)
    return ids


def give_places(
    db_session: Session, meeting: LockedMeeting, ids: Sequence[int], *, writer: LetterWriter
) -> None:
    """Give places to some who wait, and tell them; the caller holds the meeting's lock."""
    _hold_places(db_session, meeting, ids, now=writer.now)
    people = recipients.of_registrations(db_session, ids)
    mails = [_promotion_email(writer, meeting, person) for person in people]
    outbox.queue(db_session, mails, now=writer.now)


def waiting_position(db_session: Session, registration_id: int, *, meeting_id: int) -> int:
    """How many wait at a meeting up to and with this registration: 3 for the third in line."""
    ahead = select(func.count()).where(
        Registration.meeting_id == meeting_id,
        Registration.status == RegistrationStatus.WAITING,
        Registration.id <= registration_id,
    )
    return db_session.scalar(ahead) or 0


def _at(meeting: LockedMeeting, status: RegistrationStatus) -> Select[int]:
    return select(Registration.id).where(
        Registration.meeting_id == meeting.id, Registration.status == status
    )


def _hold_places(
    db_session: Session, meeting: LockedMeeting, ids: Sequence[int], *, now: datetime
) -> None:
    places = update(Registration).where(Registration.id.in_(ids))
    db_session.execute(
        places.values(
            status=RegistrationStatus.HELD, promoted_at=now, announced=str(meeting.snapshot)
        )
    )


def _promotion_email(
    writer: LetterWriter, meeting: LockedMeeting, person: Registered
) -> QueuedEmail:
    id_ = person.registration_id
    letter = emails.promoted(writer, person.recipient, meeting, registration_id=id_)
    return QueuedEmail(
        letter,
        person.recipient,
        EmailKind.PROMOTED,
        f"promoted:{id_}:{writer.now.isoformat()}",
        registration_id=id_,
        meeting_id=meeting.id,
        expires_at=meeting.ends_at,
    )
