"""Cancel a registration; the place goes to the waiting list."""

from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from cop.errors import Refused
from cop.mail.writer import LetterWriter
from cop.meetings import locking
from cop.models.email import OutboxEmail
from cop.models.registration import Registration, RegistrationStatus
from cop.outbox import outbox
from cop.registration import waiting_list


def cancel_registration(
    db_session: Session, registration_id: int, *, writer: LetterWriter
) -> list[int]:
    """Cancel a registration; return the ids of the registrations promoted by that.

    Canceling it again changes nothing.
    """
    meeting_id_query = select(Registration.meeting_id).where(Registration.id == registration_id)
    [meeting] = locking.lock(db_session, db_session.scalars(meeting_id_query))
    if meeting.ends_at <= writer.now:
        raise Refused(locking.OVER, field="sessions", date=meeting.starts_at)
    cancel_at_meeting(db_session, registration_id, now=writer.now)
    return waiting_list.promote(db_session, meeting, writer=writer)


def cancel_at_meeting(db_session: Session, registration_id: int, *, now: datetime) -> None:
    """Cancel a registration and withdraw its queued emails.

    The caller must hold the meeting's lock, and then call `waiting_list.promote`.
    """
    statement = update(Registration).where(
        Registration.id == registration_id, Registration.status != RegistrationStatus.CANCELLED
    )
    db_session.execute(statement.values(status=RegistrationStatus.CANCELLED, cancelled_at=now))
    outbox.withdraw(db_session, OutboxEmail.registration_id == registration_id)
