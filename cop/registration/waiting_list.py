"""The waiting list: free places go to people in the order of joining."""

from collections.abc import Mapping, Sequence

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session, aliased

from cop.mail import recipients
from cop.mail.writer import LetterWriter
from cop.meetings.locking import MeetingFacts
from cop.models.registration import Registration, RegistrationStatus
from cop.outbox import outbox
from cop.outbox.outbox import EmailKind
from cop.registration import emails, statements

_OTHER = aliased(Registration)
POSITION = (
    select(func.count())
    .where(
        _OTHER.meeting_id == Registration.meeting_id,
        _OTHER.status == RegistrationStatus.WAITING,
        _OTHER.id <= Registration.id,
    )
    .correlate(Registration)
    .scalar_subquery()
    .label("waiting_position")
)


def positions(
    db_session: Session, waiting: Sequence[MeetingFacts], registration_ids: Mapping[int, int]
) -> dict[int, int]:
    """Read positions on waiting lists, 1 for the first; ids and positions are by meeting id."""
    ids = [registration_ids[meeting.id] for meeting in waiting]
    query = select(Registration.meeting_id, POSITION).where(Registration.id.in_(ids))
    return dict(db_session.execute(query).all()) if ids else {}


def promote(db_session: Session, meeting: MeetingFacts, *, writer: LetterWriter) -> list[int]:
    """Give free places to the waiting list; return the ids of promoted registrations.

    The caller must hold the meeting's lock, so that no place is lost or given twice. Nobody is
    promoted after the start: by then they have other plans.
    """
    if meeting.is_cancelled or meeting.starts_at <= writer.now:
        return []
    is_waiting = Registration.status == RegistrationStatus.WAITING
    query = select(Registration.id).where(Registration.meeting_id == meeting.id, is_waiting)
    query = query.order_by(Registration.id)
    if meeting.capacity is not None:
        taken = statements.count_places(db_session, [meeting])[meeting.id].held
        query = query.limit(max(0, meeting.capacity - taken))
    ids = list(db_session.scalars(query))
    if ids:
        give_places(db_session, meeting, ids, writer=writer)
    return ids


def give_places(
    db_session: Session, meeting: MeetingFacts, ids: Sequence[int], *, writer: LetterWriter
) -> None:
    """Promote registrations and queue their emails; the caller must hold the lock."""
    statement = update(Registration).where(Registration.id.in_(ids))
    db_session.execute(
        statement.values(
            status=RegistrationStatus.HELD, promoted_at=writer.now, announced=str(meeting.snapshot)
        )
    )
    queued = [
        outbox.to_registered(
            emails.promoted(writer, person, meeting),
            person,
            EmailKind.PROMOTED,
            f"promoted:{person.registration_id}:{writer.now.isoformat()}",
            meeting.ends_at,
        )
        for person in recipients.of_registrations(db_session, ids)
    ]
    outbox.queue(db_session, queued, now=writer.now)
