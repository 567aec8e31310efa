"""Sign-in: credentials, and delays after failures that never lock anybody out."""

from datetime import timedelta

import pytest
from sqlalchemy import func, select

from cop.accounts import accounts as accounts_accounts
from cop.accounts import login_sessions, sign_in
from cop.db.engine import read_tx, write_tx
from cop.errors import InvalidCredentials, TooManyAttempts
from cop.models.coordinator import CoordinatorSession, SignInDelay
from tests.builders import NOW, PASSWORD
from tests.concurrency import at_once

pytestmark = pytest.mark.both

A_SECOND = timedelta(seconds=1)
HOME, ELSEWHERE = "198.51.100.0", "203.0.113.0"
CORIN = "corin@example.org"


@pytest.fixture
def accounts(db_session):
    """Corin's account, and Ada's beside it."""
    accounts_accounts.add(db_session, CORIN, name="Corin", password=PASSWORD)
    accounts_accounts.add(db_session, "ada@example.org", name="Ada", password=PASSWORD + " too")
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


def test_the_right_password_signs_a_device_in(accounts):
    attempt = begin(accounts, "CORIN@Example.org")

    token = sign_in.finish(accounts, attempt, now=NOW)

    assert attempt.matches(PASSWORD)
    assert login_sessions.find_signed_in(accounts, token, now=NOW).name == "Corin"


@pytest.mark.parametrize(
    "password",
    ["", "wrong", PASSWORD + " too", PASSWORD.title()],
    ids=["empty", "wrong", "that of Ada", "other case"],
)
def test_another_password_does_not_match(accounts, password):
    assert not begin(accounts).matches(password)


@pytest.mark.parametrize(
    "email", ["mallory@example.org", "no address", ""], ids=["unknown", "no address", "empty"]
)
def test_an_unknown_address_signs_nobody_in(accounts, email):
    attempt = begin(accounts, email)

    assert not attempt.matches(PASSWORD)
    with pytest.raises(InvalidCredentials):
        sign_in.finish(accounts, attempt, now=NOW)
    assert accounts.scalar(select(func.count()).select_from(CoordinatorSession)) == 0


@pytest.mark.parametrize("email", [CORIN, "mallory@example.org"], ids=["known", "unknown"])
def test_after_four_failures_the_delay_doubles_up_to_a_minute(accounts, email):
    waits, now = [], NOW
    for _ in range(12):
        begin(accounts, email, now=now)
        waits.append(wait(accounts, email=email, now=now))
        now += timedelta(seconds=waits[-1])

    assert waits == [0, 0, 0, 0, 2, 4, 8, 16, 32, 60, 60, 60]


@pytest.mark.parametrize(
    "spelling",
    [
        *("CORIN@example.org", " corin@example.org ", "corin@EXAMPLE.ORG", "corin@example。org"),
        *("corin@ｅｘａｍｐｌｅ.org", "corin@example.ｏｒｇ", "Corin@Ｅxample．org"),
    ],
)
def test_another_spelling_of_an_address_gives_no_more_guesses(accounts, spelling):
    last = fail(accounts, 7)

    assert wait(accounts, email=spelling, now=last) == wait(accounts, now=last) > 1
    assert wait(accounts, email="ada@example.org", now=last) == 0


@pytest.mark.parametrize(
    "spelling", ["ＣＯＲＩＮ ＠example.org", " corin @example.org", "Corin @Example.org"]
)
def test_spellings_of_an_invalid_address_are_counted_as_one(accounts, spelling):
    last = fail(accounts, 7, email="corin @example.org")

    assert wait(accounts, email=spelling, now=last) > 1
    assert wait(accounts, email="nobody @example.org", now=last) == 0


def test_the_delay_ends_exactly_when_announced(accounts):
    last = fail(accounts, 7)
    seconds = wait(accounts, now=last)

    assert seconds > 1
    assert wait(accounts, now=last + timedelta(seconds=seconds) - A_SECOND) == 1
    assert wait(accounts, now=last + timedelta(seconds=seconds)) == 0


