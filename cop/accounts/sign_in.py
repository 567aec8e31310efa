"""Sign-in by address and password, with delays after failures, no lockout."""

import unicodedata
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import ceil

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from cop import email_addresses
from cop.accounts import login_sessions, passwords
from cop.db.statements import insert_with_conflict
from cop.errors import InvalidAddress, InvalidCredentials, TooManyAttempts
from cop.i18n import N_
from cop.models.coordinator import Coordinator, SignInDelay

WRONG_CREDENTIALS = N_("Wrong email or password. Check both, and check that Caps Lock is off.")

FREE_FAILURES = 4  # the first failures, which cause no delay
RESET_AFTER = timedelta(hours=1)  # without another failure


@dataclass(frozen=True)
class Attempt:
    """A sign-in whose password has not been verified yet."""

    # Failures are counted by these keys. They are hashes, so that no address is stored.
    account_key: str
    network_key: str
    coordinator_id: int | None = None
    password_hash: str = passwords.DUMMY_HASH
    has_second_factor: bool = False

    def matches(self, password: str) -> bool:
        """Verify the password; this takes as long if there is no account."""
        is_right = passwords.verify_password(self.password_hash, password)
        return is_right and self.coordinator_id is not None


def begin(db_session: Session, email: str, *, network: str, now: datetime) -> Attempt:
    """Look up an account, and count the attempt as failed until `finish` undoes that.

    It is counted before the password is verified, so that many guesses at once do not evade the
    delay. Failures are counted by account and network together, so that nobody can make the owner
    of an account wait from another network.

    Raises:
        TooManyAttempts: too many attempts have failed just now.
    """
    email_key = _normalize(email)
    # An invalid address is normalized, too: otherwise each spelling would be counted separately.
    spelling = email_key or unicodedata.normalize("NFKC", email).casefold().strip()
    account_key = passwords.hash_token(f"account {spelling} {network}")
    network_key = passwords.hash_token(f"network {network}")
    db_session.execute(delete(SignInDelay).where(SignInDelay.failed_at < now - RESET_AFTER))
    # In the same order as in `undo_attempt`, so that two at once do not deadlock.
    count_attempt(db_session, account_key, free=FREE_FAILURES, now=now)
    count_attempt(db_session, network_key, free=20, now=now)  # more: many may share a network
    query = select(Coordinator).where(Coordinator.email_key == email_key)
    found = db_session.scalars(query).one_or_none()
    if found is None:
        return Attempt(account_key, network_key)
    return Attempt(account_key, network_key, found.id, found.password_hash, found.has_second_factor)


def finish(db_session: Session, attempt: Attempt, *, now: datetime, device: str = "") -> str:
    """Sign in the device of an attempt whose password matched; return its token.

    With a second factor, the device can do nothing but send its code.

    Raises:
        InvalidCredentials: there is no account, or its password was changed since `begin`.
    """
    # Locked and read again, since the password may have been changed while it was verified.
    query = select(Coordinator).where(Coordinator.id == attempt.coordinator_id).with_for_update()
    found = db_session.scalars(query.execution_options(populate_existing=True)).one_or_none()
    if found is None or found.password_hash != attempt.password_hash:
        raise InvalidCredentials(WRONG_CREDENTIALS, field="email")
    undo_attempt(db_session, attempt)
    if found.has_second_factor:
        return login_sessions.start_session(
            db_session, found.id, now=now, device=device, awaits_code=True
        )
    return login_sessions.finish_sign_in(db_session, found.id, device=device, now=now)


def undo_attempt(db_session: Session, attempt: Attempt) -> None:
    """Stop counting an attempt as failed, since its password matched."""
    reset_failures(db_session, attempt.account_key)
    is_network = SignInDelay.key == attempt.network_key
    db_session.execute(
        update(SignInDelay).where(is_network).values(failures=SignInDelay.failures - 1)
    )


def reset_failures(db_session: Session, key: str) -> None:
    """Set the number of failures of a key to zero."""
    db_session.execute(update(SignInDelay).where(SignInDelay.key == key).values(failures=0))


def count_attempt(db_session: Session, key: str, *, free: int, now: datetime) -> None:
    """Count one more failure for a key; the first `free` failures cause no delay.

    Raises:
        TooManyAttempts: too many attempts have failed just now.
    """
    row = {"key": key, "failures": 0, "failed_at": now}
    insert = insert_with_conflict(db_session, SignInDelay).values(row)
    # If the row exists, this update changes nothing, but locks it: so attempts that are made at
    # once are counted one by one.
    upsert = insert.on_conflict_do_update(index_elements=["key"], set_={"key": key})
    found = db_session.execute(upsert.returning(SignInDelay.failures, SignInDelay.failed_at)).one()
    # The delay doubles with each failure, up to a minute.
    seconds = min(60, 2 ** min(found.failures - free, 6)) if found.failures > free else 0
    until = found.failed_at + timedelta(seconds=seconds)
    # A failure in the future causes no delay: the clock was set back since, maybe by years.
    if found.failed_at <= now < until:
        raise TooManyAttempts(
            N_("Too many failed sign-ins. Wait a minute, then try again."),
            field="email",
            seconds=ceil((until - now).total_seconds()),
        )
    values = {"failures": found.failures + 1, "failed_at": now}
    db_session.execute(update(SignInDelay).where(SignInDelay.key == key).values(values))


def _normalize(email: str) -> str | None:
    try:
        return email_addresses.normalize(email)
    except InvalidAddress:
        return None
