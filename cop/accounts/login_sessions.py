"""Signed-in devices: a random token in the cookie, its hash in the database."""

import re
import secrets
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, delete, select, update
from sqlalchemy.orm import Session

from cop.accounts.passwords import hash_token
from cop.audit import audit_log
from cop.models.coordinator import Coordinator, CoordinatorSession

# The first match counts: most browsers also name others, as Edge names Chrome and Safari.
_BROWSERS = {
    "Edge": r"Edg(e|A|iOS)?/",
    "Opera": r"OPR/|Opera",
    "Samsung Internet": r"SamsungBrowser/",
    "Firefox": r"(Firefox|FxiOS)/",
    "Chrome": r"(Chrome|CriOS|Chromium)/",
    "Safari": r"Safari/",
}
_SYSTEMS = {
    "iPhone": r"iPhone",
    "iPad": r"iPad",
    "Android": r"Android",
    "Windows": r"Windows",
    "Mac": r"Mac OS X|Macintosh",
    "ChromeOS": r"CrOS",
    "Linux": r"Linux|X11",
}


def describe_user_agent(user_agent: str) -> str:
    """Return browser and system, like `Firefox on Windows`; empty if unknown."""
    names = (
        next((name for name, pattern in patterns.items() if re.search(pattern, user_agent)), "")
        for patterns in (_BROWSERS, _SYSTEMS)
    )
    return " on ".join(filter(None, names))


def start_session(
    db_session: Session,
    coordinator_id: int,
    *,
    now: datetime,
    device: str = "",
    awaits_code: bool = False,
) -> str:
    """Sign a device in; return its token.

    With `awaits_code`, it still has to send its two-factor code.
    """
    db_session.execute(delete(CoordinatorSession).where(_has_timed_out(now)))
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
    """Sign a device in, and record that in the audit log; return its token."""
    audit_log.record_action(db_session, coordinator_id, audit_log.Action.SIGNED_IN, now=now)
    return start_session(db_session, coordinator_id, now=now, device=device)


def find_signed_in(db_session: Session, token: str, *, now: datetime) -> Coordinator | None:
    """Return the coordinator whose device has this token, unless it has timed out."""
    query = (
        select(Coordinator)
        .join(CoordinatorSession, CoordinatorSession.coordinator_id == Coordinator.id)
        .where(CoordinatorSession.token_hash == hash_token(token), _is_active(now))
    )
    return db_session.scalars(query).one_or_none()


def touch_session(db_session: Session, token: str, *, now: datetime) -> None:
    """Record that a signed-in device is in use."""
    is_device = CoordinatorSession.token_hash == hash_token(token)
    db_session.execute(update(CoordinatorSession).where(is_device).values(last_seen_at=now))


def list_devices(
    db_session: Session, coordinator_id: int, *, token: str, now: datetime
) -> list[CoordinatorSession]:
    """Return a coordinator's signed-in devices: this one, then by last use."""
    query = select(CoordinatorSession).where(
        CoordinatorSession.coordinator_id == coordinator_id, _is_active(now)
    )
    is_current = CoordinatorSession.token_hash == hash_token(token)
    order = (is_current.desc(), CoordinatorSession.last_seen_at.desc())
    return list(db_session.scalars(query.order_by(*order)))


def sign_out(db_session: Session, token: str) -> None:
    """Sign out the device with this token."""
    _delete(db_session, CoordinatorSession.token_hash == hash_token(token))


def sign_out_device(db_session: Session, coordinator_id: int, token_hash: str) -> int:
    """Sign out one device of a coordinator; return how many, 0 or 1."""
    return _delete(
        db_session,
        CoordinatorSession.coordinator_id == coordinator_id,
        CoordinatorSession.token_hash == token_hash,
    )


def sign_out_others(db_session: Session, coordinator_id: int, *, token: str) -> int:
    """Sign out all devices but the one with this token; return how many."""
    return _delete(
        db_session,
        CoordinatorSession.coordinator_id == coordinator_id,
        CoordinatorSession.token_hash != hash_token(token),
    )


def _is_active(now: datetime) -> ColumnElement[bool]:
    return CoordinatorSession.awaits_code.is_(False) & ~_has_timed_out(now)


def _has_timed_out(now: datetime) -> ColumnElement[bool]:
    is_idle = CoordinatorSession.last_seen_at <= now - timedelta(hours=1)
    return is_idle | (CoordinatorSession.created_at <= now - timedelta(hours=12))


def _delete(db_session: Session, *conditions: ColumnElement[bool]) -> int:
    statement = delete(CoordinatorSession).where(*conditions)
    return len(db_session.scalars(statement.returning(CoordinatorSession.token_hash)).all())