def test_attempts_during_a_delay_do_not_extend_it(accounts):
    last = fail(accounts, 8)
    first = wait(accounts, now=last)

    for _ in range(20):
        with pytest.raises(TooManyAttempts):
            begin(accounts, now=last)

    assert wait(accounts, now=last) == first > 0


def test_other_networks_and_other_accounts_do_not_wait(accounts):
    last = fail(accounts, 12)

    assert wait(accounts, now=last) == 60
    assert wait(accounts, network=ELSEWHERE, now=last) == 0
    assert wait(accounts, email="ada@example.org", now=last) == 0


def test_a_network_that_tries_many_accounts_waits_too(accounts):
    last = fail(accounts, 12, email="grace@example.org")
    for number in range(12):
        last = fail(accounts, 1, email=f"{number}@example.org", now=last)

    assert wait(accounts, now=last) > 0
    assert wait(accounts, network=ELSEWHERE, now=last) == 0


def test_there_is_never_a_lockout(accounts):
    last = fail(accounts, 40)

    attempt = begin(accounts, now=last + timedelta(seconds=60))
    token = sign_in.finish(accounts, attempt, now=last)

    assert login_sessions.find_signed_in(accounts, token, now=last).name == "Corin"


def test_signing_in_resets_the_failures_of_the_account(accounts):
    last = fail(accounts, 8)
    now = last + timedelta(seconds=60)
    sign_in.finish(accounts, begin(accounts, now=now), now=now)

    fail(accounts, 4, now=now)

    assert wait(accounts, now=now) == 0


def test_an_office_that_signs_in_many_times_a_day_does_not_wait(accounts):
    for minutes in range(25):
        now = NOW + timedelta(minutes=minutes)
        sign_in.finish(accounts, begin(accounts, now=now), now=now)

    assert wait(accounts, now=NOW + timedelta(minutes=25)) == 0


def test_failures_of_a_clock_that_was_ahead_delay_nobody_for_years(accounts):
    fail(accounts, 8, now=NOW + timedelta(days=800))

    begin(accounts, now=NOW)

    assert wait(accounts, now=NOW) == 32


def test_failures_are_deleted_after_an_hour(accounts):
    last = fail(accounts, 12)

    begin(accounts, network=ELSEWHERE, now=last + timedelta(minutes=59))
    before = accounts.scalar(select(func.max(SignInDelay.failures)))
    begin(accounts, network=ELSEWHERE, now=last + timedelta(hours=1, seconds=1))

    assert before == 12
    assert accounts.scalar(select(func.max(SignInDelay.failures))) == 2


def test_failures_are_stored_without_address_and_network(accounts):
    begin(accounts)

    keys = list(accounts.scalars(select(SignInDelay.key)))

    assert len(keys) == 2
    assert all(len(key) == 64 and CORIN not in key and HOME not in key for key in keys)


def test_many_guesses_at_once_gain_nothing(app):
    with write_tx() as db_session:
        accounts_accounts.add(db_session, CORIN, name="Corin", password=PASSWORD)

    def guess():
        try:
            with write_tx() as db_session:
                begin(db_session)
        except TooManyAttempts:
            return False
        return True

    let_through = sum(at_once(app, *[guess] * 12))

    assert let_through == 5
    with read_tx() as db_session:
        assert set(db_session.scalars(select(SignInDelay.failures))) == {5}


def test_a_password_changed_during_sign_in_signs_nobody_in(accounts):
    attempt = begin(accounts)
    accounts_accounts.change_password(accounts, CORIN, password=f"{PASSWORD} anew")

    with pytest.raises(InvalidCredentials):
        sign_in.finish(accounts, attempt, now=NOW)

    assert accounts.scalar(select(func.count(CoordinatorSession.token_hash))) == 0
