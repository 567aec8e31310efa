"""Passwords: which ones are good enough, and what is kept of them."""

from collections.abc import Sequence
from itertools import pairwise

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from cop.errors import Refused
from cop.i18n import N_

_hasher = PasswordHasher(time_cost=2, memory_cost=19456, parallelism=1)
# Compared where there is no account, so that the answer takes as long as for a real one: of a word
# that was made for this and forgotten. Made here, it would slow down every start.
DUMMY_HASH = (
    "$argon2id$v=19$m=19456,t=2,p=1$VHjmD98sknPEX3mgeCbqlg"
    "$ugIrRBd0roiDEGWqwRaSkoqrNcT9Lo4TlPi+jx/cz/E"
)

_COMMON_PASSWORDS = (
    "password", "passwort", "letmein", "welcome", "qwertyuiop", "qwerty", "asdfghjkl", "asdfg",
    "zxcvbnm", "zxcvb",
    "1qaz2wsx3edc4rfv", "iloveyou", "administrator", "admin", "changeme", "trustno1", "sunshine",
    "princess", "football", "baseball", "dragon", "monkey", "abc", "test", "secret", "equityindata",
    "ctdata", "connecticut", "communityofpractice", "coordinator", "correcthorsebatterystaple",
)  # fmt: skip


def hash_password(password: str, *, about: Sequence[str]) -> str:
    """What is kept of a password; `about` are the words that its owner would think of first."""
    if not 15 <= len(password) <= 128:
        raise Refused(
            N_(
                "Use 15 to 128 characters, for example four or five words that do not belong "
                "together."
            ),
            field="password",
        )
    if _is_guessable(password, about):
        raise Refused(
            N_(
                "This password is among the first that somebody would try. Four or five words that "
                "do not belong together are easy to remember and hard to guess."
            ),
            field="password",
        )
    return _hasher.hash(password)


def _is_guessable(password: str, about: Sequence[str]) -> bool:
    """Whether little is left of a password without what everybody tries, repeated or counted up."""
    folded = "".join(c for c in password.casefold() if c.isalnum())
    if len(set(folded)) < 5:
        return True
    own = " ".join(about).casefold().replace("@", " ").replace(".", " ").split()
    for word in sorted((*_COMMON_PASSWORDS, *own), key=len, reverse=True):
        if len(word) > 2:
            folded = folded.replace(word, "")
    # Nearly all of it counted up or down, from 9 to 0 too; or one short thing again and again.
    counted = sum((ord(b) - ord(a)) in {1, -1, 9, -9} for a, b in pairwise(folded))
    again = any(folded == (folded[:n] * len(folded))[: len(folded)] for n in range(1, 9))
    return len(set(folded)) < 5 or again or counted > len(folded) * 0.7


def verify_password(kept: str, password: str) -> bool:
    """Whether a password is the one that this was kept of. Slow on purpose."""
    try:
        return _hasher.verify(kept, password)
    except (VerificationError, InvalidHashError):
        return False
