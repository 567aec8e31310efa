"""What is mailed when somebody registers, to them and to the coordinators."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy.orm import Session

from cop.accounts import notifications
from cop.mail.recipients import Recipient
from cop.mail.writer import LetterWriter
from cop.meetings.locking import LockedMeeting, MeetingFacts
from cop.models.registration import RegistrationStatus
from cop.outbox import outbox
from cop.outbox.outbox import EmailKind, QueuedEmail
from cop.registration import emails
from cop.registration.answers import Answers

MAX_LINK_EMAILS_PER_DAY = 5


@dataclass(frozen=True)
class RegistrationResult:
    """What came of one form: the meetings chosen, and which of them are new to this member."""

    chosen: tuple[LockedMeeting, ...]
    status_of: Mapping[int, RegistrationStatus]
    new: Mapping[int, int]  # the registration's id by the meeting's
    submission: str

    def new_at(self, status: RegistrationStatus) -> list[LockedMeeting]:
        """The meetings where this form got them a place, or a turn in line."""
        return [
            meeting
            for meeting in self.chosen
            if meeting.id in self.new and self.status_of[meeting.id] is status
        ]


def queue_registration_emails(
    db_session: Session,
    writer: LetterWriter,
    to: Recipient,
    placed: RegistrationResult,
    answers: Answers,
    *,
    send_confirmation: bool = True,
) -> None:
    """Queue what follows from a form: one confirmation, or the link of who was registered already.

    Everybody who posts gets one mail, whatever they had before: the page cannot tell them apart.
    """
    mails = []
    if placed.new and send_confirmation:
        mails.append(_confirmation(writer, to, placed))
    elif not placed.new and is_link_allowed(db_session, to, writer=writer):
        letter = emails.my_link(writer, to, placed.chosen, posted_again=True)
        mails.append(QueuedEmail(letter, to, EmailKind.LINK, f"again:{placed.submission}"))
    if answers.list_opt_in and to.list_confirmed_at is None and to.list_requested_at:
        key = f"list:{to.member_id}:{to.list_requested_at.isoformat()}"
        mails.append(QueuedEmail(emails.confirm_list(writer, to), to, EmailKind.LIST, key))
    if placed.new and answers.has_access_needs:
        first = next(meeting for meeting in placed.chosen if meeting.id in placed.new)
        mails += access_needs(db_session, writer, first, occasion=placed.submission)
    outbox.queue(db_session, mails, now=writer.now)


def is_link_allowed(
    db_session: Session, to: Recipient, *, writer: LetterWriter, key_start: str = ""
) -> bool:
    """Whether one more email with their link may go out today, of those whose keys begin like this.

    Anybody can ask for one.
    """
    day = timedelta(days=1)
    lately = outbox.count_recent(
        db_session, to.member_id, EmailKind.LINK, now=writer.now, within=day, key_start=key_start
    )
    return lately < MAX_LINK_EMAILS_PER_DAY


def _confirmation(writer: LetterWriter, to: Recipient, placed: RegistrationResult) -> QueuedEmail:
    letter = emails.confirmation(
        writer,
        to,
        held=placed.new_at(RegistrationStatus.HELD),
        waiting=placed.new_at(RegistrationStatus.WAITING),
        registration_ids=placed.new,
    )
    return QueuedEmail(letter, to, EmailKind.CONFIRMATION, f"confirmation:{placed.submission}")


def access_needs(
    db_session: Session, writer: LetterWriter, meeting: MeetingFacts, *, occasion: str
) -> Iterator[QueuedEmail]:
    """To each coordinator, a mail about the session for which access was asked."""
    letter = emails.access_need(writer, meeting)
    for number, address in enumerate(notifications.coordinator_addresses(db_session)):
        yield QueuedEmail(
            letter,
            address,
            EmailKind.COORDINATORS,
            f"access:{occasion}:{number}",
            meeting_id=meeting.id,
        )
