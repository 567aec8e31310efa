"""Two-factor sign-in: each code works once, and recovery codes replace a lost phone."""

from datetime import timedelta
from functools import partial

import pytest
from pyotp import TOTP, random_base32
from sqlalchemy import select

from cop.accounts import login_sessions, two_factor
from cop.db.engine import read_tx, write_tx
from cop.errors import Refused, SignInExpired
from cop.models.coordinator import Coordinator, CoordinatorSession
from tests.builders import NOW, a_coordinator
from tests.concurrency import at_once

pytestmark = pytest.mark.both

SECRET = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"
HALF_A_MINUTE = timedelta(seconds=30)


def code_at(moment=NOW):
    return TOTP(SECRET).at(moment)


def account(db_session):
    """Corin with an account with a second factor, and the recovery codes."""
    by, then = a_coordinator(db_session), NOW - timedelta(hours=1)
    return by, two_factor.set_up(db_session, by, secret=SECRET, typed=code_at(then), now=then)


def pending_device(db_session, by, now=NOW):
    """The token of a device whose password was right."""
    return login_sessions.start_session(db_session, by.id, now=now, device="Lynx", awaits_code=True)


def refuses(db_session, by, typed):
    with pytest.raises(Refused, match="This code didn't work"):
        two_factor.use_code(db_session, by.id, typed, now=NOW)


def test_the_provisioning_address_names_account_and_issuer():
    address = two_factor.provisioning_uri(
        SECRET, issuer="Équité: data & us", account="a+b@example.org"
    )

    assert address == (
        "otpauth://totp/%C3%89quit%C3%A9%20%20data%20%26%20us:a%2Bb%40example.org"
        f"?secret={SECRET}&issuer=%C3%89quit%C3%A9%20%20data%20%26%20us"
    )


def test_a_clock_may_be_wrong_by_one_step(db_session):
    by, _ = account(db_session)
    early, just_over, now, ahead, late = (
        code_at(NOW + steps * HALF_A_MINUTE) for steps in range(-2, 3)
    )

    refuses(db_session, by, early)
    for typed in (just_over, now, ahead):
        assert two_factor.use_code(db_session, by.id, typed, now=NOW) is None
    refuses(db_session, by, late)


def test_a_code_works_once_and_ends_those_before_it(db_session):
    by, _ = account(db_session)
    two_factor.use_code(db_session, by.id, code_at(), now=NOW)

    for typed in (code_at(), code_at(NOW - HALF_A_MINUTE)):
        refuses(db_session, by, typed)
    assert two_factor.use_code(db_session, by.id, code_at(NOW + HALF_A_MINUTE), now=NOW) is None


def test_an_invalid_code_is_refused(db_session):
    by, _ = account(db_session)

    for typed in ("", "000000", "12345", "1234567", "٠٠٠٠٠٠", "\x00", "x" * 5000):
        refuses(db_session, by, typed)


def test_ten_recovery_codes_work_once_each_and_only_hashes_are_stored(db_session):
    by, codes = account(db_session)
    stored = str(by.recovery_hashes)

    left = [two_factor.use_code(db_session, by.id, code.upper(), now=NOW) for code in codes]

    assert len(set(codes)) == 10
    assert left == [9, 8, 7, 6, 5, 4, 3, 2, 1, 0]
    assert not any(code.replace("-", "") in stored for code in codes)
    refuses(db_session, by, codes[0])


def test_one_code_sent_twice_at_once_signs_one_device_in(app):
    with write_tx() as db_session:
        by, _ = account(db_session)
        tokens = [pending_device(db_session, by) for _ in range(4)]

    def enter(token):
        try:
            with write_tx() as db_session:
                return two_factor.finish(db_session, token, code_at(), now=NOW)
        except Refused:
            return None

    entered = at_once(app, *(partial(enter, token) for token in tokens))

    assert entered.count(None) == 3
    with read_tx() as db_session:
        query = select(CoordinatorSession.awaits_code, CoordinatorSession.device)
        assert sorted(db_session.execute(query).all()) == [(False, "Lynx"), *[(True, "Lynx")] * 3]


def test_the_code_must_come_within_ten_minutes(db_session):
    by, _ = account(db_session)
    in_time = pending_device(db_session, by, now=NOW - timedelta(minutes=9))
    late = pending_device(db_session, by, now=NOW - timedelta(minutes=10))

    with pytest.raises(SignInExpired):
        two_factor.finish(db_session, late, code_at(), now=NOW)
    assert two_factor.finish(db_session, in_time, code_at(), now=NOW)


def test_a_second_factor_cannot_replace_another(db_session):
    by, _ = account(db_session)
    other = random_base32()
    typed = TOTP(other).at(NOW)

    with pytest.raises(Refused, match="already on"):
        two_factor.set_up(db_session, by, secret=other, typed=typed, now=NOW)

    assert db_session.scalar(select(Coordinator.totp_secret)) == SECRET


def test_an_administrator_turns_it_off_by_address(db_session):
    account(db_session)

    with pytest.raises(Refused, match="No coordinator has this email"):
        two_factor.turn_off_without_code(db_session, "mallory@example.org")
    two_factor.turn_off_without_code(db_session, "Corin@Example.org")

    assert db_session.scalar(select(Coordinator.totp_secret)) is None
