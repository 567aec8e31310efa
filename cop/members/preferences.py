"""Which email members want, and which of their links still work."""

from collections.abc import Collection
from dataclasses import replace
from secrets import token_hex

from sqlalchemy import insert, select, update
from sqlalchemy.orm import Session

from cop import email_addresses
from cop.audit import withdrawals
from cop.errors import InvalidLink, Refused
from cop.i18n import N_
from cop.links import Owner
from cop.mail.recipients import LIVE_STATUSES, MEMBER_COLUMNS, Recipient
from cop.mail.writer import LetterWriter
from cop.meetings import locking
from cop.members import members
from cop.models.email import MailState, OutboxEmail
from cop.models.meeting import Meeting
from cop.models.registration import Member, Registration
from cop.outbox import outbox
from cop.outbox.outbox import OPTIONAL, EmailKind, QueuedEmail
from cop.registration import emails, notifications

LIST = "list"
KINDS = (*OPTIONAL, LIST)
# Values of `MEMBER_COLUMNS` for an address that no member has.
UNKNOWN_ADDRESS: tuple[object, ...] = (0, "", 0, None, None, [], None, None)


def send_link(db_session: Session, email: str, *, writer: LetterWriter) -> None:
    """Email a member the link to their page.

    For an unknown address the same work is done, so that neither the response nor its timing
    reveals who is registered.
    """
    to = _lock_member(db_session, email_addresses.normalize(email))
    key = f"link:{to.member_id}:{writer.now.isoformat()}"
    email_with_link = _link_email(db_session, to, key, writer=writer)
    is_allowed = notifications.is_link_allowed(db_session, to, writer=writer)
    if to.member_id and is_allowed and to.is_deliverable:
        outbox.queue(db_session, [email_with_link], now=writer.now)
    else:
        _queue_dummy(db_session, writer)


def _lock_member(db_session: Session, email_key: str) -> Recipient:
    """Lock the member with this address: concurrent requests share one daily limit."""
    query = select(*MEMBER_COLUMNS).where(Member.email_key == email_key)
    row = db_session.execute(query.with_for_update(key_share=True)).one_or_none()
    return members.recipient_of(db_session, row or UNKNOWN_ADDRESS)


def _link_email(
    db_session: Session, to: Recipient, key: str, *, writer: LetterWriter
) -> QueuedEmail:
    """The email with the link to a member's page and their upcoming sessions."""
    query = (
        select(Registration.meeting_id)
        .join(Meeting, Meeting.id == Registration.meeting_id)
        .where(
            Registration.member_id == to.member_id,
            Registration.status.in_(LIVE_STATUSES),
            Meeting.ends_at > writer.now,
        )
    )
    upcoming = locking.read(db_session, db_session.scalars(query))
    letter = emails.my_link(writer, to, upcoming, posted_again=False)
    return QueuedEmail(letter, to, EmailKind.LINK, key)


def _queue_dummy(db_session: Session, writer: LetterWriter) -> None:
    """Insert a withdrawn email to nobody, which takes as long as queuing an email."""
    empty = dict.fromkeys(("to_address", "language", "subject", "text", "html", "message_id"), "")
    insert_dummy = insert(OutboxEmail).values(
        **empty,
        kind=EmailKind.LINK,
        dedup_key=f"{outbox.PLACEHOLDER_KEY}{token_hex(16)}",
        state=MailState.WITHDRAWN,
        created_at=writer.now,
        due_at=writer.now,
    )
    db_session.execute(insert_dummy)


def set_preferences(
    db_session: Session, to: Recipient, *, wanted: Collection[str], writer: LetterWriter
) -> None:
    """Set which kinds of email a member gets; the mailing list needs confirmation."""
    opt_outs = [kind for kind in OPTIONAL if kind not in wanted]
    withdrawals.remember(db_session, to.member_id, *opt_outs, writer=writer)
    withdrawals.forget(db_session, to.member_id, *(OPTIONAL.keys() & wanted), writer=writer)
    _set_opt_outs(db_session, to.member_id, opt_outs)
    if LIST not in wanted:
        _unsubscribe(db_session, to.member_id, writer=writer)
    else:
        notifications.request_subscription(db_session, to, writer=writer)


