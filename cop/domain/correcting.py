"""Correcting a misspelt address: what was registered with it goes to the address that was meant."""

from collections.abc import Sequence
from datetime import date

from sqlalchemy import Row, delete, select, update
from sqlalchemy.orm import Session, aliased

from cop.domain import addresses, meetings, outbox, preferences, recipients
from cop.domain.errors import BothRegistered, PersonUnknown, SameAddress
from cop.domain.meetings import LockedMeeting
from cop.domain.outbox import Kind, Mail
from cop.domain.recipients import LIVE, MEMBER_COLUMNS, Recipient, recipient
from cop.domain.statements import insert_with_conflict
from cop.mail import messages
from cop.mail.writer import Writer
from cop.models import Member, OutboxEmail, Registration, RegistrationStatus


def correct(
    db_session: Session, registration_id: int, email: str, *, meeting_id: int, writer: Writer
) -> int:
    """Give all that was registered with a misspelt address to the one that was meant.

    The member with the misspelt address goes, and every mail to it: so its links die, and what was
    queued does not go out. The other address gets one confirmation, with a link of its own; it may
    be that of somebody who is known. Return to how many sessions that is.

    Raises:
        AddressRefused: the new address is none.
        PersonUnknown: there is no such registration.
        SameAddress: it is the one that we have.
        BothRegistered: both are registered for one meeting.
    """
    key = addresses.key(email)
    old = _owner(db_session, registration_id, meeting_id=meeting_id)
    is_theirs = Registration.member_id == old.id
    ids = db_session.scalars(select(Registration.meeting_id).where(is_theirs).distinct())
    locked = meetings.lock(db_session, ids)
    new = _member(db_session, email, key, old)
    if new.id == old.id:
        raise SameAddress
    _refuse_both(db_session, old.id, new.id, locked, writer=writer)
    moved = update(Registration).where(is_theirs).values(member_id=new.id)
    moved_ids = db_session.scalars(moved.returning(Registration.id)).all()
    _forget(db_session, old, new.id)
    if old.list_asked_at:
        to = recipient(new, name="", language=writer.language)
        preferences.ask_for_list(db_session, to, writer=writer)
    return _tell(db_session, writer, locked, moved_ids)


def _owner(
    db_session: Session, registration_id: int, *, meeting_id: int
) -> Row[*tuple[object, ...]]:
    """The member whose registration it is; holds their row, as does whoever erases them."""
    query = (
        select(*MEMBER_COLUMNS, Member.first_came_on)
        .join(Registration, Registration.member_id == Member.id)
        .where(Registration.id == registration_id, Registration.meeting_id == meeting_id)
    )
    row = db_session.execute(query.with_for_update(of=Member)).one_or_none()
    if row is None:
        raise PersonUnknown
    return row


def _member(
    db_session: Session, email: str, key: str, old: Row[*tuple[object, ...]]
) -> Row[*tuple[object, ...]]:
    """The member with the address that was meant, made where there is none; holds their row."""
    # Two corrections to one address at once: this waits for the other one, and finds what it made.
    off = old.mail_off if old.proven_at else []
    new = insert_with_conflict(db_session, Member).values(email=email, email_key=key, mail_off=off)
    upsert = new.on_conflict_do_update(
        index_elements=[Member.email_key], set_={"email_key": new.excluded.email_key}
    )
    return db_session.execute(upsert.returning(*MEMBER_COLUMNS)).one()


def _refuse_both(
    db_session: Session, old: int, new: int, locked: Sequence[LockedMeeting], *, writer: Writer
) -> None:
    other = aliased(Registration)
    query = (
        select(Registration.meeting_id)
        .join(other, other.meeting_id == Registration.meeting_id)
        .where(Registration.member_id == old, Registration.status.in_(LIVE))
        .where(other.member_id == new, other.status.in_(LIVE))
    )
    both = set(db_session.scalars(query))
    for meeting in locked:
        if meeting.id in both:
            raise BothRegistered(date=_date(meeting, writer))


def _date(meeting: LockedMeeting, writer: Writer) -> date:
    return meeting.starts_at.astimezone(writer.community.zone_info).date()


def _forget(db_session: Session, old: Row[*tuple[object, ...]], new_id: int) -> None:
    """Delete the member with the misspelt address, and all mail to it; not when they first came."""
    if old.first_came_on:
        is_later = (Member.first_came_on > old.first_came_on) | Member.first_came_on.is_(None)
        came = update(Member).where(Member.id == new_id, is_later)
        db_session.execute(came.values(first_came_on=old.first_came_on))
    db_session.execute(delete(OutboxEmail).where(OutboxEmail.member_id == old.id))
    db_session.execute(delete(Member).where(Member.id == old.id))


def _tell(
    db_session: Session, writer: Writer, locked: Sequence[LockedMeeting], ids: Sequence[int]
) -> int:
    """Queue one confirmation of all that lies ahead, and note what it tells."""
    ahead = {m.id: m for m in locked if m.ends_at > writer.now and not m.is_cancelled}
    people = {
        person.meeting_id: person
        for person in recipients.of_registrations(db_session, ids)
        if person.meeting_id in ahead and person.status in LIVE
    }
    if not people:
        return 0
    told = [
        {"id": person.registration_id, "told": str(ahead[id_].telling)}
        for id_, person in people.items()
    ]
    db_session.execute(update(Registration), told)
    of = {status: [ahead[id_] for id_ in ahead if id_ in people and people[id_].status == status]
          for status in RegistrationStatus}  # fmt: skip
    to = next(iter(people.values())).recipient
    _confirm(db_session, writer, to, of, {id_: p.registration_id for id_, p in people.items()})
    return len(people)


def _confirm(
    db_session: Session,
    writer: Writer,
    to: Recipient,
    of: dict[RegistrationStatus, list[LockedMeeting]],
    registration_ids: dict[int, int],
) -> None:
    letter = messages.confirmation(
        writer,
        to,
        held=of[RegistrationStatus.HELD],
        waiting=of[RegistrationStatus.WAITING],
        registration_ids=registration_ids,
    )
    key = f"corrected:{to.member_id}:{writer.now.isoformat()}"
    outbox.queue(db_session, [Mail(letter, to, Kind.CONFIRMATION, key)], now=writer.now)
