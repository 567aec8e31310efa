"""Cancel a registration; the place goes to the waiting list."""

from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from cop.errors import Refused
from cop.i18n import N_
from cop.mail import recipients
from cop.mail.recipients import LIVE_STATUSES
from cop.mail.writer import LetterWriter
from cop.meetings import locking
from cop.models.email import OutboxEmail
from cop.models.registration import Registration, RegistrationStatus
from cop.outbox import outbox
from cop.outbox.outbox import EmailKind, QueuedEmail
from cop.registration import emails, waiting_list

OVER = N_("This session is over, so there's nothing to cancel.")


def cancel_registration(
    db_session: Session,
    registration_id: int,
    *,
    by_email: bool = True,
    by_coordinator: bool = False,
    writer: LetterWriter,
) -> list[int]:
    """Cancel a registration; return the ids of the registrations promoted by that.

    `by_email` tells its owner. Canceling it again changes nothing.
    """
    meeting_id_query = select(Registration.meeting_id).where(Registration.id == registration_id)
    [meeting] = locking.lock(db_session, db_session.scalars(meeting_id_query))
    if meeting.ends_at <= writer.now:
        raise Refused(OVER)
    [person] = recipients.of_registrations(db_session, [registration_id])
    cancel_at_meeting(db_session, registration_id, now=writer.now)
    if by_email and person.status in LIVE_STATUSES:
        letter = emails.cancelled(writer, person, meeting, by_coordinator=by_coordinator)
        key = f"cancelled:{registration_id}:{writer.now.isoformat()}"
        # Without its id: the emails about a registration are withdrawn when it is canceled.
        about, to = (None, meeting.id, meeting.ends_at), person.recipient
        email = QueuedEmail(letter, to, EmailKind.PLACE, key, *about)
        outbox.queue(db_session, [email], now=writer.now)
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
