"""What is mailed when somebody registers, to them and to the coordinators."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from cop.domain import outbox
from cop.domain.details import Details
from cop.domain.meetings import LockedMeeting, MeetingFacts
from cop.domain.outbox import Kind, Mail
from cop.domain.recipients import Recipient
from cop.mail import informing, messages
from cop.mail.writer import Writer
from cop.models import Coordinator, RegistrationStatus

LINKS_A_DAY = 5


@dataclass(frozen=True)
class Placed:
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


def of_registering(
    db_session: Session,
    writer: Writer,
    to: Recipient,
    placed: Placed,
    details: Details,
    *,
    is_told_by_us: bool = True,
) -> None:
    """Queue what follows from a form: one confirmation, or the link of who was registered already.

    Everybody who posts gets one mail, whatever they had before: the page cannot tell them apart.
    """
    mails = []
    if placed.new and is_told_by_us:
        mails.append(_confirmation(writer, to, placed))
    elif not placed.new and may_have_link(db_session, to, writer=writer):
        letter = messages.my_link(writer, to, placed.chosen, posted_again=True)
        mails.append(Mail(letter, to, Kind.LINK, f"again:{placed.submission}"))
    if details.list_opt_in and to.list_confirmed_at is None and to.list_requested_at:
        key = f"list:{to.member_id}:{to.list_requested_at.isoformat()}"
        mails.append(Mail(messages.confirm_list(writer, to), to, Kind.LIST, key))
    if placed.new and details.asks_for_access:
        first = next(meeting for meeting in placed.chosen if meeting.id in placed.new)
        mails += access_needs(db_session, writer, first, occasion=placed.submission)
    outbox.queue(db_session, mails, now=writer.now)


def may_have_link(
    db_session: Session, to: Recipient, *, writer: Writer, key_start: str = ""
) -> bool:
    """Whether one more email with their link may go out today, of those whose keys begin like this.

    Anybody can ask for one.
    """
    day = timedelta(days=1)
    lately = outbox.queued_lately(
        db_session, to.member_id, Kind.LINK, now=writer.now, within=day, key_start=key_start
    )
    return lately < LINKS_A_DAY


def _confirmation(writer: Writer, to: Recipient, placed: Placed) -> Mail:
    letter = messages.confirmation(
        writer,
        to,
        held=placed.new_at(RegistrationStatus.HELD),
        waiting=placed.new_at(RegistrationStatus.WAITING),
        registration_ids=placed.new,
    )
    return Mail(letter, to, Kind.CONFIRMATION, f"confirmation:{placed.submission}")


def access_needs(
    db_session: Session, writer: Writer, meeting: MeetingFacts, *, occasion: str
) -> Iterator[Mail]:
    """To each coordinator, a mail about the session for which access was asked."""
    letter = informing.access_need(writer, meeting)
    for number, address in enumerate(coordinators(db_session)):
        yield Mail(
            letter,
            address,
            Kind.COORDINATORS,
            f"access:{occasion}:{number}",
            meeting_id=meeting.id,
        )


def of_first_failure(db_session: Session, writer: Writer) -> None:
    """Queue a mail to the coordinators when a mail has failed and none had before.

    Once for each such time: when what failed is tried again or gone, the next one is a first again.
    """
    failed = outbox.failures(db_session)
    if len(failed) == 1:
        letter = informing.first_failure(writer)
        mails = [
            Mail(letter, address, Kind.COORDINATORS, f"failed:{failed[0]}:{number}")
            for number, address in enumerate(coordinators(db_session))
        ]
        outbox.queue(db_session, mails, now=writer.now)


def coordinators(db_session: Session) -> list[str]:
    """The addresses of all coordinators."""
    return list(db_session.scalars(select(Coordinator.email).order_by(Coordinator.id)))
