"""What coordinators do with one person's place: give it, take it, cancel it, restore it.

Each takes the meeting's lock first, so that it and registrations come one by one.
"""

from datetime import datetime
from typing import NamedTuple

from sqlalchemy import exists, insert, inspect, select, update
from sqlalchemy.orm import Session, aliased

from cop.domain import (
    leaving,
    meetings,
    outbox,
    recipients,
    registration,
    registration_rows,
    waiting,
)
from cop.domain.changes import RESTORABLE
from cop.domain.meetings import LockedMeeting
from cop.domain.outbox import Kind, Mail
from cop.domain.recipients import LIVE, Registered
from cop.domain.registration_rows import Taken
from cop.errors import Refused
from cop.mail import messages, placing
from cop.mail.letter import Letter
from cop.mail.writer import Writer
from cop.models import Registration, RegistrationStatus
from cop.words import N_

SETTLED = N_("The session has begun, is over or is cancelled, so places stay as they are.")
CHANGED = N_("This place was changed meanwhile, so nothing was done. It stands here as it is.")

_OTHER = aliased(Registration)
IS_LIVE_AGAIN = (
    exists()
    .where(
        _OTHER.member_id == Registration.member_id,
        _OTHER.meeting_id == Registration.meeting_id,
        _OTHER.id != Registration.id,
        _OTHER.status.in_(LIVE),
    )
    .correlate(Registration)
    .label("is_live_again")
)


class Moved(NamedTuple):
    """What came of it: the registration that counts now, and who came off the waiting list."""

    registration_id: int
    status: str
    is_told: bool
    promoted: int = 0


def give(db_session: Session, registration_id: int, *, beyond: bool, writer: Writer) -> Moved:
    """Give a place to somebody who waits, out of turn; `beyond` allows more than are offered."""
    meeting, person = _locked(db_session, registration_id, RegistrationStatus.WAITING)
    if meeting.is_cancelled or meeting.ends_at <= writer.now:
        raise Refused(SETTLED)
    held = _taken(db_session, meeting).held
    if meeting.capacity is not None and held >= meeting.capacity and not beyond:
        raise Refused(
            N_("The last place has just gone. You can still give one more than you offer.")
        )
    waiting.give_places(db_session, meeting, [registration_id], writer=writer)
    return Moved(registration_id, RegistrationStatus.HELD, person.recipient.is_reached)


def can_wait(capacity: int | None, taken: Taken) -> bool:
    """Whether others wait for all that would be free if somebody gave up a place."""
    return capacity is not None and capacity - (taken.held - 1) <= taken.waiting


def put_at_tail(db_session: Session, registration_id: int, *, writer: Writer) -> Moved:
    """Take somebody's place and let them wait, as the last; the place goes to the next in line."""
    meeting, person = _locked(db_session, registration_id, RegistrationStatus.HELD)
    if meeting.is_cancelled or meeting.starts_at <= writer.now:
        raise Refused(SETTLED)
    if not can_wait(meeting.capacity, _taken(db_session, meeting)):
        raise Refused(
            N_("Nobody else waits for this place, so it would be theirs again. You can cancel it.")
        )
    leaving.give_up(db_session, registration_id, now=writer.now)
    promoted = waiting.promote(db_session, meeting, writer=writer)
    new_id = _join_again(db_session, registration_id, meeting)
    letter = placing.moved_to_tail(writer, person.recipient, meeting)
    _tell(db_session, person, letter, meeting, writer=writer, about=new_id)
    return Moved(new_id, RegistrationStatus.WAITING, person.recipient.is_reached, len(promoted))


def cancel(db_session: Session, registration_id: int, *, by_mail: bool, writer: Writer) -> Moved:
    """Cancel a place, or a turn in line, for somebody; the place goes to the next in line."""
    meeting, person = _locked(db_session, registration_id, *LIVE)
    promoted = leaving.cancel(db_session, registration_id, writer=writer)
    if by_mail:
        letter = placing.cancelled(writer, person.recipient, meeting)
        _tell(db_session, person, letter, meeting, writer=writer)
    is_told = by_mail and person.recipient.is_reached
    return Moved(registration_id, RegistrationStatus.CANCELLED, is_told, len(promoted))


