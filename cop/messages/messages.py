"""Messages that coordinators send to an audience of a meeting, each once."""

import hashlib
from collections.abc import Sequence
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, Row, func, select
from sqlalchemy.orm import Session

from cop.audit import audit_log
from cop.db.statements import insert_with_conflict
from cop.errors import Refused
from cop.i18n import N_
from cop.mail import recipients
from cop.mail.recipients import Registered
from cop.mail.writer import LetterWriter
from cop.meetings import locking
from cop.meetings.locking import MeetingFacts
from cop.messages import emails
from cop.models.audit import Announcement
from cop.models.coordinator import Coordinator
from cop.models.registration import Member, Registration, RegistrationStatus, Submission
from cop.outbox import outbox
from cop.outbox.outbox import EmailKind, QueuedEmail


class Audience(StrEnum):
    """The people of a meeting whom a message can go to."""

    HELD = "held"
    WAITING = "waiting"
    REGISTERED = "registered"
    CAME = "came"
    ABSENT = "absent"


_IS_HELD = Registration.status == RegistrationStatus.HELD
_IS_LIVE = Registration.status != RegistrationStatus.CANCELLED
_IN_AUDIENCE: dict[str, ColumnElement[bool]] = {
    Audience.HELD: _IS_HELD,
    Audience.WAITING: Registration.status == RegistrationStatus.WAITING,
    Audience.REGISTERED: _IS_LIVE,
    Audience.CAME: _IS_LIVE & Registration.attended.is_(True),
    Audience.ABSENT: _IS_HELD & Registration.attended.is_(False),
}
_IS_DELIVERABLE = Member.undeliverable_at.is_(None)


def audience_counts(db_session: Session, meeting_id: int) -> dict[str, int]:
    """Count the members of each audience whom email reaches."""
    counts = [func.count().filter(is_in).label(name) for name, is_in in _IN_AUDIENCE.items()]
    query = select(*counts).join(Member, Member.id == Registration.member_id)
    query = query.where(Registration.meeting_id == meeting_id, _IS_DELIVERABLE)
    return dict(zip(_IN_AUDIENCE, db_session.execute(query).one(), strict=True))


def audience_members(db_session: Session, meeting_id: int, audience: str) -> list[Registered]:
    """List the members of an audience whom email reaches; refuse if there are none."""
    query = select(Registration.id).join(Member, Member.id == Registration.member_id)
    is_in = (Registration.meeting_id == meeting_id) & _IN_AUDIENCE[audience] & _IS_DELIVERABLE
    people = recipients.of_registrations(db_session, db_session.scalars(query.where(is_in)))
    if not people:
        raise Refused(N_("We can't email anyone in this group. Choose another."), field="audience")
    return people


def check(message: Announcement) -> None:
    """Refuse a message with an unknown placeholder."""
    for field, text, placeholders in (
        ("subject", message.subject, emails.SUBJECT_PLACEHOLDERS),
        ("text", message.text, emails.PLACEHOLDERS),
    ):
        unknown = emails.unknown_placeholder(text, placeholders)
        if unknown is not None:
            raise Refused(
                N_("We can't fill in {%(found)s}. In braces, use only: %(known)s."),
                field=field,
                found=unknown,
                known=", ".join(f"{{{name}}}" for name in placeholders),
            )


def send(
    db_session: Session,
    message: Announcement,
    *,
    coordinator_id: int,
    confirmed_count: int,
    nonce: str,
    writer: LetterWriter,
) -> int | None:
    """Queue a message to its audience; return to how many, or None if already sent.

    `confirmed_count`: the number of recipients that the preview showed.
    """
    check(message)
    meeting = locking.lock_one(db_session, message.meeting_id)
    if not _store_key(db_session, message, nonce, writer=writer):
        return None
    people = audience_members(db_session, meeting.id, message.audience)
    if len(people) > confirmed_count:
        raise Refused(
            N_(
                "Nothing was sent, because this group grew from %(asked)s to %(num)s people. "
                "Check the message, then send it again."
            ),
            field="confirmed_count",
            asked=confirmed_count,
            num=len(people),
        )
    message.coordinator_id = coordinator_id
    message.recipient_count, message.sent_at = len(people), writer.now
    db_session.add(message)
    db_session.flush()
    audit_log.record_action(
        db_session,
        coordinator_id,
        audit_log.Action.WROTE,
        now=writer.now,
        meeting_id=meeting.id,
        item_count=len(people),
    )
    queued = [_email(writer, meeting, message, person) for person in people]
    outbox.queue(db_session, queued, now=writer.now)
    return len(people)


def _store_key(
    db_session: Session, message: Announcement, nonce: str, *, writer: LetterWriter
) -> bool:
    """Store a key of the message and its form; return False if it is stored already.

    A second click waits for the meeting's lock, and then finds the key.
    """
    content = message.audience, message.subject, message.text
    parts = ("write", str(message.meeting_id), nonce, *content)
    key = hashlib.sha256("\0".join(parts).encode()).hexdigest()
    row = {"key": key, "held": [], "waiting": [], "created_at": writer.now}
    new = insert_with_conflict(db_session, Submission).values(row).on_conflict_do_nothing()
    return db_session.scalar(new.returning(Submission.key)) is not None


def _email(
    writer: LetterWriter, meeting: MeetingFacts, message: Announcement, person: Registered
) -> QueuedEmail:
    letter = emails.letter(writer, person.recipient, meeting, message)
    key = f"message:{message.id}:{person.registration_id}"
    # A message sent before the session is useless after it, so it expires at its end.
    expires_at = meeting.ends_at if meeting.ends_at > writer.now else None
    return outbox.to_registered(letter, person, EmailKind.MESSAGE, key, expires_at)


def sent_messages(db_session: Session, meeting_id: int) -> Sequence[Row[*tuple[Any, ...]]]:
    """List the messages sent for a meeting: (message, author's name), latest first.

    The name is None if the author's account was removed.
    """
    query = (
        select(Announcement, Coordinator.name)
        .outerjoin(Coordinator, Coordinator.id == Announcement.coordinator_id)
        .where(Announcement.meeting_id == meeting_id)
        .order_by(Announcement.id.desc())
    )
    return db_session.execute(query).all()
