"""Two-factor sign-in by TOTP codes (RFC 6238) or recovery codes.

A TOTP code changes every 30 seconds.
"""

import secrets
from base64 import b32encode
from datetime import datetime, timedelta
from textwrap import wrap

from pyotp import TOTP, OTPVerificationError
from sqlalchemy import select
from sqlalchemy.orm import Session

from cop.accounts import accounts, login_sessions, sign_in
from cop.accounts.passwords import hash_token
from cop.audit import audit_log
from cop.errors import Refused, SignInExpired, TooManyAttempts
from cop.i18n import N_
from cop.models.coordinator import Coordinator, CoordinatorSession

_WRONG_CODE = N_(
    "This code didn't work. Enter the next one your app shows, and if that fails too, check that "
    "your phone's clock is right."
)


def provisioning_uri(secret: str, *, issuer: str, account: str) -> str:
    """Return the `otpauth:` address that an authenticator app reads from the QR code."""
    # In the URI's label a colon ends the issuer, even if it is quoted, so it is replaced.
    return TOTP(secret).provisioning_uri(name=account, issuer_name=issuer.replace(":", " "))


def set_up(
    db_session: Session, by: Coordinator, *, secret: str, typed: str, now: datetime
) -> list[str]:
    """Turn two-factor sign-in on if the code matches; return recovery codes.

    Only the hashes of recovery codes are stored, so they cannot be shown again.
    """
    coordinator = _lock_coordinator(db_session, by.id)
    if coordinator.totp_secret is not None:
        raise Refused(
            N_("Two-factor sign-in is already on. To switch phones, turn it off first."),
            field="code",
        )
    coordinator.totp_step = _matching_step(secret, typed, now=now)
    coordinator.totp_secret = secret
    codes = [_new_recovery_code() for _ in range(10)]
    coordinator.recovery_hashes = [hash_token(_normalize_code(code)) for code in codes]
    audit_log.record_action(db_session, by.id, audit_log.Action.CHANGED_SECOND_FACTOR, now=now)
    return codes


def turn_off(db_session: Session, by: Coordinator, typed: str, *, now: datetime) -> None:
    """Turn two-factor sign-in off if a code or a recovery code matches."""
    use_code(db_session, by.id, typed, now=now)
    _clear(_lock_coordinator(db_session, by.id))
    audit_log.record_action(db_session, by.id, audit_log.Action.CHANGED_SECOND_FACTOR, now=now)


def turn_off_without_code(db_session: Session, email: str) -> None:
    """Turn two-factor sign-in off on the command line, for a lost phone."""
    _clear(accounts.find(db_session, email))


def count_attempt(db_session: Session, coordinator_id: int, *, now: datetime) -> None:
    """Count a code as wrong until `use_code` accepts it, by account.

    Codes can only be typed after the password, so strangers cannot make the owner wait.

    Raises:
        TooManyAttempts: too many codes were wrong just now.
    """
    try:
        key = _attempt_key(coordinator_id)
        sign_in.count_attempt(db_session, key, free=sign_in.FREE_FAILURES, now=now)
    except TooManyAttempts as refusal:
        raise TooManyAttempts(
            N_("Too many wrong codes. Wait a minute, then enter the newest one."),
            field="code",
            **refusal.values,
        ) from refusal


def pending_sign_in(db_session: Session, token: str, *, now: datetime) -> CoordinatorSession:
    """Return the device that sent its password, but not its code yet.

    Raises:
        SignInExpired: there is none, or it sent the password more than 10 minutes ago.
    """
    query = select(CoordinatorSession).where(
        CoordinatorSession.token_hash == hash_token(token),
        CoordinatorSession.awaits_code.is_(True),
        CoordinatorSession.created_at > now - timedelta(minutes=10),
    )
    device = db_session.scalars(query).one_or_none()
    if device is None:
        raise SignInExpired(
            N_("Your sign-in timed out. Sign in again, and enter the code within 10 minutes."),
            field="email",
        )
    return device


def finish(db_session: Session, token: str, typed: str, *, now: datetime) -> tuple[str, int | None]:
    """Sign the device in; return its new token and the result of `use_code`.

    Raises:
        SignInExpired: as in `pending_sign_in`.
    """
    pending = pending_sign_in(db_session, token, now=now)
    coordinator_id, device = pending.coordinator_id, pending.device
    codes_left = use_code(db_session, coordinator_id, typed, now=now)
    db_session.delete(pending)
    new_token = login_sessions.finish_sign_in(db_session, coordinator_id, device=device, now=now)
    return new_token, codes_left


def use_code(db_session: Session, coordinator_id: int, typed: str, *, now: datetime) -> int | None:
    """Accept a code, once; return the number of recovery codes left.

    The number is only returned if the code was one of them.

    Raises:
        Refused: the code is wrong, or was used before.
    """
    coordinator = _lock_coordinator(db_session, coordinator_id)
    if coordinator.totp_secret is None:
        raise Refused(_WRONG_CODE, field="code")
    typed_hash, codes_left = hash_token(_normalize_code(typed)), None
    if typed_hash in coordinator.recovery_hashes:
        others = [each for each in coordinator.recovery_hashes if each != typed_hash]
        coordinator.recovery_hashes, codes_left = others, len(others)
    else:
        coordinator.totp_step = _matching_step(
            coordinator.totp_secret, typed, now=now, after=coordinator.totp_step or 0
        )
    sign_in.reset_failures(db_session, _attempt_key(coordinator_id))
    return codes_left


def _lock_coordinator(db_session: Session, coordinator_id: int) -> Coordinator:
    # Locked, so that if a code is sent twice at once, the second finds it used.
    return db_session.get_one(Coordinator, coordinator_id, with_for_update=True)


def _matching_step(secret: str, typed: str, *, now: datetime, after: int = 0) -> int:
    """Return the time step of the code typed, which must be later than `after`.

    The phone's clock may be wrong by one step of 30 seconds.
    """
    code = _normalize_code(typed)
    try:
        step = TOTP(secret).verify_and_get_timecode(code, for_time=now, valid_window=1)
    except OTPVerificationError as error:
        raise Refused(_WRONG_CODE, field="code") from error
    if step <= after:
        raise Refused(_WRONG_CODE, field="code")
    return step


def _new_recovery_code() -> str:
    letters = b32encode(secrets.token_bytes(10)).decode().lower()[:12]
    return "-".join(wrap(letters, 4))


def _normalize_code(typed: str) -> str:
    return "".join(typed.casefold().replace("-", " ").split())


def _clear(coordinator: Coordinator) -> None:
    coordinator.totp_secret, coordinator.totp_step, coordinator.recovery_hashes = None, None, []


def _attempt_key(coordinator_id: int) -> str:
    return hash_token(f"code {coordinator_id}")
