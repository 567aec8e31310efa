"""Signing in: an address, a password, and longer waits after each failure; never a lockout."""

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import ceil

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from cop.domain import addresses, coordinators, passwords
from cop.domain.statements import insert_with_conflict
from cop.errors import InvalidAddress, InvalidCredentials, TooManyAttempts
from cop.models import Coordinator, SignInDelay
from cop.words import N_

WRONG = N_(
    "This address and this password do not belong together. Check both, and whether Caps Lock is "
    "on."
)

FREE_FAILURES = {"account": 4, "network": 20}
LONGEST_DELAY = 60  # seconds
FORGIVEN_AFTER = timedelta(hours=1)


@dataclass(frozen=True)
class Attempt:
    """Somebody who is signing in: whom they say they are, before their password was looked at."""

    keys: Mapping[str, str]
    coordinator_id: int | None
    password_hash: str
    has_second_factor: bool = False

    def matches(self, password: str) -> bool:
        """Whether it is their password; takes as long for an account that does not exist."""
        is_right = passwords.matches(self.password_hash, password)
        return is_right and self.coordinator_id is not None


def begin(db_session: Session, email: str, *, network: str, now: datetime) -> Attempt:
    """Look an account up, and count the attempt as failed until `finish` takes that back.

    Counted first, so that many guesses at once gain nothing. From one network, an account makes
    people wait longer after each failure, up to a minute.

    Raises:
        TooManyAttempts: it has failed too often just now.
    """
    keys = _keys(email, network)
    db_session.execute(delete(SignInDelay).where(SignInDelay.failed_at < now - FORGIVEN_AFTER))
    for what, key in sorted(keys.items(), key=lambda item: item[1]):
        count(db_session, key, free=FREE_FAILURES[what], now=now)
    has_second_factor = Coordinator.totp_secret.is_not(None).label("has_second_factor")
    query = select(Coordinator.id, Coordinator.password_hash, has_second_factor)
    row = db_session.execute(query.where(Coordinator.email_key == _key(email))).one_or_none()
    if row is None:
        return Attempt(keys, None, passwords.NOBODYS)
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
    take_back(db_session, attempt)
    if found.totp_secret is not None:
        return coordinators.start_session(db_session, id_, now=now, device=device, awaits_code=True)
    return coordinators.welcome(db_session, id_, device=device, now=now)


def take_back(db_session: Session, attempt: Attempt) -> None:
    """Count an attempt as failed no longer, since its password matched."""
    for what, key in sorted(attempt.keys.items(), key=lambda item: item[1]):
        if what == "account":
            forgive(db_session, key)
        else:
            row = update(SignInDelay).where(SignInDelay.key == key)
            db_session.execute(row.values(failures=SignInDelay.failures - 1))


def forgive(db_session: Session, key: str) -> None:
    """Forget the failures of a key."""
    db_session.execute(update(SignInDelay).where(SignInDelay.key == key).values(failures=0))


def _keys(email: str, network: str) -> dict[str, str]:
    """What failures are counted by; hashes, since who tried to sign in is nobody's business."""
    hashed = coordinators.hash_token
    # In the form in which accounts are found: each spelling of an address would be free to guess.
    email_key = _key(email) or unicodedata.normalize("NFKC", email).casefold().strip()
    account = hashed(f"account {email_key} {network}")
    return {"account": account, "network": hashed(f"network {network}")}


def _key(email: str) -> str | None:
    try:
        return addresses.key(email)
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
