"""What coordinators do with one person's place: give it, take it, cancel it, restore it.

Each takes the meeting's lock first, so that it and registrations come one by one.
"""

from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import exists, insert, inspect, select, update
from sqlalchemy.orm import Session, aliased

from cop.domain import leaving, meetings, outbox, recipients, registration, waiting
from cop.domain.errors import (
    ChangedMeanwhile,
    HeldAgain,
    NobodyElseWaits,
    NoPlaceFree,
    PersonUnknown,
    PlacesSettled,
    TooLongAgo,
    WaitingListOver,
)
from cop.domain.meetings import LockedMeeting
from cop.domain.outbox import Kind, Mail
from cop.domain.recipients import LIVE, Registered
from cop.domain.registration import Taken
from cop.mail import messages, placing
from cop.mail.letter import Letter
from cop.mail.writer import Writer
from cop.models import Registration, RegistrationStatus

RESTORABLE = timedelta(days=30)
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


@dataclass(frozen=True)
class Moved:
    """What came of it: the registration that counts now, and who came off the waiting list."""

    registration_id: int
    status: RegistrationStatus
    is_told: bool
    promoted: int = 0


def give(
    db_session: Session, registration_id: int, *, meeting_id: int, beyond: bool, writer: Writer
) -> Moved:
    """Give a place to somebody who waits, out of turn; `beyond` what is offered where that is said.

    Raises:
        PersonUnknown: there is no such registration.
        PlacesSettled: the meeting is over, or does not take place.
        ChangedMeanwhile: they do not wait.
        NoPlaceFree: it would be one more than is offered.
    """
    meeting, person = _open(db_session, registration_id, meeting_id, writer)
    _check(person, RegistrationStatus.WAITING)
    held = _taken(db_session, meeting).held
    if meeting.capacity is not None and held >= meeting.capacity and not beyond:
        raise NoPlaceFree
    waiting.give_places(db_session, meeting, [registration_id], writer=writer)
    return Moved(registration_id, RegistrationStatus.HELD, is_told=_is_reached(person))


def can_wait(capacity: int | None, taken: Taken) -> bool:
    """Whether others wait for all that would be free if somebody gave up a place."""
    return capacity is not None and capacity - (taken.held - 1) <= taken.waiting


def put_at_tail(
    db_session: Session, registration_id: int, *, meeting_id: int, writer: Writer
) -> Moved:
    """Take somebody's place and let them wait, as the last; the place goes to the next in line.

    Raises:
        PersonUnknown: there is no such registration.
        PlacesSettled: the meeting is over, or does not take place.
        ChangedMeanwhile: they hold no place.
        WaitingListOver: the meeting has begun.
        NobodyElseWaits: the place would be theirs again.
    """
    meeting, person = _open(db_session, registration_id, meeting_id, writer)
    _check(person, RegistrationStatus.HELD)
    if meeting.starts_at <= writer.now:
        raise WaitingListOver
    if not can_wait(meeting.capacity, _taken(db_session, meeting)):
        raise NobodyElseWaits
    leaving.give_up(db_session, registration_id, now=writer.now)
    promoted = waiting.promote(db_session, meeting, writer=writer)
    new_id = _join_again(db_session, registration_id, meeting)
    letter = placing.moved_to_tail(writer, person.recipient, meeting)
    _tell(
        db_session,
        person,
        letter,
        kind=Kind.PLACE,
        meeting=meeting,
        writer=writer,
        registration_id=new_id,
    )
    is_told = _is_reached(person)
    return Moved(new_id, RegistrationStatus.WAITING, is_told=is_told, promoted=len(promoted))


def cancel(
    db_session: Session, registration_id: int, *, meeting_id: int, by_mail: bool, writer: Writer
) -> Moved:
    """Cancel a place, or a turn in line, for somebody; the place goes to the next in line.

    Raises:
        PersonUnknown: there is no such registration.
        ChangedMeanwhile: it is cancelled already.
        MeetingOver: the meeting has ended.
    """
    meeting, person = _locked(db_session, registration_id, meeting_id)
    _check(person, *LIVE)
    promoted = leaving.cancel(db_session, registration_id, writer=writer)
    if by_mail:
        letter = placing.cancelled(writer, person.recipient, meeting)
        _tell(db_session, person, letter, kind=Kind.PLACE, meeting=meeting, writer=writer)
    is_told = by_mail and _is_reached(person)
    status = RegistrationStatus.CANCELLED
    return Moved(registration_id, status, is_told=is_told, promoted=len(promoted))


