"""A lost link: mailed again to whoever asks for it, if the address is known."""

from secrets import token_hex

from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from cop.domain import addresses, meetings, members, outbox, telling
from cop.domain.outbox import Kind, Mail
from cop.domain.recipients import LIVE, MEMBER_COLUMNS, Recipient, recipient
from cop.mail import messages
from cop.mail.writer import Writer
from cop.models import MailState, Meeting, Member, OutboxEmail, Registration

NOBODY = Recipient(
    member_id=0,
    email="",
    token_version=0,
    verified_at=None,
    undeliverable_at=None,
    opt_outs=(),
    list_requested_at=None,
    list_confirmed_at=None,
    name="",
    language="en",
)


def send(db_session: Session, email: str, *, writer: Writer) -> None:
    """Mail a member the link to their page; for anybody else, do the same work for nothing.

    So neither the answer nor how long it takes tells who is registered.
    """
    to = _whose(db_session, addresses.key(email))
    letter = messages.my_link(writer, to, _upcoming(db_session, to, writer), posted_again=False)
    mail = Mail(letter, to, Kind.LINK, f"link:{to.member_id}:{writer.now.isoformat()}")
    may_have_link = telling.may_have_link(db_session, to, writer=writer)
    if to is not NOBODY and may_have_link and to.is_reached:
        outbox.queue(db_session, [mail], now=writer.now)
    else:
        _queue_nothing(db_session, writer)


def _whose(db_session: Session, email_key: str) -> Recipient:
    """The member with this address; their row is held, so that a day's mails are counted right."""
    query = select(*MEMBER_COLUMNS).where(Member.email_key == email_key)
    row = db_session.execute(query.with_for_update(key_share=True)).one_or_none()
    named = members.named(db_session, row.id if row else NOBODY.member_id)
    return recipient(row, **named) if row else NOBODY


def _upcoming(db_session: Session, to: Recipient, writer: Writer) -> list[meetings.LockedMeeting]:
    chosen = (
        select(Registration.meeting_id)
        .join(Meeting, Meeting.id == Registration.meeting_id)
        .where(
            Registration.member_id == to.member_id,
            Registration.status.in_(LIVE),
            Meeting.ends_at > writer.now,
        )
    )
    return meetings.look(db_session, db_session.scalars(chosen))


def _queue_nothing(db_session: Session, writer: Writer) -> None:
    """Write a row as long as a mail takes, that goes to nobody and says nothing."""
    empty = dict.fromkeys(("to_address", "language", "subject", "text", "html", "message_id"), "")
    row = {
        "kind": Kind.LINK,
        "dedup_key": f"{outbox.NOBODYS}{token_hex(16)}",
        "state": MailState.WITHDRAWN,
    }
    moments = {"created_at": writer.now, "due_at": writer.now}
    db_session.execute(insert(OutboxEmail).values(**empty, **row, **moments))
