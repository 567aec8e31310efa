"""Which mail members want, and which of their links still work."""

from collections.abc import Collection, Iterable
from dataclasses import replace

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from cop.domain import members, outbox, telling, withdrawals
from cop.domain.meetings import MeetingFacts
from cop.domain.outbox import OPTIONAL, Kind, Mail
from cop.domain.recipients import Recipient
from cop.domain.registration_rows import ASKED_AGAIN
from cop.errors import InvalidLink, Refused
from cop.links import Owner
from cop.mail import messages
from cop.mail.writer import Writer
from cop.models import Member, OutboxEmail
from cop.words import N_

LIST = "list"
KINDS = (*OPTIONAL, LIST)


def choose(db_session: Session, to: Recipient, *, wanted: Collection[str], writer: Writer) -> None:
    """Send a member the mail of the wanted kinds; the mailing list asks for its own yes by mail."""
    off = [kind for kind in OPTIONAL if kind not in wanted]
    on = [kind for kind in OPTIONAL if kind in wanted]
    withdrawals.remember(db_session, to.member_id, *off, writer=writer)
    withdrawals.revoke(db_session, to.member_id, *on, writer=writer)
    _switch_off(db_session, to.member_id, off)
    if LIST not in wanted:
        _leave_list(db_session, to.member_id, writer=writer)
    elif to.list_confirmed_at is None:
        ask_for_list(db_session, to, writer=writer)


def check(db_session: Session, member_id: int, kind: str) -> None:
    """Pass where mail of this kind can be stopped.

    Raises:
        InvalidLink: there is no such member any more, or no such kind of mail.
    """
    is_known = db_session.scalar(select(Member.id).where(Member.id == member_id))
    if is_known is None or kind not in KINDS:
        raise InvalidLink


def stop(db_session: Session, member_id: int, kind: str, *, writer: Writer) -> None:
    """Stop mail of one kind, without a word about places; doing it again changes nothing.

    Raises:
        InvalidLink: there is no such member any more, or no such kind of mail.
    """
    query = select(Member.opt_outs).where(Member.id == member_id)
    off = db_session.scalar(query.with_for_update(key_share=True))
    if off is None or kind not in KINDS:
        raise InvalidLink
    if kind == LIST:
        _leave_list(db_session, member_id, writer=writer)
    else:
        withdrawals.remember(db_session, member_id, kind, writer=writer)
        _switch_off(db_session, member_id, sorted({*off, kind}))


def stop_all(db_session: Session, member_id: int, *, writer: Writer) -> None:
    """Stop all email to a member, whose address is wrong or does not work; their places stay."""
    withdrawals.remember(db_session, member_id, withdrawals.EMAIL, writer=writer)
    outbox.mark_undeliverable(db_session, member_id, now=writer.now)


def resume_all(db_session: Session, member_id: int, *, writer: Writer) -> None:
    """Let email go to a member again."""
    withdrawals.revoke(db_session, member_id, withdrawals.EMAIL, writer=writer)
    outbox.mark_deliverable(db_session, member_id)


def confirm_list(db_session: Session, owner: Owner, *, writer: Writer) -> None:
    """Put a member on the mailing list who has asked for it, and has not left since.

    Raises:
        InvalidLink: there is no such member, or they have made the link useless.
    """
    to = members.acting(db_session, owner, now=writer.now)
    if to.list_requested_at and to.list_confirmed_at is None:
        withdrawals.revoke(db_session, to.member_id, LIST, writer=writer)
        _set(db_session, to.member_id, list_confirmed_at=writer.now)


def renew_calendar(db_session: Session, member_id: int, *, writer: Writer) -> None:
    """Give a member's calendar another address; the old one shows nothing any more."""
    withdrawals.remember(db_session, member_id, withdrawals.CALENDAR, writer=writer)
    _set(db_session, member_id, calendar_version=Member.calendar_version + 1)


def renew_links(
    db_session: Session, to: Recipient, chosen: Iterable[MeetingFacts], *, writer: Writer
) -> None:
    """Make all of a member's links useless, their calendar's too, and mail them a new one."""
    if to.undeliverable_at:
        raise Refused(
            N_(
                "Mail to your address came back, so a new link would not reach you. Nothing was "
                "changed."
            )
        )
    # Counted apart from the links that a stranger can have sent to them.
    key_start = f"renewed:{to.member_id}:"
    if not telling.may_have_link(db_session, to, writer=writer, key_start=key_start):
        raise Refused(
            N_(
                "Several mails with your link have gone out today already. Nothing was changed: "
                "please try again tomorrow."
            )
        )
    to = replace(to, token_version=to.token_version + 1)
    withdrawals.remember(db_session, to.member_id, withdrawals.LINKS, writer=writer)
    _set(db_session, to.member_id, token_version=to.token_version)
    renew_calendar(db_session, to.member_id, writer=writer)
    letter = messages.my_link(writer, to, list(chosen), posted_again=False)
    mail = Mail(letter, to, Kind.LINK, f"{key_start}{to.token_version}")
    outbox.queue(db_session, [mail], now=writer.now)


def ask_for_list(db_session: Session, to: Recipient, *, writer: Writer) -> None:
    """Ask a member for the yes to the mailing list, once a day at most."""
    if to.list_requested_at and writer.now - to.list_requested_at < ASKED_AGAIN:
        return
    _set(db_session, to.member_id, list_requested_at=writer.now)
    key = f"list:{to.member_id}:{writer.now.isoformat()}"
    mail = Mail(messages.confirm_list(writer, to), to, Kind.LIST, key)
    outbox.queue(db_session, [mail], now=writer.now)


def _leave_list(db_session: Session, member_id: int, *, writer: Writer) -> None:
    withdrawals.remember(db_session, member_id, LIST, writer=writer)
    _set(db_session, member_id, list_requested_at=None, list_confirmed_at=None)
    outbox.take_back(db_session, OutboxEmail.member_id == member_id, OutboxEmail.kind == Kind.LIST)


def _switch_off(db_session: Session, member_id: int, off: list[str]) -> None:
    _set(db_session, member_id, opt_outs=off)
    kinds = [OPTIONAL[kind] for kind in off]
    outbox.take_back(db_session, OutboxEmail.member_id == member_id, OutboxEmail.kind.in_(kinds))


def _set(db_session: Session, member_id: int, **values: object) -> None:
    row = update(Member).where(Member.id == member_id).values(**values)
    db_session.execute(row.execution_options(synchronize_session=False))
