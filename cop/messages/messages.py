"""Writing to those of a meeting: what a coordinator wrote goes to each of them by mail, once."""

import hashlib
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from cop.audit import audit_log
from cop.audit.audit_log import Action
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

if TYPE_CHECKING:
    from cop.accounts.accounts import CurrentCoordinator


class Audience(StrEnum):
    """To whom of a meeting something is written."""

    HELD = "held"
    WAITING = "waiting"
    REGISTERED = "registered"
    CAME = "came"
    ABSENT = "absent"


_IS_HELD = Registration.status == RegistrationStatus.HELD
_IS_LIVE = Registration.status != RegistrationStatus.CANCELLED
_IS = {
    Audience.HELD: _IS_HELD,
    Audience.WAITING: Registration.status == RegistrationStatus.WAITING,
    Audience.REGISTERED: _IS_LIVE,
    Audience.CAME: _IS_LIVE & Registration.attended.is_(True),
    Audience.ABSENT: _IS_HELD & Registration.attended.is_(False),
}
_IS_DELIVERABLE = Member.undeliverable_at.is_(None)


@dataclass(frozen=True)
class Message:
    """What is written, and to whom."""

    audience: Audience
    subject: str
    text: str

    def key(self, meeting_id: int, nonce: str) -> str:
        """A name for one sending of it: pressing the button twice is one."""
        parts = ("write", str(meeting_id), nonce, self.audience, self.subject, self.text)
        return hashlib.sha256("\0".join(parts).encode()).hexdigest()


@dataclass(frozen=True)
class SentMessage:
    """What was written before; the name of a coordinator who left is gone."""

    by: str | None
    audience: str
    subject: str
    text: str
    recipient_count: int
    sent_at: datetime


def audience_counts(db_session: Session, meeting_id: int) -> dict[Audience, int]:
    """How many of each audience mail reaches."""
    query = (
        select(*[func.count().filter(condition).label(name) for name, condition in _IS.items()])
        .join(Member, Member.id == Registration.member_id)
        .where(Registration.meeting_id == meeting_id, _IS_DELIVERABLE)
    )
    return dict(zip(_IS, db_session.execute(query).one(), strict=True))


def audience(db_session: Session, meeting_id: int, audience: Audience) -> list[Registered]:
    """Those of an audience whom mail reaches, in the order of joining."""
    query = select(Registration.id).join(Member, Member.id == Registration.member_id)
    query = query.where(Registration.meeting_id == meeting_id, _IS[audience], _IS_DELIVERABLE)
    found = recipients.of_registrations(db_session, db_session.scalars(query))
    if not found:
        raise Refused(N_("Mail reaches none of them. Choose others to write to."), field="audience")
    return found


def check(message: Message) -> None:
    """Pass for a message whose placeholders all stand for something."""
    _check("subject", message.subject, emails.IN_SUBJECT)
    _check("text", message.text, emails.PLACEHOLDERS)


def _check(field: str, text: str, placeholders: tuple[str, ...]) -> None:
    found = emails.unknown_placeholder(text, placeholders)
    if found is not None:
        raise Refused(
            N_("{%(found)s} stands for nothing. In braces there can be: %(known)s."),
            field=field,
            found=found,
            known=", ".join(f"{{{name}}}" for name in placeholders),
        )


def send(
    db_session: Session,
    meeting_id: int,
    message: Message,
    *,
    by: "CurrentCoordinator",
    asked: int,
    nonce: str,
    writer: LetterWriter,
) -> int | None:
    """Queue a message to its audience; return to how many, or None where it was sent before.

    `asked`: how many it was said to go to, when the coordinator pressed the button.
    """
    check(message)
    [meeting] = locking.lock(db_session, [meeting_id])
    if not _is_first(db_session, message.key(meeting_id, nonce), writer=writer):
        return None
    to = audience(db_session, meeting_id, message.audience)
    if len(to) > asked:
        raise Refused(
            N_(
                "Meanwhile there are more of them: it would go to %(num)s people, not to "
                "%(asked)s. Nothing was sent. Look once more, then send it."
            ),
            field="asked",
            asked=asked,
            num=len(to),
        )
    id_ = _record_announcement(db_session, meeting_id, message, by=by, mails=len(to), writer=writer)
    mails = [_mail(writer, meeting, message, person, id_) for person in to]
    outbox.queue(db_session, mails, now=writer.now)
    return len(mails)


def _is_first(db_session: Session, key: str, *, writer: LetterWriter) -> bool:
    """Note that it is sent; a second click finds, behind the meeting's lock, that it was."""
    row = {"key": key, "held": [], "waiting": [], "created_at": writer.now}
    new = insert_with_conflict(db_session, Submission).values(row).on_conflict_do_nothing()
    return db_session.scalar(new.returning(Submission.key)) is not None


def _record_announcement(
    db_session: Session, meeting_id: int, message: Message, *, by: "CurrentCoordinator", mails: int,
    writer: LetterWriter,
) -> int:  # fmt: skip
    audit_log.record_action(
        db_session, by.id, Action.WROTE, now=writer.now, meeting_id=meeting_id, item_count=mails
    )
    written = Announcement(
        meeting_id=meeting_id,
        coordinator_id=by.id,
        recipient_count=mails,
        sent_at=writer.now,
        **vars(message),
    )
    db_session.add(written)
    db_session.flush()
    return written.id


def _mail(
    writer: LetterWriter, meeting: MeetingFacts, message: Message, person: Registered, id_: int
) -> QueuedEmail:
    to, texts = person.recipient, {"subject": message.subject, "text": message.text}
    return QueuedEmail(
        emails.letter(writer, to, meeting, **texts),
        to,
        EmailKind.MESSAGE,
        f"message:{id_}:{person.registration_id}",
        registration_id=person.registration_id,
        meeting_id=meeting.id,
        # What was meant for before the session is of no use after it.
        expires_at=meeting.ends_at if meeting.ends_at > writer.now else None,
    )


def sent_messages(db_session: Session, meeting_id: int) -> list[SentMessage]:
    """What was written to those of a meeting before, the latest first."""
    columns = [getattr(Announcement, n) for n in SentMessage.__dataclass_fields__ if n != "by"]
    query = (
        select(Coordinator.name.label("by"), *columns)
        .outerjoin(Coordinator, Coordinator.id == Announcement.coordinator_id)
        .where(Announcement.meeting_id == meeting_id)
        .order_by(Announcement.id.desc())
    )
    return [SentMessage(**row._mapping) for row in db_session.execute(query)]
