"""Invitations of coordinators: an emailed link that works once, for a week."""

from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, delete, select
from sqlalchemy.orm import Session

from cop.accounts import accounts, emails
from cop.audit import audit_log
from cop.db.statements import insert_with_conflict
from cop.errors import LinkExpired, NotPermitted, Refused
from cop.i18n import N_
from cop.links import Purpose, read_token
from cop.mail.writer import LetterWriter
from cop.models.coordinator import Coordinator, Invitation
from cop.models.email import OutboxEmail
from cop.outbox import outbox

VALID_FOR = timedelta(days=7)


def invite(
    db_session: Session, email: str, *, may_export: bool, by: Coordinator, writer: LetterWriter
) -> str:
    """Email somebody the link to create an account, and return it.

    Older links stop working.

    Raises:
        NotPermitted: the coordinator `by` may not export lists, so they cannot give this right.
    """
    email_key = accounts.normalize_unused_address(db_session, email)
    inviter = db_session.get(Coordinator, by.id, with_for_update=True)
    if may_export and not (inviter and inviter.may_export):
        raise NotPermitted(accounts.NOT_PERMITTED, field="email")
    values = {
        "email": email,
        "may_export": may_export,
        "created_at": writer.now,
        "coordinator_id": by.id,
    }
    insert = insert_with_conflict(db_session, Invitation).values(email_key=email_key, **values)
    upsert = insert.on_conflict_do_update(index_elements=["email_key"], set_=values)
    id_ = db_session.scalars(upsert.returning(Invitation.id)).one()
    link = writer.links.invitation(id_, _token_timestamp(writer.now))
    outbox.withdraw(db_session, _is_about(id_))  # emails with an older link, if unsent
    queued = outbox.QueuedEmail(
        emails.invitation(writer, link, by=by.name),
        email,
        outbox.EmailKind.INVITATION,
        f"invitation:{id_}:{writer.now.isoformat()}",
        expires_at=writer.now + VALID_FOR,
    )
    outbox.queue(db_session, [queued], now=writer.now)
    audit_log.record_action(db_session, by.id, audit_log.Action.INVITED, now=writer.now)
    return link


def list_invitations(db_session: Session) -> list[Invitation]:
    """Return the invitations that were not accepted yet, oldest first."""
    query = select(Invitation).order_by(Invitation.created_at, Invitation.id)
    return list(db_session.scalars(query))


def withdraw(
    db_session: Session, invitation_id: int, *, by: Coordinator, now: datetime
) -> tuple[str, list[str]] | None:
    """Delete an invitation and its emails; return its address and their ids.

    The ids are the Message-IDs of the emails. Return None if there is no such invitation.
    """
    delete_invitation = delete(Invitation).where(Invitation.id == invitation_id)
    email = db_session.scalars(delete_invitation.returning(Invitation.email)).one_or_none()
    if email is None:
        return None
    delete_emails = delete(OutboxEmail).where(_is_about(invitation_id))
    message_ids = list(db_session.scalars(delete_emails.returning(OutboxEmail.message_id)))
    audit_log.record_action(db_session, by.id, audit_log.Action.CHANGED_RIGHTS, now=now)
    return email, message_ids


def check(db_session: Session, token: str, *, secret_key: str, now: datetime) -> Invitation:
    """Return the invitation of a link that can still be used.

    Raises:
        LinkExpired: it cannot be used anymore.
    """
    parts = read_token(secret_key, Purpose.INVITATION, token, (int, int))
    # Locked, so that if a form is sent twice at once, the second finds the link used.
    found = db_session.get(Invitation, parts[0], with_for_update=True) if parts else None
    if (
        found is None
        or parts[1] != _token_timestamp(found.created_at)
        or now > found.created_at + VALID_FOR
    ):
        raise LinkExpired(
            N_(
                "This invitation has been used, canceled or replaced, or it's more than 7 days "
                "old. Ask the coordinator who invited you for a new one."
            )
        )
    return found


def accept(
    db_session: Session, token: str, *, name: str, password: str, secret_key: str, now: datetime
) -> int:
    """Create the account that a link invites to, and return its id.

    The link works only once.

    Raises:
        LinkExpired: it cannot be used anymore, or its address has an account by now.
    """
    invitation = check(db_session, token, secret_key=secret_key, now=now)
    try:
        id_ = accounts.add(
            db_session,
            invitation.email,
            name=name,
            password=password,
            may_export=invitation.may_export,
        )
    except Refused as refusal:
        if refusal.field == "email":  # the form has no such field: the invitation is useless
            raise LinkExpired(refusal.sentence) from refusal
        raise
    db_session.delete(invitation)
    return id_


def delete_expired(db_session: Session, *, now: datetime) -> None:
    """Delete the invitations that nobody has accepted in time."""
    db_session.execute(delete(Invitation).where(Invitation.created_at <= now - VALID_FOR))


def _is_about(invitation_id: int) -> ColumnElement[bool]:
    return OutboxEmail.dedup_key.startswith(f"invitation:{invitation_id}:")


def _token_timestamp(moment: datetime) -> int:
    """Return microseconds, which the link and its invitation have in common.

    A newer invitation of the same address has another time, which revokes the link.
    """
    return int(moment.timestamp() * 1_000_000)
