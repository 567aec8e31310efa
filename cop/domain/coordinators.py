"""Coordinators: accounts, passwords, signed-in devices, and what they looked at."""

import hashlib
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from math import ceil

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from sqlalchemy import delete, exists, select, update
from sqlalchemy.orm import Session

from cop.domain import addresses
from cop.domain.errors import (
    AddressRefused,
    CoordinatorExists,
    CoordinatorUnknown,
    PasswordGuessable,
    PasswordRefused,
    SetUpLinkUnusable,
    SignInDelayed,
    SignInRefused,
)
from cop.models import Coordinator, CoordinatorSession, SetUpLink, SignInDelay, Viewing

SET_UP_WITHIN = timedelta(hours=24)
IDLE = timedelta(minutes=60)
ABSOLUTE = timedelta(hours=12)
FREE_FAILURES = {"account": 4, "network": 20}
LONGEST_DELAY = 60  # seconds
FORGIVEN_AFTER = timedelta(hours=1)

_hasher = PasswordHasher(time_cost=2, memory_cost=19456, parallelism=1)
# Verified where there is no such account, so that the answer takes as long as for a real one.
_NOBODY = _hasher.hash(secrets.token_hex(16))

_TRIED_FIRST = (
    "password", "passwort", "letmein", "welcome", "qwertyuiop", "qwerty", "asdfghjkl", "zxcvbnm",
    "1qaz2wsx3edc4rfv", "iloveyou", "administrator", "admin", "changeme", "trustno1", "sunshine",
    "princess", "football", "baseball", "dragon", "monkey", "abc", "test", "secret", "equityindata",
    "ctdata", "connecticut", "communityofpractice", "coordinator", "correcthorsebatterystaple",
)  # fmt: skip


@dataclass(frozen=True)
class SignedIn:
    """A coordinator, as a request knows them."""

    id: int
    name: str
    email: str


def hash_token(token: str) -> str:
    """What is kept of a token: enough to recognise it, not enough to use it."""
    return hashlib.sha256(token.encode()).hexdigest()


def exist(db_session: Session) -> bool:
    """Whether anybody can sign in."""
    return bool(db_session.scalar(select(exists().where(Coordinator.id.is_not(None)))))


def add(db_session: Session, email: str, *, name: str, password: str) -> int:
    """Make an account; return its id.

    Raises:
        AddressRefused: the address is none.
        CoordinatorExists: it has an account.
        PasswordRefused: the password is too short, too long, or easy to guess.
    """
    email_key = addresses.key(email)
    if db_session.scalar(select(Coordinator.id).where(Coordinator.email_key == email_key)):
        raise CoordinatorExists
    password_hash = _hash(password, about=(email, name))
    coordinator = Coordinator(
        email=email, email_key=email_key, name=name, password_hash=password_hash
    )
    db_session.add(coordinator)
    db_session.execute(delete(SetUpLink))
    db_session.flush()
    return coordinator.id


def change_password(db_session: Session, email: str, *, password: str) -> None:
    """Give an account a new password, and sign out its devices.

    Raises:
        AddressRefused: the address is none.
        CoordinatorUnknown: it has no account.
        PasswordRefused: the password is too short, too long, or easy to guess.
    """
    query = select(Coordinator).where(Coordinator.email_key == addresses.key(email))
    coordinator = db_session.scalars(query).one_or_none()
    if coordinator is None:
        raise CoordinatorUnknown
    coordinator.password_hash = _hash(password, about=(coordinator.email, coordinator.name))
    db_session.execute(
        delete(CoordinatorSession).where(CoordinatorSession.coordinator_id == coordinator.id)
    )


def _hash(password: str, *, about: Sequence[str]) -> str:
    if not 15 <= len(password) <= 128:
        raise PasswordRefused
    if _is_guessable(password, about):
        raise PasswordGuessable
    return _hasher.hash(password)


def _is_guessable(password: str, about: Sequence[str]) -> bool:
    """Whether little is left of a password without what everybody tries, repeated or counted up."""
    folded = "".join(c for c in password.casefold() if c.isalnum())
    if len(set(folded)) < 5:
        return True
    own = " ".join(about).casefold().replace("@", " ").replace(".", " ").split()
    for word in sorted((*_TRIED_FIRST, *own), key=len, reverse=True):
        if len(word) > 2:
            folded = folded.replace(word, "")
    steps = {ord(after) - ord(before) for before, after in pairwise(folded)}
    return len(set(folded)) < 5 or len(steps) == 1


def new_set_up_link(db_session: Session, *, now: datetime) -> str | None:
    """Make a link to the first account and return its token; None where somebody can sign in.

    An older link stops working.
    """
    if exist(db_session):
        return None
    token = secrets.token_urlsafe(24)
    db_session.merge(SetUpLink(id=1, token_hash=hash_token(token), created_at=now))
    return token


def check_set_up_link(db_session: Session, token: str, *, now: datetime) -> None:
    """Pass for a link that can still be used.

    Raises:
        SetUpLinkUnusable: it is unknown, used or too old, or there is a coordinator.
    """
    link = db_session.execute(select(SetUpLink).with_for_update()).scalar_one_or_none()
    if (
        link is None
        or not secrets.compare_digest(link.token_hash, hash_token(token))
        or now > link.created_at + SET_UP_WITHIN
        or exist(db_session)
    ):
        raise SetUpLinkUnusable


