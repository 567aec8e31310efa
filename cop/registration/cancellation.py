"""Leaving: giving up a place, or taking everything away that is known about oneself."""

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
    """Give up a place, or a turn in line; return who got the place, in the same transaction.

    What was queued about it does not go out any more. Doing it again changes nothing.
    """
    query = select(Registration.meeting_id).where(Registration.id == registration_id)
    [meeting] = locking.lock(db_session, db_session.scalars(query))
    if meeting.ends_at <= writer.now:
        date = meeting.starts_at.astimezone(writer.community.zone_info).date()
        raise Refused(locking.OVER, field="sessions", date=date)
    cancel_at_meeting(db_session, registration_id, now=writer.now)
    return waiting_list.promote(db_session, meeting, writer=writer)


def cancel_at_meeting(db_session: Session, registration_id: int, *, now: datetime) -> None:
    """End a registration; the caller holds the meeting's lock, and passes the place on."""
    place = update(Registration).where(
        Registration.id == registration_id, Registration.status != RegistrationStatus.CANCELLED
    )
    given_up = place.values(status=RegistrationStatus.CANCELLED, cancelled_at=now)
    db_session.execute(given_up)
    outbox.withdraw(db_session, OutboxEmail.registration_id == registration_id)