def restore(db_session: Session, registration_id: int, *, meeting_id: int, writer: Writer) -> Moved:
    """Restore what was cancelled; where no place is free, at the end of the waiting list.

    Raises:
        PersonUnknown: there is no such registration.
        PlacesSettled: the meeting is over, or does not take place.
        ChangedMeanwhile: it is not cancelled.
        TooLongAgo: it was cancelled more than 30 days ago.
        HeldAgain: they have registered again.
        MeetingOver: never: it would be settled.
        MeetingCancelled: never: it would be settled.
        MeetingFull: the meeting has begun, and has no place left.
        NothingPlanned: never: the meeting is there.
    """
    meeting, person = _open(db_session, registration_id, meeting_id, writer)
    _check(person, RegistrationStatus.CANCELLED)
    _check_restorable(db_session, registration_id, writer)
    status = registration.next_status(db_session, meeting, writer=writer)
    is_held = status is RegistrationStatus.HELD
    id_ = registration_id
    if is_held:
        _hold_again(db_session, registration_id, meeting)
    else:
        id_ = _join_again(db_session, registration_id, meeting)
    held, waits = ([meeting], []) if is_held else ([], [meeting])
    letter = messages.confirmation(
        writer, person.recipient, held=held, waiting=waits, registration_ids={meeting_id: id_}
    )
    _tell(
        db_session,
        person,
        letter,
        kind=Kind.CONFIRMATION,
        meeting=meeting,
        writer=writer,
        registration_id=id_,
    )
    return Moved(id_, status, is_told=_is_reached(person))


def _locked(
    db_session: Session, registration_id: int, meeting_id: int
) -> tuple[LockedMeeting, Registered]:
    [meeting] = meetings.lock(db_session, [meeting_id])
    people = recipients.of_registrations(db_session, [registration_id])
    found = [person for person in people if person.meeting_id == meeting_id]
    if not found:
        raise PersonUnknown
    return meeting, found[0]


def _open(
    db_session: Session, registration_id: int, meeting_id: int, writer: Writer
) -> tuple[LockedMeeting, Registered]:
    meeting, person = _locked(db_session, registration_id, meeting_id)
    if meeting.is_cancelled or meeting.ends_at <= writer.now:
        raise PlacesSettled
    return meeting, person


def _check(person: Registered, *statuses: RegistrationStatus) -> None:
    if person.status not in statuses:
        raise ChangedMeanwhile


def _taken(db_session: Session, meeting: LockedMeeting) -> Taken:
    return registration.taken(db_session, [meeting]).get(meeting.id, Taken())


def _check_restorable(db_session: Session, registration_id: int, writer: Writer) -> None:
    query = select(Registration.cancelled_at, IS_LIVE_AGAIN)
    row = db_session.execute(query.where(Registration.id == registration_id)).one()
    if row.is_live_again:
        raise HeldAgain
    if row.cancelled_at is None or writer.now - row.cancelled_at > RESTORABLE:
        raise TooLongAgo


def _hold_again(db_session: Session, registration_id: int, meeting: LockedMeeting) -> None:
    place = update(Registration).where(Registration.id == registration_id)
    held = place.values(
        status=RegistrationStatus.HELD, cancelled_at=None, told=str(meeting.telling)
    )
    db_session.execute(held.execution_options(synchronize_session=False))


def _join_again(db_session: Session, registration_id: int, meeting: LockedMeeting) -> int:
    """Let somebody wait behind all others, with what they said; the old registration stays.

    The waiting list is in the order of the ids: whoever is last has a new one.
    """
    columns = inspect(Registration).columns
    old = db_session.execute(select(*columns).where(Registration.id == registration_id)).one()
    new = dict(old._mapping) | {
        "status": RegistrationStatus.WAITING,
        "told": str(meeting.telling),
        **dict.fromkeys(("cancelled_at", "promoted_at")),
    }
    del new["id"]
    return db_session.execute(
        insert(Registration).values(new).returning(Registration.id)
    ).scalar_one()


def _tell(
    db_session: Session,
    person: Registered,
    letter: Letter,
    *,
    kind: Kind,
    meeting: LockedMeeting,
    writer: Writer,
    registration_id: int | None = None,
) -> None:
    """Queue a mail; one about a place that is cancelled is not bound to it, or would be moot."""
    key = f"{kind}:{person.registration_id}:{writer.now.isoformat()}"
    mail = Mail(letter, person.recipient, kind, key, registration_id=registration_id,
                meeting_id=meeting.id, expires_at=meeting.ends_at)  # fmt: skip
    outbox.queue(db_session, [mail], now=writer.now)


def _is_reached(person: Registered) -> bool:
    return person.recipient.undeliverable_at is None