@dataclass(frozen=True)
class Attempt:
    """Somebody who is signing in: whom they say they are, before their password was looked at."""

    keys: Mapping[str, str]
    coordinator_id: int | None
    password_hash: str

    def matches(self, password: str) -> bool:
        """Whether it is their password; takes as long for an account that does not exist."""
        try:
            return _hasher.verify(self.password_hash, password) and self.coordinator_id is not None
        except (VerificationError, InvalidHashError):
            return False


def begin_sign_in(db_session: Session, email: str, *, network: str, now: datetime) -> Attempt:
    """Look an account up, and count the attempt as failed until `finish_sign_in` takes that back.

    Counted first, so that many guesses at once gain nothing. There is never a lockout: from one
    network, an account makes people wait longer after each failure, up to a minute.

    Raises:
        SignInDelayed: it has failed too often just now; `values["seconds"]` says how long to wait.
    """
    keys = _delay_keys(email, network)
    _refuse_delayed(db_session, keys, now=now)
    _count_failure(db_session, keys, now=now)
    query = select(Coordinator.id, Coordinator.password_hash)
    row = db_session.execute(
        query.where(Coordinator.email_key == _key_or_none(email))
    ).one_or_none()
    return Attempt(keys, row.id, row.password_hash) if row else Attempt(keys, None, _NOBODY)


def finish_sign_in(db_session: Session, attempt: Attempt, *, now: datetime) -> str:
    """Return the token of a new signed-in device, for an attempt whose password matched.

    Raises:
        SignInRefused: the attempt is for no account.
    """
    if attempt.coordinator_id is None:
        raise SignInRefused
    db_session.execute(delete(SignInDelay).where(SignInDelay.key == attempt.keys["account"]))
    network = update(SignInDelay).where(SignInDelay.key == attempt.keys["network"])
    db_session.execute(network.values(failures=SignInDelay.failures - 1))
    return start_session(db_session, attempt.coordinator_id, now=now)


def _key_or_none(email: str) -> str | None:
    try:
        return addresses.key(email)
    except AddressRefused:
        return None


def _delay_keys(email: str, network: str) -> dict[str, str]:
    return {
        "account": hash_token(f"account {email.strip().casefold()} {network}"),
        "network": hash_token(f"network {network}"),
    }


def _delay(failures: int, free: int) -> timedelta:
    if failures <= free:
        return timedelta()
    return timedelta(seconds=min(LONGEST_DELAY, 2 ** min(failures - free, 6)))


def _refuse_delayed(db_session: Session, keys: dict[str, str], *, now: datetime) -> None:
    rows = db_session.scalars(select(SignInDelay).where(SignInDelay.key.in_(keys.values())))
    failed = {row.key: row for row in rows}
    for what, key in keys.items():
        if row := failed.get(key):
            until = row.failed_at + _delay(row.failures, FREE_FAILURES[what])
            if now < until:
                raise SignInDelayed(seconds=ceil((until - now).total_seconds()))


def _count_failure(db_session: Session, keys: dict[str, str], *, now: datetime) -> None:
    db_session.execute(delete(SignInDelay).where(SignInDelay.failed_at < now - FORGIVEN_AFTER))
    for key in keys.values():
        row = db_session.get(SignInDelay, key)
        failures = row.failures + 1 if row else 1
        db_session.merge(SignInDelay(key=key, failures=failures, failed_at=now))


def start_session(db_session: Session, coordinator_id: int, *, now: datetime) -> str:
    """Sign a device in; return its token, of which only the hash is kept."""
    db_session.execute(
        delete(CoordinatorSession).where(
            (CoordinatorSession.seen_at < now - IDLE)
            | (CoordinatorSession.created_at < now - ABSOLUTE)
        )
    )
    token = secrets.token_urlsafe(32)
    db_session.add(
        CoordinatorSession(
            token_hash=hash_token(token), coordinator_id=coordinator_id, created_at=now, seen_at=now
        )
    )
    return token


def signed_in(db_session: Session, token: str, *, now: datetime) -> SignedIn | None:
    """The coordinator whose device holds this token, unless it was idle or signed in too long."""
    query = (
        select(Coordinator.id, Coordinator.name, Coordinator.email)
        .join(CoordinatorSession, CoordinatorSession.coordinator_id == Coordinator.id)
        .where(
            CoordinatorSession.token_hash == hash_token(token),
            CoordinatorSession.seen_at > now - IDLE,
            CoordinatorSession.created_at > now - ABSOLUTE,
        )
    )
    row = db_session.execute(query).one_or_none()
    return SignedIn(**row._mapping) if row else None


def seen(db_session: Session, token: str, *, now: datetime) -> None:
    """Note that a signed-in device is in use."""
    device = update(CoordinatorSession).where(CoordinatorSession.token_hash == hash_token(token))
    db_session.execute(device.values(seen_at=now))


def sign_out(db_session: Session, token: str) -> None:
    """Sign a device out; its token is worth nothing from now on."""
    db_session.execute(
        delete(CoordinatorSession).where(CoordinatorSession.token_hash == hash_token(token))
    )


def note_viewing(
    db_session: Session,
    coordinator: SignedIn,
    what: str,
    *,
    now: datetime,
    meeting_id: int | None = None,
    columns: Sequence[str] = (),
) -> None:
    """Write down that a coordinator looked at personal data: members are shown who did."""
    db_session.add(
        Viewing(
            coordinator_id=coordinator.id,
            meeting_id=meeting_id,
            what=what,
            columns=list(columns),
            seen_at=now,
        )
    )
