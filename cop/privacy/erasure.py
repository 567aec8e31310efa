"""Erase a member, and record it, so that a restored backup is erased again."""

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from cop.audit import withdrawals
from cop.mail.writer import LetterWriter
from cop.meetings import locking
from cop.models.audit import AttendanceImport
from cop.models.email import OutboxEmail
from cop.models.registration import Member, Registration, Submission
from cop.registration import waiting_list


def erase(db_session: Session, member_id: int, *, writer: LetterWriter) -> list[str]:
    """Delete everything about a member; return the Message-IDs of the deleted emails.

    Their spots go to the waiting lists.
    """
    # Lock their row first: somebody who registers with this address meanwhile has to wait, and is
    # then a new member.
    query = select(Member.email_key).where(Member.id == member_id).with_for_update()
    if email_key := db_session.scalar(query):
        withdrawals.remember_address(db_session, email_key, withdrawals.EVERYTHING, writer=writer)
    is_theirs = Registration.member_id == member_id
    select_ids = select(Registration.meeting_id).where(is_theirs).distinct()
    locked = locking.lock(db_session, db_session.scalars(select_ids))
    delete_emails = delete(OutboxEmail).where(OutboxEmail.member_id == member_id)
    message_ids = list(db_session.scalars(delete_emails.returning(OutboxEmail.message_id)))
    # Delete pending reports of their meetings, which may contain their name.
    db_session.execute(delete(AttendanceImport).where(AttendanceImport.meeting_id.in_(select_ids)))
    db_session.execute(delete(Submission).where(Submission.member_id == member_id))
    db_session.execute(delete(Registration).where(is_theirs))
    db_session.execute(delete(Member).where(Member.id == member_id))
    for meeting in locked:
        waiting_list.promote(db_session, meeting, writer=writer)
    return message_ids