def restore(db_session: Session, registration_id: int, *, writer: Writer) -> Moved:
    """Restore what was cancelled; where no place is free, at the end of the waiting list."""
    meeting, person = _locked(db_session, registration_id, RegistrationStatus.CANCELLED)
    _refuse_old(db_session, registration_id, writer.now)
    status = registration.next_status(db_session, meeting, now=writer.now)
    if status is None:
        raise Refused(SETTLED)
    back = _hold_again if status is RegistrationStatus.HELD else _join_again
    id_ = back(db_session, registration_id, meeting)
    held, waits = ([meeting] if status is each else [] for each in LIVE)
    letter = messages.confirmation(
        writer, person.recipient, held=held, waiting=waits, registration_ids={meeting.id: id_}
    )
    _tell(db_session, person, letter, meeting, writer=writer, about=id_)
    return Moved(id_, status, person.recipient.is_reached)


def _locked(
    db_session: Session, registration_id: int, *statuses: str
) -> tuple[LockedMeeting, Registered]:
    query = select(Registration.meeting_id).where(Registration.id == registration_id)
    locked = meetings.lock(db_session, db_session.scalars(query))
    people = recipients.of_registrations(db_session, [registration_id])
    if not people or people[0].status not in statuses:  # it was erased, or changed
        raise Refused(CHANGED)
    return locked[0], people[0]


def _refuse_old(db_session: Session, registration_id: int, now: datetime) -> None:
    query = select(Registration.cancelled_at, IS_LIVE_AGAIN)
    row = db_session.execute(query.where(Registration.id == registration_id)).one()
    if row.is_live_again:
        raise Refused(CHANGED)
    if row.cancelled_at is None or now - row.cancelled_at > RESTORABLE:
        raise Refused(N_("A place can be restored for 30 days. Add the person again instead."))


def _taken(db_session: Session, meeting: LockedMeeting) -> Taken:
    return registration_rows.taken(db_session, [meeting])[meeting.id]


def _hold_again(db_session: Session, registration_id: int, meeting: LockedMeeting) -> int:
    place = update(Registration).where(Registration.id == registration_id)
    held = place.values(
        status=RegistrationStatus.HELD,
        cancelled_at=None,
        room=None,
        announced=str(meeting.snapshot),
    )
    db_session.execute(held.execution_options(synchronize_session=False))
    return registration_id


# What was so of the place that was given up, and is not of the next one.
_OF_THAT_PLACE = ("cancelled_at", "promoted_at", "room", "joined_at", "attended", "minutes_present")


def _join_again(db_session: Session, registration_id: int, meeting: LockedMeeting) -> int:
    """Let somebody wait behind all others, with what they said; the old registration stays.

    The waiting list is in the order of the ids: whoever is last has a new one.
    """
    columns = inspect(Registration).columns
    old = db_session.execute(select(*columns).where(Registration.id == registration_id)).one()
    kept = {name: value for name, value in old._mapping.items() if name != "id"}
    new = {"status": RegistrationStatus.WAITING, "announced": str(meeting.snapshot)}
    none = dict.fromkeys(_OF_THAT_PLACE)
    joined = insert(Registration).values(kept | new | none).returning(Registration.id)
    return db_session.execute(joined).scalar_one()


def _tell(
    db_session: Session,
    person: Registered,
    letter: Letter,
    meeting: LockedMeeting,
    *,
    writer: Writer,
    about: int | None = None,
) -> None:
    """Queue a mail; not one `about` a place that is cancelled, or it would be moot."""
    key = f"place:{person.registration_id}:{person.status}:{writer.now.isoformat()}"
    mail = Mail(letter, person.recipient, Kind.PLACE, key, about, meeting.id, meeting.ends_at)
    outbox.queue(db_session, [mail], now=writer.now)
