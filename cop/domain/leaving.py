"""Leaving: giving up a place, or taking everything away that is known about oneself."""

from datetime import datetime

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from cop.domain import meetings, outbox, waiting, withdrawals
from cop.errors import Refused
from cop.mail.writer import Writer
from cop.models import AttendanceImport, Member, OutboxEmail, Registration, RegistrationStatus


def cancel(db_session: Session, registration_id: int, *, writer: Writer) -> list[int]:
    """Give up a place, or a turn in line; return who got the place, in the same transaction.

    What was queued about it does not go out any more. Doing it again changes nothing.
    """
    query = select(Registration.meeting_id).where(Registration.id == registration_id)
    [meeting] = meetings.lock(db_session, db_session.scalars(query))
    if meeting.ends_at <= writer.now:
        date = meeting.starts_at.astimezone(writer.community.zone_info).date()
        raise Refused(meetings.OVER, field="sessions", date=date)
    give_up(db_session, registration_id, now=writer.now)
    return waiting.promote(db_session, meeting, writer=writer)


def give_up(db_session: Session, registration_id: int, *, now: datetime) -> None:
    """End a registration; the caller holds the meeting's lock, and passes the place on."""
    place = update(Registration).where(
        Registration.id == registration_id, Registration.status != RegistrationStatus.CANCELLED
    )
    given_up = place.values(status=RegistrationStatus.CANCELLED, cancelled_at=now)
    db_session.execute(given_up.execution_options(synchronize_session=False))
    outbox.take_back(db_session, OutboxEmail.registration_id == registration_id)


def erase(db_session: Session, member_id: int, *, writer: Writer) -> list[str]:
    """Delete everything about a member, mails included; return the Message-IDs of those mails.

    The places they held go to those who wait. That they were erased is remembered for the backups.
    """
    # First their row: who registers with this address at the same moment waits, and is then new.
    theirs = select(Member.email_key).where(Member.id == member_id).with_for_update()
    if email_key := db_session.scalar(theirs):
        withdrawals.remember_address(db_session, email_key, withdrawals.EVERYTHING, writer=writer)
    is_theirs = Registration.member_id == member_id
    ids = select(Registration.meeting_id).where(is_theirs).distinct()
    locked = meetings.lock(db_session, db_session.scalars(ids))
    mails = list(
        db_session.scalars(
            delete(OutboxEmail)
            .where(OutboxEmail.member_id == member_id)
            .returning(OutboxEmail.message_id)
        )
    )
    # They may be named in a report that waits to be looked at.
    db_session.execute(delete(AttendanceImport).where(AttendanceImport.meeting_id.in_(ids)))
    db_session.execute(delete(Registration).where(is_theirs))
    db_session.execute(delete(Member).where(Member.id == member_id))
    for meeting in locked:
        waiting.promote(db_session, meeting, writer=writer)
    return mails
