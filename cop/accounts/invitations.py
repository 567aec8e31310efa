"""The way to one more coordinator's account: a link by mail, which works once and for a week."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, delete, select
from sqlalchemy.orm import Session

from cop.accounts import accounts, emails, management
from cop.accounts.accounts import CurrentCoordinator
from cop.audit import audit_log
from cop.audit.audit_log import Action
from cop.db.statements import insert_with_conflict
from cop.errors import NotPermitted, Refused
from cop.i18n import N_
from cop.links import Purpose, read_token
from cop.mail.writer import LetterWriter
from cop.models.coordinator import Invitation
from cop.models.email import OutboxEmail
from cop.outbox import outbox
from cop.outbox.outbox import EmailKind, QueuedEmail

VALID_FOR = timedelta(days=7)


@dataclass(frozen=True)
class Invited:
    """Somebody who has not made their account yet."""

    id: int
    email: str
    may_export: bool
    created_at: datetime

    @property
    def ends_at(self) -> datetime:
        return self.created_at + VALID_FOR


@dataclass(frozen=True)
class WithdrawnInvitation:
    """An invitation that was withdrawn: whose it was, and the emails that were deleted."""

    email: str
    deleted_emails: list[str]  # by Message-ID


_COLUMNS = [getattr(Invitation, name) for name in Invited.__dataclass_fields__]


def invite(
    db_session: Session,
    email: str,
    *,
    may_export: bool,
    by: CurrentCoordinator,
    writer: LetterWriter,
) -> str:
    """Mail somebody the link to an account, and return it; one that they had stops working.

    Raises:
        NotPermitted: who invites may not give a right that they do not have.
    """
    email_key = accounts.new_key(db_session, email)
    if may_export and not management.may_export(db_session, by.id):
        raise NotPermitted(management.NOT_PERMITTED)
    said = {"email": email, "may_export": may_export, "created_at": writer.now}
    said |= {"coordinator_id": by.id}
    new = insert_with_conflict(db_session, Invitation).values(email_key=email_key, **said)
    upsert = new.on_conflict_do_update(index_elements=["email_key"], set_=said)
    id_ = db_session.scalars(upsert.returning(Invitation.id)).one()
    address = writer.links.invitation(id_, _token_timestamp(writer.now))
    outbox.withdraw(db_session, _is_about(id_))
    mail = QueuedEmail(
        emails.invitation(writer, address, by=by.name),
        email,
        EmailKind.INVITATION,
        f"{_prefix(id_)}{writer.now.isoformat()}",
        expires_at=writer.now + VALID_FOR,
    )
    outbox.queue(db_session, [mail], now=writer.now)
    audit_log.record_action(db_session, by.id, Action.INVITED, now=writer.now)
    return address


def list_invitations(db_session: Session) -> list[Invited]:
    """Who is invited and has no account yet, the first first."""
    query = select(*_COLUMNS).order_by(Invitation.created_at, Invitation.id)
    return [Invited(**row._mapping) for row in db_session.execute(query)]


def withdraw(
    db_session: Session, invitation_id: int, *, by: CurrentCoordinator, now: datetime
) -> WithdrawnInvitation | None:
    """End an invitation, and delete its emails; None where there is none."""
    gone = delete(Invitation).where(Invitation.id == invitation_id).returning(Invitation.email)
    email = db_session.scalars(gone).one_or_none()
    if email is None:
        return None
    emails = delete(OutboxEmail).where(_is_about(invitation_id)).returning(OutboxEmail.message_id)
    message_ids = list(db_session.scalars(emails))
    audit_log.record_action(db_session, by.id, Action.CHANGED_RIGHTS, now=now)
    return WithdrawnInvitation(email, message_ids)


def check(db_session: Session, token: str, *, secret_key: str, now: datetime) -> Invited:
    """The invitation of a link that can still be used."""
    parts = read_token(secret_key, Purpose.INVITATION, token, (int, int))
    query = select(*_COLUMNS).where(Invitation.id == (parts[0] if parts else None))
    # Held, so that of two posts at once the second finds it used.
    row = db_session.execute(query.with_for_update()).one_or_none()
    if (
        row is None
        or parts[1] != _token_timestamp(row.created_at)
        or now > row.created_at + VALID_FOR
    ):
        raise Refused(
            N_(
                "This invitation has been used or withdrawn, a newer one was sent, or it is older "
                "than 7 days. Ask whoever invited you for another one."
            )
        )
    return Invited(**row._mapping)


def accept(
    db_session: Session, token: str, *, name: str, password: str, secret_key: str, now: datetime
) -> int:
    """Make the account of a link, and return its id; the link is used up."""
    found = check(db_session, token, secret_key=secret_key, now=now)
    added = accounts.add(
        db_session, found.email, name=name, password=password, may_export=found.may_export
    )
    db_session.execute(delete(Invitation).where(Invitation.id == found.id))
    return added


def delete_expired(db_session: Session, *, now: datetime) -> None:
    """Delete the invitations that nobody has taken in time, and the addresses in them."""
    db_session.execute(delete(Invitation).where(Invitation.created_at <= now - VALID_FOR))


def _is_about(invitation_id: int) -> ColumnElement[bool]:
    return OutboxEmail.dedup_key.startswith(_prefix(invitation_id), autoescape=True)


def _prefix(invitation_id: int) -> str:
    return f"invitation:{invitation_id}:"


def _token_timestamp(moment: datetime) -> int:
    """What tells one invitation of an address from the next, to the microsecond."""
    return int(moment.timestamp() * 1_000_000)
