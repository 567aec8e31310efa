"""Leaving: giving up a place, or taking everything away that is known about oneself."""

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from cop.audit import withdrawals
from cop.mail.writer import LetterWriter
from cop.meetings import locking
from cop.models.audit import AttendanceImport
from cop.models.email import OutboxEmail
from cop.models.registration import Member, Registration
from cop.registration import waiting_list


def erase(db_session: Session, member_id: int, *, writer: LetterWriter) -> list[str]:
    """Delete everything about a member, mails included; return the Message-IDs of those mails.

    The places they held go to those who wait. That they were erased is remembered for the backups.
    """
    # First their row: who registers with this address at the same moment waits, and is then new.
    theirs = select(Member.email_key).where(Member.id == member_id).with_for_update()
    if email_key := db_session.scalar(theirs):
        withdrawals.remember_address(db_session, email_key, withdrawals.EVERYTHING, writer=writer)
    is_theirs = Registration.member_id == member_id
    ids = select(Registration.meeting_id).where(is_theirs).distinct()
    locked = locking.lock(db_session, db_session.scalars(ids))
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
        waiting_list.promote(db_session, meeting, writer=writer)
    return mails
