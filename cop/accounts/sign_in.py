"""Signing in: an address, a password, and longer waits after each failure; never a lockout."""

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import ceil

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from cop import email_addresses
from cop.accounts import accounts, passwords
from cop.accounts.accounts import hash_token, is_active
from cop.db.statements import insert_with_conflict
from cop.errors import InvalidAddress, InvalidCredentials, TooManyAttempts
from cop.i18n import N_
from cop.models.coordinator import Coordinator, CoordinatorSession, SignInDelay

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


def describe_user_agent(user_agent: str) -> str:
    """What a browser says it is, in short: `Firefox on Windows`; nothing where it says nothing."""
    found = (
        next((name for name, sign in signs if re.search(sign, user_agent)), "")
        for signs in (_BROWSERS, _SYSTEMS)
    )
    return " on ".join(filter(None, found))


def list_devices(
    db_session: Session, coordinator_id: int, *, token: str, now: datetime
) -> list[Device]:
    """The devices of a coordinator that are signed in: the one of this token, then the latest."""
    query = select(CoordinatorSession).where(
        CoordinatorSession.coordinator_id == coordinator_id, is_active(now)
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


WRONG = N_(
    "This address and this password do not belong together. Check both, and whether Caps Lock is "
    "on."
)

FREE_FAILURES = {"account": 4, "network": 20}
LONGEST_DELAY = 60  # seconds
RESET_AFTER = timedelta(hours=1)


@dataclass(frozen=True)
class Attempt:
    """Somebody who is signing in: whom they say they are, before their password was looked at."""

    keys: Mapping[str, str]
    coordinator_id: int | None
    password_hash: str
    has_second_factor: bool = False

    def matches(self, password: str) -> bool:
        """Whether it is their password; takes as long for an account that does not exist."""
        is_right = passwords.verify_password(self.password_hash, password)
        return is_right and self.coordinator_id is not None


def begin(db_session: Session, email: str, *, network: str, now: datetime) -> Attempt:
    """Look an account up, and count the attempt as failed until `finish` takes that back.

    Counted first, so that many guesses at once gain nothing. From one network, an account makes
    people wait longer after each failure, up to a minute.

    Raises:
        TooManyAttempts: it has failed too often just now.
    """
    keys = _keys(email, network)
    db_session.execute(delete(SignInDelay).where(SignInDelay.failed_at < now - RESET_AFTER))
    for what, key in sorted(keys.items(), key=lambda item: item[1]):
        count(db_session, key, free=FREE_FAILURES[what], now=now)
    has_second_factor = Coordinator.totp_secret.is_not(None).label("has_second_factor")
    query = select(Coordinator.id, Coordinator.password_hash, has_second_factor)
    row = db_session.execute(query.where(Coordinator.email_key == _key(email))).one_or_none()
    if row is None:
        return Attempt(keys, None, passwords.DUMMY_HASH)
    return Attempt(keys, *row)


def finish(db_session: Session, attempt: Attempt, *, now: datetime, device: str = "") -> str:
    """Return the token of a new signed-in device, for an attempt whose password matched.

    With a second factor, the device is signed in for nothing but to write the code.

    Raises:
        InvalidCredentials: the attempt is for no account, or for a password that was changed since.
    """
    id_ = attempt.coordinator_id
    # Held, and looked at again: the password may have changed while this one was compared.
    query = select(Coordinator.password_hash, Coordinator.totp_secret).where(Coordinator.id == id_)
    found = db_session.execute(query.with_for_update()).one_or_none()
    if id_ is None or found is None or found.password_hash != attempt.password_hash:
        raise InvalidCredentials(WRONG, field="email")
    undo_attempt(db_session, attempt)
    if found.totp_secret is not None:
        return accounts.start_session(db_session, id_, now=now, device=device, awaits_code=True)
    return accounts.finish_sign_in(db_session, id_, device=device, now=now)


def undo_attempt(db_session: Session, attempt: Attempt) -> None:
    """Count an attempt as failed no longer, since its password matched."""
    for what, key in sorted(attempt.keys.items(), key=lambda item: item[1]):
        if what == "account":
            reset_failures(db_session, key)
        else:
            row = update(SignInDelay).where(SignInDelay.key == key)
            db_session.execute(row.values(failures=SignInDelay.failures - 1))


def reset_failures(db_session: Session, key: str) -> None:
    """Forget the failures of a key."""
    db_session.execute(update(SignInDelay).where(SignInDelay.key == key).values(failures=0))


def _keys(email: str, network: str) -> dict[str, str]:
    """What failures are counted by; hashes, since who tried to sign in is nobody's business."""
    hashed = accounts.hash_token
    # In the form in which accounts are found: each spelling of an address would be free to guess.
    email_key = _key(email) or unicodedata.normalize("NFKC", email).casefold().strip()
    account = hashed(f"account {email_key} {network}")
    return {"account": account, "network": hashed(f"network {network}")}


def _key(email: str) -> str | None:
    try:
        return email_addresses.normalize(email)
    except InvalidAddress:
        return None


def count(db_session: Session, key: str, *, free: int, now: datetime) -> None:
    """Count one more failure for a key, unless it has to wait.

    Raises:
        TooManyAttempts: it has failed too often just now.
    """
    new = insert_with_conflict(db_session, SignInDelay).values(key=key, failures=0, failed_at=now)
    # An update of nothing, to hold the row: guesses at once are looked at one after the other.
    held = new.on_conflict_do_update(index_elements=["key"], set_={"key": new.excluded.key})
    found = db_session.execute(held.returning(SignInDelay.failures, SignInDelay.failed_at)).one()
    until = found.failed_at + _delay(found.failures, free)
    if found.failed_at <= now < until:  # the clock may have been set back since, by years
        raise TooManyAttempts(
            N_("Signing in failed several times. Wait %(seconds)s seconds, then try again."),
            field="email",
            seconds=ceil((until - now).total_seconds()),
        )
    row = update(SignInDelay).where(SignInDelay.key == key)
    db_session.execute(row.values(failures=found.failures + 1, failed_at=now))


def _delay(failures: int, free: int) -> timedelta:
    if failures <= free:
        return timedelta()
    return timedelta(seconds=min(LONGEST_DELAY, 2 ** min(failures - free, 6)))
