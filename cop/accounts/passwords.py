"""Rules for passwords, and hashes of passwords and tokens."""

import hashlib
from collections.abc import Sequence
from itertools import pairwise

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from cop.errors import Refused
from cop.i18n import N_

_hasher = PasswordHasher(time_cost=2, memory_cost=19456, parallelism=1)
# Verified where there is no account, so that the answer takes as long as for a real one. The hash
# of a random password that nobody knows; computing one here would slow down every start.
DUMMY_HASH = (
    "$argon2id$v=19$m=19456,t=2,p=1$VHjmD98sknPEX3mgeCbqlg"
    "$ugIrRBd0roiDEGWqwRaSkoqrNcT9Lo4TlPi+jx/cz/E"
)

_COMMON_PASSWORDS = """
    password passwort letmein welcome qwertyuiop qwerty asdfghjkl asdfg zxcvbnm zxcvb
    1qaz2wsx3edc4rfv iloveyou administrator admin changeme trustno1 sunshine princess football
    baseball dragon monkey abc test secret equityindata ctdata connecticut communityofpractice
    coordinator correcthorsebatterystaple
"""


def hash_token(token: str) -> str:
    """Return the hash by which a random token is stored."""
    return hashlib.sha256(token.encode()).hexdigest()


def hash_password(password: str, *, about: Sequence[str]) -> str:
    """Return the hash of an acceptable password; `about` are words its owner would try first."""
    if not 15 <= len(password) <= 128:
        raise Refused(
            N_("Your password needs 15 to 128 characters. Try four or five unrelated words."),
            field="password",
        )
    if _is_guessable(password, about):
        raise Refused(
            N_("This password is too easy to guess. Try four or five unrelated words."),
            field="password",
        )
    return _hasher.hash(password)


def verify_password(password_hash: str, password: str) -> bool:
    """Compare a password with a hash. Slow on purpose."""
    try:
        return _hasher.verify(password_hash, password)
    except (VerificationError, InvalidHashError):
        return False


def _is_guessable(password: str, about: Sequence[str]) -> bool:
    """Check whether little is left without common words, repetitions and counting up or down."""
    folded = "".join(c for c in password.casefold() if c.isalnum())
    if len(set(folded)) < 5:
        return True
    own = " ".join(about).casefold().replace("@", " ").replace(".", " ").split()
    for word in sorted((*_COMMON_PASSWORDS.split(), *own), key=len, reverse=True):
        if len(word) > 2:
            folded = folded.replace(word, "")
    steps = sum((ord(b) - ord(a)) in {1, -1, 9, -9} for a, b in pairwise(folded))  # 9 to 0, too
    is_repeated = any(folded == (folded[:n] * len(folded))[: len(folded)] for n in range(1, 9))
    return len(set(folded)) < 5 or is_repeated or steps > len(folded) * 0.7
