"""Which emails a registration triggers, to the member and to the coordinators."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import update
from sqlalchemy.orm import Session

from cop.accounts import accounts
from cop.mail.recipients import Recipient
from cop.mail.writer import LetterWriter
from cop.meetings.locking import MeetingFacts
from cop.models.registration import Member, RegistrationStatus
from cop.outbox import outbox
from cop.outbox.outbox import EmailKind, QueuedEmail
from cop.registration import emails, waiting_list
from cop.registration.answers import Answers

LIST_REQUEST_INTERVAL = timedelta(days=1)
MAX_LINK_EMAILS_PER_DAY = 5


@dataclass(frozen=True)
class RegistrationResult:
    """Result of one form: the selected meetings, and the registrations created."""

    selected: tuple[MeetingFacts, ...]
    status_of: Mapping[int, RegistrationStatus]
    new_ids: Mapping[int, int]  # of the created registrations, by meeting id
    submission: str  # the key of the form

    def newly_registered(self, status: RegistrationStatus) -> list[MeetingFacts]:
        """The meetings for which this form created a registration with this status."""
        return [m for m in self.selected if m.id in self.new_ids and self.status_of[m.id] is status]


def queue_registration_emails(
    db_session: Session,
    writer: LetterWriter,
    to: Recipient,
    result: RegistrationResult,
    answers: Answers,
    *,
    send_confirmation: bool = True,
) -> None:
    """Queue the emails of one form: a confirmation, or a link if already registered.

    Either way that is one email, so that a form sent with somebody else's address does not reveal
    whether it is registered.
    """
    queued = []
    if result.new_ids and send_confirmation:
        queued.append(_confirmation(db_session, writer, to, result))
    elif not result.new_ids and is_link_allowed(db_session, to, writer=writer):
        letter = emails.my_link(writer, to, result.selected, posted_again=True)
        queued.append(QueuedEmail(letter, to, EmailKind.LINK, f"again:{result.submission}"))
    if result.new_ids and answers.has_access_needs:
        first_meeting = next(meeting for meeting in result.selected if meeting.id in result.new_ids)
        queued += access_need_emails(db_session, writer, first_meeting, occasion=result.submission)
    outbox.queue(db_session, queued, now=writer.now)


def _confirmation(
    db_session: Session, writer: LetterWriter, to: Recipient, result: RegistrationResult
) -> QueuedEmail:
    waiting = result.newly_registered(RegistrationStatus.WAITING)
    letter = emails.confirmation(
        writer,
        to,
        held=result.newly_registered(RegistrationStatus.HELD),
        waiting=waiting,
        positions=waiting_list.positions(db_session, waiting, result.new_ids),
        registration_ids=result.new_ids,
    )
    return QueuedEmail(letter, to, EmailKind.CONFIRMATION, f"confirmation:{result.submission}")


def request_subscription(db_session: Session, to: Recipient, *, writer: LetterWriter) -> None:
    """Ask a member to confirm the mailing list, once a day at most."""
    if to.list_confirmed_at or (
        to.list_requested_at and writer.now - to.list_requested_at < LIST_REQUEST_INTERVAL
    ):
        return
    update_member = update(Member).where(Member.id == to.member_id)
    db_session.execute(update_member.values(list_requested_at=writer.now))
    key = f"list:{to.member_id}:{writer.now.isoformat()}"
    queued = QueuedEmail(emails.confirm_list(writer, to), to, EmailKind.LIST, key)
    outbox.queue(db_session, [queued], now=writer.now)


def is_link_allowed(
    db_session: Session, to: Recipient, *, writer: LetterWriter, key_start: str = ""
) -> bool:
    """Whether today's limit allows one more link email to this member.

    The limit is needed because anybody can request one for any address. Only emails whose
    deduplication keys begin with `key_start` count.
    """
    sent = outbox.count_links_today(db_session, to.member_id, now=writer.now, key_start=key_start)
    return sent < MAX_LINK_EMAILS_PER_DAY


def access_need_emails(
    db_session: Session, writer: LetterWriter, meeting: MeetingFacts, *, occasion: str
) -> Iterator[QueuedEmail]:
    """Compose an email to each coordinator about an access request for a session."""
    letter = emails.access_need(writer, meeting)
    for number, address in enumerate(accounts.coordinator_addresses(db_session)):
        key = f"access:{occasion}:{number}"
        yield QueuedEmail(letter, address, EmailKind.COORDINATORS, key, meeting_id=meeting.id)
