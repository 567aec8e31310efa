"""Change one person's spot: add, give, move to the waiting list, cancel, restore.

Each function locks the meeting first, which serializes it with registrations and other changes.
"""

from datetime import datetime
from typing import NamedTuple

from sqlalchemy import exists, inspect, select
from sqlalchemy.orm import Session, aliased

from cop import email_addresses
from cop.changes.changes import RESTORABLE_FOR
from cop.errors import Refused
from cop.i18n import N_
from cop.mail import recipients
from cop.mail.letter import Letter
from cop.mail.recipients import LIVE_STATUSES, Registered
from cop.mail.writer import LetterWriter
from cop.meetings import locking
from cop.meetings.locking import MeetingFacts
from cop.meetings.schedule import Listing
from cop.models.registration import Member, Registration, RegistrationStatus
from cop.outbox import outbox
from cop.outbox.outbox import EmailKind, QueuedEmail
from cop.registration import cancellation, emails, register, statements, waiting_list
from cop.registration.answers import Answers
from cop.registration.people import select_live_registrations

SETTLED = N_("The session has started, is over or is canceled, so you can't change this anymore.")
CHANGED = N_("This registration has changed, so nothing was done. Here's how it looks now.")

_OTHER = aliased(Registration)
# Whether the member has another, live registration for the same meeting.
HAS_LIVE_REGISTRATION = (
    exists()
    .where(
        _OTHER.member_id == Registration.member_id,
        _OTHER.meeting_id == Registration.meeting_id,
        _OTHER.id != Registration.id,
        _OTHER.status.in_(LIVE_STATUSES),
    )
    .correlate(Registration)
    .label("is_live_again")
)


class PlaceChange(NamedTuple):
    """The registration after a change, and how many people were promoted by it."""

    registration_id: int
    status: str
    is_notified: bool
    promoted: int = 0


def add_person(
    db_session: Session, meeting: Listing, answers: Answers, *, by_email: bool, writer: LetterWriter
) -> PlaceChange:
    """Register somebody by the rules of the form; `by_email` sends the confirmation."""
    locking.lock(db_session, [meeting.id])
    key = email_addresses.normalize(answers.email)
    query = select_live_registrations(meeting.id).where(Member.email_key == key)
    if db_session.scalar(query):
        raise Refused(
            N_("This email is already on the roster. Find the person there."), field="email"
        )
    register.register(
        db_session, [meeting.slug], answers, writer=writer, send_confirmation=by_email
    )
    added = db_session.scalars(query).one()
    is_notified = by_email and added.member.undeliverable_at is None
    return PlaceChange(added.id, added.status, is_notified)


def give_place(
    db_session: Session, registration_id: int, *, exceed_capacity: bool, writer: LetterWriter
) -> PlaceChange:
    """Promote a person out of turn; `exceed_capacity` allows it without a free spot."""
    meeting, person = _lock(db_session, registration_id, RegistrationStatus.WAITING)
    if meeting.is_cancelled or meeting.ends_at <= writer.now:
        raise Refused(SETTLED)
    held, _ = statements.count_places(db_session, [meeting])[meeting.id]
    if meeting.capacity is not None and held >= meeting.capacity and not exceed_capacity:
        raise Refused(N_("The last spot was just taken. You can still give them an extra spot."))
    waiting_list.give_places(db_session, meeting, [registration_id], writer=writer)
    return PlaceChange(registration_id, RegistrationStatus.HELD, person.recipient.is_deliverable)


def can_wait(capacity: int | None, *, held: int, waiting: int) -> bool:
    """Whether somebody moved to the waiting list would not be promoted at once."""
    # Without them `held - 1` spots are taken; those who wait already fill all that are free.
    return capacity is not None and capacity - (held - 1) <= waiting


def move_to_waiting_list(
    db_session: Session, registration_id: int, *, writer: LetterWriter
) -> PlaceChange:
    """Move somebody to the end of the waiting list; the next in line is promoted."""
    meeting, person = _lock(db_session, registration_id, RegistrationStatus.HELD)
    if meeting.is_cancelled or meeting.starts_at <= writer.now:
        raise Refused(SETTLED)
    held, waiting = statements.count_places(db_session, [meeting])[meeting.id]
    if not can_wait(meeting.capacity, held=held, waiting=waiting):
        raise Refused(
            N_("Nobody else is waiting for a spot. You can cancel their registration instead.")
        )
    cancellation.cancel_at_meeting(db_session, registration_id, now=writer.now)
    promoted = waiting_list.promote(db_session, meeting, writer=writer)
    row = db_session.get_one(Registration, registration_id, populate_existing=True)
    new_id = _append_to_waiting_list(db_session, row, meeting)
    letter = emails.moved_to_waiting_list(writer, person.recipient, meeting)
    _notify(db_session, person, letter, meeting, writer=writer, about=new_id)
    return PlaceChange(
        new_id, RegistrationStatus.WAITING, person.recipient.is_deliverable, len(promoted)
    )


