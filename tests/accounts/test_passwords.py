"""Which passwords are accepted and which are refused."""

import pytest
from sqlalchemy import create_engine
from sqlalchemy.orm import Session

from cop.accounts import accounts, passwords, sign_in
from cop.db.types import Base
from cop.errors import Refused
from tests.accounts import test_accounts
from tests.builders import PASSWORD

LONG = "seven brave tulips paint "  # 25 characters


@pytest.fixture
def db_session():
    """A database in memory: no rule about passwords depends on which one it is."""
    engine = create_engine("sqlite://")
    Base.metadata.create_all(engine)
    with Session(engine) as db_session:
        yield db_session
    engine.dispose()


def set_password(db_session, password, *, email="corin@example.org", name="Corin Coordinator"):
    return accounts.add(db_session, email, name=name, password=password)


@pytest.mark.parametrize(
    "password",
    [
        PASSWORD,
        "tulip 7 brave 9",
        (LONG * 6)[:128],
        "correct pony battery stapler",
        "kx7!Qm2#vT9$zL4&",
        "vier Öfen singen für Zürich",
        "пять синих китов поют",
        "  leading and trailing blanks  ",
        "my password is a walrus in Hartford",
    ],
    ids=[
        "words",
        "15 characters",
        "128 characters",
        "words like the famous four",
        "random",
        "umlauts",
        "Cyrillic",
        "blanks at both ends",
        "a common word among others",
    ],
)
def test_a_long_password_that_is_hard_to_guess_is_accepted(db_session, password):
    set_password(db_session, password)

    [corin] = test_accounts.coordinators(db_session)
    attempt = sign_in.Attempt({}, corin.id, corin.password_hash)

    assert attempt.matches(password)
    assert not attempt.matches(password + " ")
    assert not attempt.matches(password.upper())


@pytest.mark.parametrize(
    "password",
    ["", "tulip 7 brave ", (LONG * 6)[:129], "x" * 100_000],
    ids=["empty", "14 characters", "129 characters", "100,000 characters"],
)
def test_a_password_that_is_too_short_or_too_long_is_refused(db_session, password):
    with pytest.raises(Refused, match="15 to 128 characters") as refusal:
        set_password(db_session, password)

    assert "15 to 128 characters" in str(refusal.value)
    assert test_accounts.coordinators(db_session) == []


@pytest.mark.parametrize(
    "password",
    [
        "passwordpassword",
        "Password Password",
        "PASSWORD12345678",
        "password-password-1",
        "aaaaaaaaaaaaaaaa",
        "abababababababab",
        "               ",
        "...............",
        "123456789012345",
        "098765432109876",
        "abcdefghijklmnop",
        "qwertyuiopasdfghjkl",
        "qwertyuiopasdfg",
        "otter otter otter",
        "ottersottersotters",
        "correct horse battery staple",
        "equity in data 2026",
        "communityofpractice",
        "corin coordinator",
        "corin@example.org",
        "Corin.Coordinator.1",
        "corincorincorin",
    ],
)
def test_a_guessable_password_is_refused(db_session, password):
    with pytest.raises(Refused, match="among the first"):
        set_password(db_session, password)

    assert test_accounts.coordinators(db_session) == []


def test_the_names_of_others_do_not_make_a_password_guessable(db_session):
    set_password(db_session, "grace katherine mallory")

    assert len(test_accounts.coordinators(db_session)) == 1


def test_the_dummy_hash_is_as_slow_as_any_other():
    made = passwords.hash_password("a long and winding road to nowhere", about=())

    assert passwords.DUMMY_HASH.split("$")[:4] == made.split("$")[:4]
    assert len(passwords.DUMMY_HASH) == len(made)
    assert not passwords.verify_password(passwords.DUMMY_HASH, "")
