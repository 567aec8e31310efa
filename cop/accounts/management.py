"""Whose accounts there are, what each may do, and their end."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from cop.accounts.accounts import CurrentCoordinator
from cop.audit import audit_log, withdrawals
from cop.audit.audit_log import Action
from cop.errors import NotPermitted, Refused
from cop.i18n import N_
from cop.mail.writer import LetterWriter
from cop.models.audit import AuditEntry
from cop.models.coordinator import Coordinator, CoordinatorSession, Invitation

NOT_PERMITTED = N_(
    "Whether somebody may take lists away, or is removed who may, is decided by those who may. Ask "
    "one of them."
)


@dataclass(frozen=True)
class Account:
    """A coordinator, as the others see them."""

    id: int
    name: str
    email: str
    may_export: bool
    has_second_factor: bool
    used_at: datetime | None  # last seen at a device that is signed in, or doing something


def list_accounts(db_session: Session) -> list[Account]:
    """Every account, by name."""
    seen = select(func.max(CoordinatorSession.last_seen_at)).where(
        CoordinatorSession.coordinator_id == Coordinator.id,
        CoordinatorSession.awaits_code.is_(False),
    )
    acted = select(func.max(AuditEntry.done_at)).where(AuditEntry.coordinator_id == Coordinator.id)
    has_second_factor = Coordinator.totp_secret.is_not(None)
    query = select(
        Coordinator.id, Coordinator.name, Coordinator.email, Coordinator.may_export,
        has_second_factor.label("factor"), seen.scalar_subquery().label("seen"),
        acted.scalar_subquery().label("acted"),
    )  # fmt: skip
    return [
        Account(*row[:4], row.factor, max(filter(None, (row.seen, row.acted)), default=None))
        for row in db_session.execute(query.order_by(Coordinator.name, Coordinator.id))
    ]


def remove(
    db_session: Session, coordinator_id: int, *, by: CurrentCoordinator, writer: LetterWriter
) -> str | None:
    """Remove an account and sign out its devices; return its name, None for no such account.

    Raises:
        NotPermitted: they may take lists away, and who removes them may not.
    """
    everybody = _locked_account(db_session)
    found = everybody.get(coordinator_id)
    if found is None or by.id not in everybody:
        return None
    if found.may_export and not everybody[by.id].may_export:
        raise NotPermitted(NOT_PERMITTED)
    if len(everybody) == 1:
        raise Refused(N_("This is the only account. Invite somebody else first."))
    _require_an_exporter(everybody, without=found)
    audit_log.record_action(db_session, by.id, Action.REMOVED, now=writer.now)
    key = found.email_key
    withdrawals.remember_address(db_session, key, withdrawals.ACCOUNT, writer=writer)
    db_session.flush()  # the note first: of who removes themselves, only their number goes
    db_session.delete(found)
    return found.name


def set_may_export(
    db_session: Session,
    coordinator_id: int,
    *,
    may_export: bool,
    by: CurrentCoordinator,
    now: datetime,
) -> str | None:
    """Let somebody take lists away, or no longer; return their name, None for no such account.

    Raises:
        NotPermitted: who decides it may not do it themselves.
    """
    everybody = _locked_account(db_session)
    found = everybody.get(coordinator_id)
    if by.id not in everybody or not everybody[by.id].may_export:
        raise NotPermitted(NOT_PERMITTED)
    if found is None:
        return None
    if not may_export:
        _require_an_exporter(everybody, without=found)
    found.may_export = may_export
    if not may_export:  # nor may those whom they have invited
        theirs = update(Invitation).where(Invitation.coordinator_id == coordinator_id)
        db_session.execute(theirs.values(may_export=False))
    audit_log.record_action(db_session, by.id, Action.CHANGED_RIGHTS, now=now)
    return found.name


def may_export(db_session: Session, coordinator_id: int) -> bool:
    """Whether somebody may take lists away, at this moment."""
    query = select(Coordinator.may_export).where(Coordinator.id == coordinator_id)
    return bool(db_session.scalar(query.with_for_update()))


def _locked_account(db_session: Session) -> dict[int, Coordinator]:
    """Every account, held: two who remove each other at once would leave nobody."""
    query = select(Coordinator).order_by(Coordinator.id).with_for_update()
    return {coordinator.id: coordinator for coordinator in db_session.scalars(query)}


def _require_an_exporter(everybody: dict[int, Coordinator], *, without: Coordinator) -> None:
    others = [each for each in everybody.values() if each is not without and each.may_export]
    if without.may_export and not others:
        raise Refused(
            N_("Nobody else may take lists away. Give this right to somebody else first.")
        )