def check_kind(db_session: Session, member_id: int, kind: str) -> None:
    """Check that a member can opt out of this kind of email.

    Raises:
        InvalidLink: there is no such member, or no such kind of email.
    """
    if kind not in KINDS or db_session.get(Member, member_id) is None:
        raise InvalidLink


def opt_out(db_session: Session, member_id: int, kind: str, *, writer: LetterWriter) -> None:
    """Stop one kind of email to a member; idempotent.

    Raises:
        InvalidLink: there is no such member, or no such kind of email.
    """
    query = select(Member.opt_outs).where(Member.id == member_id)
    opt_outs = db_session.scalar(query.with_for_update(key_share=True))
    if opt_outs is None or kind not in KINDS:
        raise InvalidLink
    if kind == LIST:
        _unsubscribe(db_session, member_id, writer=writer)
    else:
        withdrawals.remember(db_session, member_id, kind, writer=writer)
        _set_opt_outs(db_session, member_id, sorted({*opt_outs, kind}))


def opt_out_of_all(db_session: Session, member_id: int, *, writer: LetterWriter) -> None:
    """Stop all email to an address that does not work; the registrations stay."""
    withdrawals.remember(db_session, member_id, withdrawals.EMAIL, writer=writer)
    outbox.mark_undeliverable(db_session, member_id, now=writer.now)


def opt_in_to_all(db_session: Session, member_id: int, *, writer: LetterWriter) -> None:
    """Send email to a member again; emails withdrawn meanwhile stay withdrawn."""
    withdrawals.forget(db_session, member_id, withdrawals.EMAIL, writer=writer)
    _update_member(db_session, member_id, undeliverable_at=None)


def confirm_subscription(db_session: Session, owner: Owner, *, writer: LetterWriter) -> None:
    """Put a member on the mailing list, if they requested it and have not left since.

    Raises:
        InvalidLink: there is no such member, or they have renewed their links.
    """
    to = members.verify_and_lock(db_session, owner, now=writer.now)
    if to.list_requested_at and to.list_confirmed_at is None:
        withdrawals.forget(db_session, to.member_id, LIST, writer=writer)
        _update_member(db_session, to.member_id, list_confirmed_at=writer.now)


def renew_calendar(db_session: Session, member_id: int, *, writer: LetterWriter) -> None:
    """Give a member's calendar another address; the old one stops working."""
    withdrawals.remember(db_session, member_id, withdrawals.CALENDAR, writer=writer)
    _update_member(db_session, member_id, calendar_version=Member.calendar_version + 1)


def renew_links(db_session: Session, to: Recipient, *, writer: LetterWriter) -> None:
    """Revoke all of a member's links, the calendar's too, and email them a new one."""
    if to.undeliverable_at:
        raise Refused(N_("Our emails to you come back, so we didn't replace your current link."))
    # Counted separately from the links that a stranger can request for this address.
    key_start = f"renewed:{to.member_id}:"
    if not notifications.is_link_allowed(db_session, to, writer=writer, key_start=key_start):
        raise Refused(N_("You've reached today's limit for new links. Please try again tomorrow."))
    to = replace(to, token_version=to.token_version + 1)
    withdrawals.remember(db_session, to.member_id, withdrawals.LINKS, writer=writer)
    _update_member(db_session, to.member_id, token_version=to.token_version)
    renew_calendar(db_session, to.member_id, writer=writer)
    queued = _link_email(db_session, to, f"{key_start}{to.token_version}", writer=writer)
    outbox.queue(db_session, [queued], now=writer.now)


def _unsubscribe(db_session: Session, member_id: int, *, writer: LetterWriter) -> None:
    withdrawals.remember(db_session, member_id, LIST, writer=writer)
    _update_member(db_session, member_id, list_requested_at=None, list_confirmed_at=None)
    outbox.withdraw(
        db_session, OutboxEmail.member_id == member_id, OutboxEmail.kind == EmailKind.LIST
    )


def _set_opt_outs(db_session: Session, member_id: int, opt_outs: list[str]) -> None:
    _update_member(db_session, member_id, opt_outs=opt_outs)
    kinds = [OPTIONAL[kind] for kind in opt_outs]
    outbox.withdraw(db_session, OutboxEmail.member_id == member_id, OutboxEmail.kind.in_(kinds))


def _update_member(db_session: Session, member_id: int, **values: object) -> None:
    db_session.execute(update(Member).where(Member.id == member_id).values(**values))
