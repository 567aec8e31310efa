"""Signed tokens for the links in our mail, each for one purpose: none opens another door."""

from enum import StrEnum
from functools import lru_cache

from itsdangerous import BadData, URLSafeSerializer


class Purpose(StrEnum):
    """What a link is for."""

    MEMBER = "member"
    JOIN = "join"
    CALENDAR = "calendar"
    UNSUBSCRIBE = "unsubscribe"
    LIST = "list"
    PASSWORD = "password"  # noqa: S105 - a purpose, no password
    INVITATION = "invitation"


@lru_cache(50)
def _serializer(secret_key: str, purpose: Purpose) -> URLSafeSerializer:
    return URLSafeSerializer(secret_key, salt=f"cop link {purpose}")


def sign(secret_key: str, purpose: Purpose, *parts: int | str) -> str:
    """A token that carries these parts; the same parts give the same token."""
    return _serializer(secret_key, purpose).dumps(list(parts))


def read(secret_key: str, purpose: Purpose, token: str, kinds: tuple[type, ...]) -> list[int | str]:
    """The parts of a token of ours, each of its kind; nothing for any other token."""
    try:
        parts = _serializer(secret_key, purpose).loads(token)
    except BadData:
        return []
    fits = isinstance(parts, list) and tuple(type(part) for part in parts) == kinds
    return parts if fits else []


def read_unverified(token: str) -> list[int | str]:
    """The parts of a token whatever key signed it; never for a token that came in a request."""
    _, parts = URLSafeSerializer("").loads_unsafe(token)
    return parts if isinstance(parts, list) else []
