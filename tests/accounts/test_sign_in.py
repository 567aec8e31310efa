"""Sign-in: credentials, and delays after failures that never lock anybody out."""

from datetime import timedelta

import pytest
from sqlalchemy import func, select

from cop.accounts import accounts, login_sessions, sign_in
from cop.db.engine import read_tx, write_tx
from cop.errors import InvalidCredentials, TooManyAttempts
from cop.models.coordinator import CoordinatorSession, SignInDelay
from tests.builders import CORIN, NOW, PASSWORD, a_coordinator
from tests.concurrency import at_once

pytestmark = pytest.mark.both

HOME, ELSEWHERE = "198.51.100.0", "203.0.113.0"


@pytest.fixture
def db_session(db_session):
    """A transaction in which there are accounts of Corin and Ada."""
    a_coordinator(db_session)
    a_coordinator(db_session, "Ada")
    return db_session


def begin(db_session, email=CORIN, *, network=HOME, now=NOW):
    return sign_in.begin(db_session, email, network=network, now=now)


def fail(db_session, times, **values):
    """Fail as often, each time as soon as it is allowed; return the moment of the last failure."""
    now = values.pop("now", NOW)
    for _ in range(times):
        try:
            begin(db_session, now=now, **values)
        except TooManyAttempts as refusal:
            now += timedelta(seconds=refusal.values["seconds"])
            begin(db_session, now=now, **values)
    return now


def wait(db_session, **values):
    """How many seconds somebody would have to wait now, without trying."""
    trying = db_session.begin_nested()
    try:
        begin(db_session, **values)
    except TooManyAttempts as refusal:
        return refusal.values["seconds"]
    finally:
        trying.rollback()
    return 0


def signed_in_devices(db_session):
    return db_session.scalar(select(func.count(CoordinatorSession.token_hash)))


def test_the_right_password_signs_a_device_in_and_no_other_does(db_session):
    attempt = begin(db_session, "CORIN@Example.org")

    token = sign_in.finish(db_session, attempt, now=NOW)

    assert attempt.matches(PASSWORD)
    assert not any(attempt.matches(text) for text in ("", PASSWORD + " too", PASSWORD.title()))
    assert login_sessions.find_signed_in(db_session, token, now=NOW).name == "Corin"


def test_an_unknown_address_signs_nobody_in(db_session):
    attempt = begin(db_session, "mallory@example.org")

    assert not attempt.matches(PASSWORD)
    with pytest.raises(InvalidCredentials):
        sign_in.finish(db_session, attempt, now=NOW)
    assert signed_in_devices(db_session) == 0


@pytest.mark.parametrize("email", [CORIN, "mallory@example.org"], ids=["known", "unknown"])
def test_after_four_failures_the_delay_doubles_up_to_a_minute(db_session, email):
    waits, now = [], NOW
    for _ in range(12):
        begin(db_session, email, now=now)
        waits.append(wait(db_session, email=email, now=now))
        now += timedelta(seconds=waits[-1])

    assert waits == [0, 0, 0, 0, 2, 4, 8, 16, 32, 60, 60, 60]


SPELLINGS = {
    CORIN: [
        *("CORIN@example.org", " corin@example.org ", "corin@example。org"),
        *("corin@ｅｘａｍｐｌｅ.org", "corin@example.ｏｒｇ", "Corin@Ｅxample．org"),
    ],
    # An invalid address
    "corin @example.org": ["ＣＯＲＩＮ ＠example.org", " corin @example.org", "Corin @Example.org"],
}


def test_another_spelling_of_an_address_gives_no_more_guesses(db_session):
    for email, spellings in SPELLINGS.items():
        last = fail(db_session, 7, email=email)
        expected = wait(db_session, email=email, now=last)

        assert expected > 1
        for spelling in spellings:
            assert wait(db_session, email=spelling, now=last) == expected, spelling
    assert wait(db_session, email="ada@example.org", now=last) == 0


def test_the_delay_ends_when_announced_whatever_is_tried_meanwhile(db_session):
    last = fail(db_session, 7)
    seconds = wait(db_session, now=last)

    for _ in range(3):
        with pytest.raises(TooManyAttempts):
            begin(db_session, now=last)

    assert seconds > 1
    assert wait(db_session, now=last + timedelta(seconds=seconds - 1)) == 1
    assert wait(db_session, now=last + timedelta(seconds=seconds)) == 0


def test_one_account_waits_in_one_network_unless_many_accounts_are_tried_there(db_session):
    last = fail(db_session, 12)
    alone = [
        wait(db_session, now=last),
        wait(db_session, network=ELSEWHERE, now=last),
        wait(db_session, email="ada@example.org", now=last),
    ]

    for number in range(12):
        last = fail(db_session, 1, email=f"{number}@example.org", now=last)

    assert alone == [60, 0, 0]
    assert wait(db_session, email="ada@example.org", now=last) > 0
    assert wait(db_session, email="ada@example.org", network=ELSEWHERE, now=last) == 0


def test_signing_in_resets_the_failures_of_the_account(db_session):
    last = fail(db_session, 8)
    now = last + timedelta(seconds=60)
    sign_in.finish(db_session, begin(db_session, now=now), now=now)

    last = fail(db_session, 4, now=now)

    assert last == now  # none of them had to wait


def test_an_office_that_signs_in_many_times_a_day_does_not_wait(db_session):
    for minutes in range(25):
        now = NOW + timedelta(minutes=minutes)
        sign_in.finish(db_session, begin(db_session, now=now), now=now)

    assert wait(db_session, now=NOW + timedelta(minutes=25)) == 0


def test_failures_of_a_clock_that_was_ahead_delay_nobody_for_years(db_session):
    fail(db_session, 8, now=NOW + timedelta(days=800))

    begin(db_session, now=NOW)

    assert wait(db_session, now=NOW) == 32


def test_failures_are_stored_without_address_and_network_for_an_hour(db_session):
    last = fail(db_session, 12)
    keys = list(db_session.scalars(select(SignInDelay.key)))

    begin(db_session, network=ELSEWHERE, now=last + timedelta(minutes=59))
    before = db_session.scalar(select(func.max(SignInDelay.failures)))
    begin(db_session, network=ELSEWHERE, now=last + timedelta(hours=1, seconds=1))

    assert len(keys) == 2
    assert all(len(key) == 64 and CORIN not in key and HOME not in key for key in keys)
    assert before == 12
    assert db_session.scalar(select(func.max(SignInDelay.failures))) == 2


def test_many_guesses_at_once_gain_nothing(app):
    with write_tx() as db_session:
        a_coordinator(db_session)

    def guess():
        try:
            with write_tx() as db_session:
                begin(db_session)
        except TooManyAttempts:
            return False
        return True

    allowed = sum(at_once(app, *[guess] * 12))

    assert allowed == 5
    with read_tx() as db_session:
        assert set(db_session.scalars(select(SignInDelay.failures))) == {5}


def test_a_password_changed_during_sign_in_signs_nobody_in(db_session):
    attempt = begin(db_session)
    accounts.change_password(db_session, CORIN, password=f"{PASSWORD} anew")

    with pytest.raises(InvalidCredentials):
        sign_in.finish(db_session, attempt, now=NOW)

    assert signed_in_devices(db_session) == 0