def cancel(
    db_session: Session, registration_id: int, *, by_email: bool, writer: LetterWriter
) -> PlaceChange:
    """Cancel a registration; a place goes to the next in line."""
    _, person = _lock(db_session, registration_id, *LIVE_STATUSES)
    promoted = cancellation.cancel_registration(
        db_session, registration_id, by_email=by_email, by_coordinator=True, writer=writer
    )
    is_notified = by_email and person.recipient.is_deliverable
    return PlaceChange(registration_id, RegistrationStatus.CANCELLED, is_notified, len(promoted))


def restorable_until(cancelled_at: datetime | None, *, now: datetime) -> datetime | None:
    """Until when a canceled registration can be restored; None if it cannot."""
    until = cancelled_at and cancelled_at + RESTORABLE_FOR
    return until if until and now <= until else None


def restore(db_session: Session, registration_id: int, *, writer: LetterWriter) -> PlaceChange:
    """Restore a canceled registration: to a free spot, else to the waiting list."""
    meeting, person = _lock(db_session, registration_id, RegistrationStatus.CANCELLED)
    query = select(Registration, HAS_LIVE_REGISTRATION).where(Registration.id == registration_id)
    row, is_live_again = db_session.execute(query.execution_options(populate_existing=True)).one()
    if is_live_again:
        raise Refused(CHANGED)
    if restorable_until(row.cancelled_at, now=writer.now) is None:
        raise Refused(
            N_("You can restore a registration for 30 days only. Add the person again instead.")
        )
    status = register.next_status(db_session, meeting, now=writer.now)
    if status is None:
        raise Refused(SETTLED)
    if status is RegistrationStatus.HELD:
        row.status, row.announced = status, str(meeting.snapshot)
        row.cancelled_at = row.room = None
        db_session.flush()
        id_ = registration_id
    else:
        id_ = _append_to_waiting_list(db_session, row, meeting)
    held, waiting = ([meeting], []) if status is RegistrationStatus.HELD else ([], [meeting])
    ids = {meeting.id: id_}
    positions = waiting_list.positions(db_session, waiting, ids)
    letter = emails.confirmation(
        writer,
        person.recipient,
        held=held,
        waiting=waiting,
        positions=positions,
        registration_ids=ids,
    )
    _notify(db_session, person, letter, meeting, writer=writer, about=id_)
    return PlaceChange(id_, status, person.recipient.is_deliverable)


def _lock(
    db_session: Session, registration_id: int, *statuses: str
) -> tuple[MeetingFacts, Registered]:
    query = select(Registration.meeting_id).where(Registration.id == registration_id)
    locked = locking.lock(db_session, db_session.scalars(query))
    people = recipients.of_registrations(db_session, [registration_id])
    if not people or people[0].status not in statuses:  # erased or changed meanwhile
        raise Refused(CHANGED)
    return locked[0], people[0]


_RESET = {"id", "cancelled_at", "promoted_at", "joined_at", "room", "attended", "minutes_present"}


def _append_to_waiting_list(db_session: Session, old: Registration, meeting: MeetingFacts) -> int:
    """Copy a registration to the end of the waiting list; the old one stays canceled.

    The waiting list is ordered by id, so its end is a new id.
    """
    names = inspect(Registration).columns.keys()
    new = Registration(**{name: getattr(old, name) for name in names if name not in _RESET})
    new.status, new.announced = RegistrationStatus.WAITING, str(meeting.snapshot)
    db_session.add(new)
    db_session.flush()
    return new.id


def _notify(
    db_session: Session,
    person: Registered,
    letter: Letter,
    meeting: MeetingFacts,
    *,
    writer: LetterWriter,
    about: int,
) -> None:
    """Queue an email; it is withdrawn if the registration `about` is canceled."""
    key = f"place:{person.registration_id}:{person.status}:{writer.now.isoformat()}"
    email = QueuedEmail(
        letter, person.recipient, EmailKind.PLACE, key, about, meeting.id, meeting.ends_at
    )
    outbox.queue(db_session, [email], now=writer.now)
