"""The second factor: a code that changes every 30 seconds (RFC 6238), or a recovery code."""

import secrets
from base64 import b32encode
from dataclasses import dataclass
from datetime import datetime, timedelta

from pyotp import TOTP, OTPVerificationError
from sqlalchemy import select
from sqlalchemy.orm import Session

from cop.accounts import accounts, sign_in
from cop.accounts.accounts import CurrentCoordinator, hash_token
from cop.audit import audit_log
from cop.audit.audit_log import Action
from cop.errors import Refused, SignInExpired, TooManyAttempts
from cop.i18n import N_
from cop.models.coordinator import Coordinator, CoordinatorSession

_WRONG_CODE = N_(
    "This code does not fit, or has been used. Wait for the next one in your app; the clock of "
    "your phone has to be right."
)

DRIFT = 1  # time steps of 30 seconds by which a phone's clock may be wrong
RECOVERY_CODES = 10
CODE_TIMEOUT = timedelta(minutes=10)  # after the password
FREE_FAILURES = 4


@dataclass(frozen=True)
class SecondFactorResult:
    """A device that is signed in now; how many recovery codes are left if one was used."""

    token: str
    recovery_codes_left: int | None


def provisioning_uri(secret: str, *, issuer: str, account: str) -> str:
    """The `otpauth:` address that an authenticator app reads from the QR code."""
    # A colon ends the issuer in the label, quoted or not.
    return TOTP(secret).provisioning_uri(name=account, issuer_name=issuer.replace(":", " "))


def set_up(
    db_session: Session, by: CurrentCoordinator, *, secret: str, typed: str, now: datetime
) -> list[str]:
    """Turn the second factor on, with a code that shows that the app has it; return recovery codes.

    Of these, only the hashes are kept: they can be shown once.
    """
    coordinator = _locked_coordinator(db_session, by.id)
    if coordinator.totp_secret is not None:
        raise Refused(
            N_("Two-factor sign-in is on already. Turn it off first to use another phone."),
            field="code",
        )
    coordinator.totp_step = _matching_step(secret, typed, now=now)
    coordinator.totp_secret = secret
    codes = [_new_recovery_code() for _ in range(RECOVERY_CODES)]
    coordinator.recovery_hashes = [hash_token(_normalize_code(code)) for code in codes]
    audit_log.record_action(db_session, by.id, Action.CHANGED_SECOND_FACTOR, now=now)
    return codes


def turn_off(db_session: Session, by: CurrentCoordinator, typed: str, *, now: datetime) -> None:
    """Turn the second factor off, with a code or a recovery code."""
    use_code(db_session, by.id, typed, now=now)
    _reset_failures(_locked_coordinator(db_session, by.id))
    audit_log.record_action(db_session, by.id, Action.CHANGED_SECOND_FACTOR, now=now)


def end_pending_sign_in(db_session: Session, email: str) -> None:
    """Turn it off without a code: for whom an administrator knows, and whose phone is gone."""
    _reset_failures(accounts.find(db_session, email))


def recovery_codes_left(db_session: Session, coordinator_id: int) -> int:
    """How many recovery codes somebody can still use."""
    query = select(Coordinator.recovery_hashes).where(Coordinator.id == coordinator_id)
    return len(db_session.scalar(query) or ())


def count_try(db_session: Session, coordinator_id: int, *, now: datetime) -> None:
    """Count a code as wrong until it has been used; by the account alone.

    Only who knows the password gets here, so nobody else can make its owner wait.

    Raises:
        TooManyAttempts: too many did not fit just now.
    """
    try:
        sign_in.count(db_session, _key(coordinator_id), free=FREE_FAILURES, now=now)
    except TooManyAttempts as refusal:
        raise TooManyAttempts(
            N_("Several codes did not fit. Wait %(seconds)s seconds, then write the newest one."),
            field="code",
            **refusal.values,
        ) from refusal


def pending_sign_in(db_session: Session, token: str, *, now: datetime) -> CoordinatorSession:
    """The device of this token, whose password was right, and that waits for its code.

    Raises:
        SignInExpired: it does not wait, or not any more.
    """
    query = select(CoordinatorSession).where(
        CoordinatorSession.token_hash == hash_token(token),
        CoordinatorSession.awaits_code.is_(True),
        CoordinatorSession.created_at > now - CODE_TIMEOUT,
    )
    found = db_session.scalars(query).one_or_none()
    if found is None:
        raise SignInExpired(
            N_("Sign in with your password once more, and write the code within 10 minutes."),
            field="email",
        )
    return found


def begin(db_session: Session, token: str, *, now: datetime) -> None:
    """Count the attempt of a device that waits for its code.

    Raises:
        SignInExpired: it does not wait, or not any more.
        TooManyAttempts: too many codes did not fit just now.
    """
    count_try(db_session, pending_sign_in(db_session, token, now=now).coordinator_id, now=now)


def finish(db_session: Session, token: str, typed: str, *, now: datetime) -> SecondFactorResult:
    """Sign the waiting device in, under a new token.

    Raises:
        SignInExpired: it does not wait, or not any more.
    """
    half = pending_sign_in(db_session, token, now=now)
    left = use_code(db_session, half.coordinator_id, typed, now=now)
    db_session.delete(half)
    device = half.device
    return SecondFactorResult(
        accounts.finish_sign_in(db_session, half.coordinator_id, device=device, now=now), left
    )


def use_code(db_session: Session, coordinator_id: int, typed: str, *, now: datetime) -> int | None:
    """Use a code up; return how many recovery codes are left, if it was one of them."""
    coordinator = _locked_coordinator(db_session, coordinator_id)
    if coordinator.totp_secret is None:
        raise Refused(_WRONG_CODE, field="code")
    others = [
        kept for kept in coordinator.recovery_hashes if kept != hash_token(_normalize_code(typed))
    ]
    left = None
    if len(others) < len(coordinator.recovery_hashes):
        coordinator.recovery_hashes, left = others, len(others)
    else:
        coordinator.totp_step = _matching_step(
            coordinator.totp_secret, typed, now=now, after=coordinator.totp_step or 0
        )
    sign_in.reset_failures(db_session, _key(coordinator_id))
    return left


def _locked_coordinator(db_session: Session, coordinator_id: int) -> Coordinator:
    # Held until the end of the transaction: of two who send one code, the second finds it used.
    query = select(Coordinator).where(Coordinator.id == coordinator_id).with_for_update()
    return db_session.scalars(query.execution_options(populate_existing=True)).one()


def _matching_step(secret: str, typed: str, *, now: datetime, after: int = 0) -> int:
    """The time step whose code was typed: one that is later than the last one used."""
    try:
        step = TOTP(secret).verify_and_get_timecode(
            _normalize_code(typed), for_time=now, valid_window=DRIFT
        )
    except OTPVerificationError as error:
        raise Refused(_WRONG_CODE, field="code") from error
    if step <= after:
        raise Refused(_WRONG_CODE, field="code")
    return step


def _new_recovery_code() -> str:
    letters = b32encode(secrets.token_bytes(10)).decode().lower()[:12]
    return "-".join((letters[:4], letters[4:8], letters[8:]))


def _normalize_code(typed: str) -> str:
    return "".join(typed.casefold().replace("-", " ").split())


def _reset_failures(coordinator: Coordinator) -> None:
    coordinator.totp_secret, coordinator.totp_step, coordinator.recovery_hashes = None, None, []


def _key(coordinator_id: int) -> str:
    return hash_token(f"code {coordinator_id}")
