"""Coordinators' accounts: the set-up link for the first one, rights, and removal."""

import secrets
from datetime import datetime, timedelta

from sqlalchemy import delete, exists, func, select, update
from sqlalchemy.orm import Session

from cop import email_addresses
from cop.accounts import passwords
from cop.audit import audit_log, withdrawals
from cop.db.statements import insert_with_conflict
from cop.errors import LinkExpired, NotPermitted, Refused
from cop.i18n import N_
from cop.mail.writer import LetterWriter
from cop.models.audit import AuditEntry
from cop.models.coordinator import Coordinator, CoordinatorSession, Invitation, SetUpLink

NOT_PERMITTED = N_(
    "Only coordinators who can download lists can change this permission, or remove someone who "
    "has it. Ask one of them."
)


def any_exist(db_session: Session) -> bool:
    """Whether anybody can sign in."""
    return bool(db_session.scalar(select(exists().where(Coordinator.id.is_not(None)))))


def add(
    db_session: Session, email: str, *, name: str, password: str, may_export: bool = True
) -> int:
    """Create an account; return its id."""
    email_key = normalize_unused_address(db_session, email)
    coordinator = Coordinator(
        email=email,
        email_key=email_key,
        name=name,
        password_hash=passwords.hash_password(password, owner_words=(email, name)),
        may_export=may_export,
    )
    db_session.add(coordinator)
    db_session.execute(delete(SetUpLink))
    db_session.flush()
    return coordinator.id


def normalize_unused_address(db_session: Session, email: str) -> str:
    """Return the normalized form of an address, for a new account.

    Raises:
        Refused: there is an account for this address already.
    """
    email_key = email_addresses.normalize(email)
    if db_session.scalar(select(Coordinator.id).where(Coordinator.email_key == email_key)):
        raise Refused(N_("This email already has an account."), field="email")
    return email_key


def find(db_session: Session, email: str) -> Coordinator:
    """Return the coordinator with this address.

    Raises:
        Refused: there is none.
    """
    query = select(Coordinator).where(Coordinator.email_key == email_addresses.normalize(email))
    coordinator = db_session.scalars(query).one_or_none()
    if coordinator is None:
        raise Refused(N_("No coordinator has this email. Check the spelling."), field="email")
    return coordinator


def coordinator_addresses(db_session: Session) -> list[str]:
    """Return the addresses of all coordinators."""
    return list(db_session.scalars(select(Coordinator.email).order_by(Coordinator.id)))


def list_accounts(db_session: Session) -> list[tuple[Coordinator, datetime | None]]:
    """Return all coordinators by name, each with their last known activity."""
    last_seen_query = select(func.max(CoordinatorSession.last_seen_at)).where(
        CoordinatorSession.coordinator_id == Coordinator.id,
        CoordinatorSession.awaits_code.is_(False),
    )
    is_theirs = AuditEntry.coordinator_id == Coordinator.id
    last_action_query = select(func.max(AuditEntry.done_at)).where(is_theirs)
    query = select(
        Coordinator, last_seen_query.scalar_subquery(), last_action_query.scalar_subquery()
    ).order_by(Coordinator.name, Coordinator.id)
    return [
        (coordinator, max(filter(None, times), default=None))
        for coordinator, *times in db_session.execute(query)
    ]


def change_password(db_session: Session, email: str, *, password: str) -> None:
    """Change the password of an account and sign out its devices."""
    coordinator = find(db_session, email)
    coordinator.password_hash = passwords.hash_password(
        password, owner_words=(coordinator.email, coordinator.name)
    )
    db_session.execute(
        delete(CoordinatorSession).where(CoordinatorSession.coordinator_id == coordinator.id)
    )


def new_set_up_link(db_session: Session, *, now: datetime) -> str | None:
    """Create the link to the first account, and return its token.

    An older link stops working.

    Return None if there is an account already.
    """
    if any_exist(db_session):
        return None
    token = secrets.token_urlsafe(24)
    values = {"token_hash": passwords.hash_token(token), "created_at": now}
    insert = insert_with_conflict(db_session, SetUpLink).values(id=1, **values)
    # If two processes start at once, the second waits for the first and replaces its link.
    db_session.execute(insert.on_conflict_do_update(index_elements=["id"], set_=values))
    return token


def check_set_up_link(db_session: Session, token: str, *, now: datetime) -> None:
    """Check that a set-up link can still be used.

    Raises:
        LinkExpired: it cannot be used anymore.
    """
    link = db_session.execute(select(SetUpLink).with_for_update()).scalar_one_or_none()
    if (
        link is None
        or not secrets.compare_digest(link.token_hash, passwords.hash_token(token))
        or now > link.created_at + timedelta(hours=24)
        or any_exist(db_session)
    ):
        raise LinkExpired(
            N_(
                "This setup link has been used or replaced, or it's more than 24 hours old. If "
                "there is no coordinator yet, restart the site to get a new one."
            )
        )


def remove(
    db_session: Session, coordinator_id: int, *, by: Coordinator, writer: LetterWriter
) -> str | None:
    """Delete an account; return its name, None if there is none.

    Its devices are signed out.

    Raises:
        NotPermitted: the account may export lists, and the coordinator `by` may not.
    """
    accounts = _lock_accounts(db_session)
    account = accounts.get(coordinator_id)
    if account is None or by.id not in accounts:
        return None
    if account.may_export and not accounts[by.id].may_export:
        raise NotPermitted(NOT_PERMITTED)
    if len(accounts) == 1:
        raise Refused(N_("This is the only account. Invite another coordinator first."))
    _require_another_exporter(accounts, account)
    audit_log.record_action(db_session, by.id, audit_log.Action.REMOVED, now=writer.now)
    withdrawals.remember_address(db_session, account.email_key, withdrawals.ACCOUNT, writer=writer)
    # The audit entry is written before the account is deleted, since it may be about `by`: then the
    # database sets its coordinator to NULL.
    db_session.flush()
    db_session.delete(account)
    return account.name


def set_may_export(
    db_session: Session, coordinator_id: int, *, may_export: bool, by: Coordinator, now: datetime
) -> str | None:
    """Grant or revoke the right to export lists; return the account's name.

    Return None if there is no such account.

    Raises:
        NotPermitted: the coordinator who decides this may not export lists.
    """
    accounts = _lock_accounts(db_session)
    account = accounts.get(coordinator_id)
    if by.id not in accounts or not accounts[by.id].may_export:
        raise NotPermitted(NOT_PERMITTED)
    if account is None:
        return None
    if not may_export:
        _require_another_exporter(accounts, account)
        is_theirs = Invitation.coordinator_id == coordinator_id
        db_session.execute(update(Invitation).where(is_theirs).values(may_export=False))
    account.may_export = may_export
    audit_log.record_action(db_session, by.id, audit_log.Action.CHANGED_RIGHTS, now=now)
    return account.name


def _lock_accounts(db_session: Session) -> dict[int, Coordinator]:
    # All accounts are locked, since two coordinators could otherwise remove each other at once.
    query = select(Coordinator).order_by(Coordinator.id).with_for_update()
    return {coordinator.id: coordinator for coordinator in db_session.scalars(query)}


def _require_another_exporter(accounts: dict[int, Coordinator], account: Coordinator) -> None:
    others = [other for other in accounts.values() if other is not account and other.may_export]
    if account.may_export and not others:
        raise Refused(
            N_("No one else can download lists. Give someone else this permission first.")
        )
