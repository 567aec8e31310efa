"""The devices at which a coordinator is signed in."""

import re
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from cop.domain.coordinators import hash_token, is_in_use
from cop.models import CoordinatorSession

# The first that is found counts: most browsers also claim to be others.
_BROWSERS = (
    ("Edge", r"Edg(e|A|iOS)?/"), ("Opera", r"OPR/|Opera"), ("Samsung Internet", "SamsungBrowser/"),
    ("Firefox", r"(Firefox|FxiOS)/"), ("Chrome", r"(Chrome|CriOS|Chromium)/"),
    ("Safari", "Safari/"),
)  # fmt: skip
_SYSTEMS = (
    ("iPhone", "iPhone"), ("iPad", "iPad"), ("Android", "Android"), ("Windows", "Windows"),
    ("Mac", "Mac OS X|Macintosh"), ("ChromeOS", "CrOS"), ("Linux", "Linux|X11"),
)  # fmt: skip


@dataclass(frozen=True)
class Device:
    """A device that is signed in; its key names it, and signs nobody in."""

    key: str
    said: str
    created_at: datetime
    last_seen_at: datetime
    is_this: bool


def described(user_agent: str) -> str:
    """What a browser says it is, in short: `Firefox on Windows`; nothing where it says nothing."""
    found = (
        next((name for name, sign in signs if re.search(sign, user_agent)), "")
        for signs in (_BROWSERS, _SYSTEMS)
    )
    return " on ".join(filter(None, found))


def listed(db_session: Session, coordinator_id: int, *, token: str, now: datetime) -> list[Device]:
    """The devices of a coordinator that are signed in: the one of this token, then the latest."""
    query = select(CoordinatorSession).where(
        CoordinatorSession.coordinator_id == coordinator_id, is_in_use(now)
    )
    this = hash_token(token)
    found = [
        Device(row.token_hash, row.device, row.created_at, row.last_seen_at, row.token_hash == this)
        for row in db_session.scalars(query)
    ]
    return sorted(found, key=lambda device: (device.is_this, device.last_seen_at), reverse=True)


def sign_out(db_session: Session, coordinator_id: int, key: str) -> bool:
    """Sign one device of a coordinator out; return whether there was one."""
    theirs = CoordinatorSession.coordinator_id == coordinator_id
    gone = delete(CoordinatorSession).where(theirs, CoordinatorSession.token_hash == key)
    return bool(db_session.scalars(gone.returning(CoordinatorSession.token_hash)).all())


def sign_out_others(db_session: Session, coordinator_id: int, *, token: str) -> int:
    """Sign out all devices of a coordinator but the one of this token; return how many."""
    theirs = CoordinatorSession.coordinator_id == coordinator_id
    others = delete(CoordinatorSession).where(
        theirs, CoordinatorSession.token_hash != hash_token(token)
    )
    return len(db_session.scalars(others.returning(CoordinatorSession.token_hash)).all())
