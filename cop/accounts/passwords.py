"""Rules for passwords, and hashes of passwords and tokens."""

import hashlib
from collections.abc import Sequence
from itertools import pairwise

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from cop.errors import Refused
from cop.i18n import N_

_hasher = PasswordHasher(time_cost=2, memory_cost=19456, parallelism=1)
# Verified if there is no account, so that the answer takes as long as with one. It is the hash of a
# random password that nobody knows, written here since computing one would slow down every start.
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


def hash_password(password: str, *, owner_words: Sequence[str]) -> str:
    """Return the hash of an acceptable password.

    `owner_words`: words about the owner, such as their name, which an attacker would try first.

    Raises:
        Refused: the password has the wrong length or is easy to guess.
    """
    if not 15 <= len(password) <= 128:
        raise Refused(
            N_("Your password needs 15 to 128 characters. Try four or five unrelated words."),
            field="password",
        )
    if _is_guessable(password, owner_words):
        raise Refused(
            N_("This password is too easy to guess. Try four or five unrelated words."),
            field="password",
        )
    return _hasher.hash(password)


def verify_password(password_hash: str, password: str) -> bool:
    """Compare a password with a hash; slow on purpose, so that guessing takes long."""
    try:
        return _hasher.verify(password_hash, password)
    except (VerificationError, InvalidHashError):
        return False


def _is_guessable(password: str, owner_words: Sequence[str]) -> bool:
    """Check for a password of common words, repetitions and sequences only."""
    letters = "".join(character for character in password.casefold() if character.isalnum())
    if len(set(letters)) < 5:
        return True
    own_words = " ".join(owner_words).casefold().replace("@", " ").replace(".", " ").split()
    for word in sorted((*_COMMON_PASSWORDS.split(), *own_words), key=len, reverse=True):
        if len(word) > 2:
            letters = letters.replace(word, "")
    # From a character to the next: up or down by 1, or between 9 and 0.
    steps = sum((ord(second) - ord(first)) in {1, -1, 9, -9} for first, second in pairwise(letters))
    # The same 1 to 8 characters again and again, the last time perhaps cut off.
    is_repeated = any(letters == (letters[:n] * len(letters))[: len(letters)] for n in range(1, 9))
    return len(set(letters)) < 5 or is_repeated or steps > len(letters) * 0.7
