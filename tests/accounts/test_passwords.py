"""Which passwords are accepted and which are refused."""

import pytest

from cop.accounts import passwords
from cop.errors import Refused
from tests.builders import PASSWORD

LONG = "seven brave tulips paint "  # 25 characters
ABOUT = ("corin@example.org", "Corin Coordinator")


@pytest.mark.parametrize(
    "password",
    [
        PASSWORD,
        "tulip 7 brave 9",  # 15 characters
        (LONG * 6)[:128],
        "correct pony battery stapler",  # words like the famous four
        "kx7!Qm2#vT9$zL4&",
        "пять синих китов поют",
        "my password is a walrus in Hartford",  # a common word among others
        "grace katherine mallory",  # names of others
    ],
)
def test_a_long_password_that_is_hard_to_guess_is_accepted(password):
    password_hash = passwords.hash_password(password, owner_words=ABOUT)

    assert passwords.verify_password(password_hash, password)


@pytest.mark.parametrize(
    "password",
    ["", "tulip 7 brave ", (LONG * 6)[:129], "x" * 100_000],
    ids=["empty", "14 characters", "129 characters", "100,000 characters"],
)
def test_a_password_that_is_too_short_or_too_long_is_refused(password):
    with pytest.raises(Refused, match="15 to 128 characters"):
        passwords.hash_password(password, owner_words=ABOUT)


@pytest.mark.parametrize(
    "password",
    [
        *("passwordpassword", "Password Password", "PASSWORD12345678", "password-password-1"),
        *("aaaaaaaaaaaaaaaa", "abababababababab", "               ", "..............."),
        *("123456789012345", "098765432109876", "abcdefghijklmnop"),
        *("qwertyuiopasdfghjkl", "qwertyuiopasdfg", "otter otter otter", "ottersottersotters"),
        *("correct horse battery staple", "equity in data 2026", "communityofpractice"),
        *("corin coordinator", "corin@example.org", "Corin.Coordinator.1", "corincorincorin"),
    ],
)
def test_a_guessable_password_is_refused(password):
    with pytest.raises(Refused, match="too easy to guess"):
        passwords.hash_password(password, owner_words=ABOUT)


def test_the_dummy_hash_is_as_slow_as_any_other():
    password_hash = passwords.hash_password("a long and winding road to nowhere", owner_words=())

    assert passwords.DUMMY_HASH.split("$")[:4] == password_hash.split("$")[:4]
    assert len(passwords.DUMMY_HASH) == len(password_hash)
    assert not passwords.verify_password(passwords.DUMMY_HASH, "")
