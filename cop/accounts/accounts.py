"""Coordinators: their accounts, their signed-in devices, and what they looked at."""

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, delete, exists, select, update
from sqlalchemy.orm import Session

from cop import email_addresses
from cop.accounts import passwords
from cop.audit import audit_log
from cop.audit.audit_log import Action
from cop.db.statements import insert_with_conflict
from cop.errors import Refused
from cop.i18n import N_
from cop.models.community import Community
from cop.models.coordinator import Coordinator, CoordinatorSession, SetUpLink

SET_UP_LINK_VALID_FOR = timedelta(hours=24)
IDLE_TIMEOUT = timedelta(minutes=60)
ABSOLUTE_TIMEOUT = timedelta(hours=12)


@dataclass(frozen=True)
class CurrentCoordinator:
    """A coordinator, as a request knows them."""

    id: int
    name: str
    email: str
    may_export: bool = True
    has_second_factor: bool = False
    needs_two_factor: bool = False  # everybody needs a second factor here, and they have none


def hash_token(token: str) -> str:
    """What is kept of a token: enough to recognise it, not enough to use it."""
    return hashlib.sha256(token.encode()).hexdigest()


def any_exist(db_session: Session) -> bool:
    """Whether anybody can sign in."""
    return bool(db_session.scalar(select(exists().where(Coordinator.id.is_not(None)))))


def add(
    db_session: Session, email: str, *, name: str, password: str, may_export: bool = True
) -> int:
    """Make an account; return its id."""
    email_key = new_key(db_session, email)
    password_hash = passwords.hash_password(password, about=(email, name))
    coordinator = Coordinator(
        email=email,
        email_key=email_key,
        name=name,
        password_hash=password_hash,
        may_export=may_export,
    )
    db_session.add(coordinator)
    db_session.execute(delete(SetUpLink))
    db_session.flush()
    return coordinator.id


def new_key(db_session: Session, email: str) -> str:
    """Return the key of an address, which must have no account."""
    email_key = email_addresses.normalize(email)
    if db_session.scalar(select(Coordinator.id).where(Coordinator.email_key == email_key)):
        raise Refused(N_("There is an account for this address already."), field="email")
    return email_key


def find(db_session: Session, email: str) -> Coordinator:
    """Return the coordinator with this address."""
    query = select(Coordinator).where(Coordinator.email_key == email_addresses.normalize(email))
    coordinator = db_session.scalars(query).one_or_none()
    if coordinator is None:
        raise Refused(N_("There is no account for this address."), field="email")
    return coordinator


def change_password(db_session: Session, email: str, *, password: str) -> None:
    """Give an account a new password, and sign out its devices."""
    set_password(db_session, find(db_session, email), password=password)


def set_password(db_session: Session, coordinator: Coordinator, *, password: str) -> None:
    """Give a coordinator a new password, and sign out their devices."""
    coordinator.password_hash = passwords.hash_password(
        password, about=(coordinator.email, coordinator.name)
    )
    db_session.execute(
        delete(CoordinatorSession).where(CoordinatorSession.coordinator_id == coordinator.id)
    )


def new_set_up_link(db_session: Session, *, now: datetime) -> str | None:
    """Make a link to the first account and return its token; None where somebody can sign in.

    An older link stops working.
    """
    if any_exist(db_session):
        return None
    token = secrets.token_urlsafe(24)
    link = {"token_hash": hash_token(token), "created_at": now}
    new = insert_with_conflict(db_session, SetUpLink).values(id=1, **link)
    # Two starts at once: the second waits for the first, and its link is the one that works.
    db_session.execute(new.on_conflict_do_update(index_elements=["id"], set_=link))
    return token


def check_set_up_link(db_session: Session, token: str, *, now: datetime) -> None:
    """Pass for a link that can still be used."""
    link = db_session.execute(select(SetUpLink).with_for_update()).scalar_one_or_none()
    if (
        link is None
        or not secrets.compare_digest(link.token_hash, hash_token(token))
        or now > link.created_at + SET_UP_LINK_VALID_FOR
        or any_exist(db_session)
    ):
        raise Refused(
            N_(
                "This set-up link has been used, or is older than 24 hours. Starting the site "
                "again prints a new one as long as there is no coordinator."
            )
        )


def start_session(
    db_session: Session,
    coordinator_id: int,
    *,
    now: datetime,
    device: str = "",
    awaits_code: bool = False,
) -> str:
    """Sign a device in, or half in; return its token, of which only the hash is kept."""
    db_session.execute(
        delete(CoordinatorSession).where(
            (CoordinatorSession.last_seen_at < now - IDLE_TIMEOUT)
            | (CoordinatorSession.created_at < now - ABSOLUTE_TIMEOUT)
        )
    )
    token = secrets.token_urlsafe(32)
    db_session.add(
        CoordinatorSession(
            token_hash=hash_token(token),
            coordinator_id=coordinator_id,
            created_at=now,
            last_seen_at=now,
            device=device,
            awaits_code=awaits_code,
        )
    )
    return token


def finish_sign_in(db_session: Session, coordinator_id: int, *, device: str, now: datetime) -> str:
    """Sign a device in and note that in the record; return its token."""
    token = start_session(db_session, coordinator_id, now=now, device=device)
    by = find_signed_in(db_session, token, now=now)
    if by:
        audit_log.record_action(db_session, by.id, Action.SIGNED_IN, now=now)
    return token


def is_active(now: datetime) -> ColumnElement[bool]:
    """Whether a device is signed in: wholly, and neither idle nor signed in for too long."""
    return (
        CoordinatorSession.awaits_code.is_(False)
        & (CoordinatorSession.last_seen_at > now - IDLE_TIMEOUT)
        & (CoordinatorSession.created_at > now - ABSOLUTE_TIMEOUT)
    )


def find_signed_in(db_session: Session, token: str, *, now: datetime) -> CurrentCoordinator | None:
    """The coordinator whose device holds this token, unless it was idle or signed in too long."""
    needed = select(Community.two_factor_required).scalar_subquery()
    query = (
        select(
            Coordinator.id, Coordinator.name, Coordinator.email, Coordinator.may_export,
            Coordinator.totp_secret.is_not(None).label("has_second_factor"),
            needed.label("needed"),
        )
        .join(CoordinatorSession, CoordinatorSession.coordinator_id == Coordinator.id)
        .where(CoordinatorSession.token_hash == hash_token(token), is_active(now))
    )  # fmt: skip
    row = db_session.execute(query).one_or_none()
    if row is None:
        return None
    id_, name, email, may_export, has_second_factor, is_needed = row
    needs_two_factor = bool(is_needed) and not has_second_factor
    return CurrentCoordinator(id_, name, email, may_export, has_second_factor, needs_two_factor)


def touch_session(db_session: Session, token: str, *, now: datetime) -> None:
    """Note that a signed-in device is in use."""
    device = update(CoordinatorSession).where(CoordinatorSession.token_hash == hash_token(token))
    db_session.execute(device.values(last_seen_at=now))


def sign_out(db_session: Session, token: str) -> None:
    """Sign a device out; its token is worth nothing from now on."""
    db_session.execute(
        delete(CoordinatorSession).where(CoordinatorSession.token_hash == hash_token(token))
    )
