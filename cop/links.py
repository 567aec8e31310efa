"""Absolute URLs of emails, feeds and files, and the signed tokens in them."""

from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from functools import lru_cache
from typing import NamedTuple
from urllib.parse import urlsplit

from itsdangerous import BadData, URLSafeSerializer


class Purpose(StrEnum):
    """What a link is for."""

    MEMBER = "member"
    JOIN = "join"
    CALENDAR = "calendar"
    UNSUBSCRIBE = "unsubscribe"
    LIST = "list"
    PASSWORD = "password"  # noqa: S105 - a purpose, not a password
    INVITATION = "invitation"


@lru_cache(50)
def _serializer(secret_key: str, purpose: Purpose) -> URLSafeSerializer:
    return URLSafeSerializer(secret_key, salt=f"cop link {purpose}")


def sign_token(secret_key: str, purpose: Purpose, *parts: int | str) -> str:
    """Sign a token that carries these parts; the same parts give the same token."""
    return _serializer(secret_key, purpose).dumps(list(parts))


def read_token(
    secret_key: str, purpose: Purpose, token: str, types: tuple[type, ...]
) -> list[int | str]:
    """Return the parts of a valid token if they have these types; else an empty list."""
    try:
        parts = _serializer(secret_key, purpose).loads(token)
    except BadData:
        return []
    is_valid = isinstance(parts, list) and tuple(map(type, parts)) == types
    return parts if is_valid else []


def read_token_unverified(token: str) -> list[int | str]:
    """Return the parts of a token without verifying it; never for requests."""
    _, parts = URLSafeSerializer("").loads_unsafe(token)
    return parts if isinstance(parts, list) else []


class Owner(NamedTuple):
    """A member, and the current version of their links; older links are revoked."""

    member_id: int
    token_version: int


@dataclass(frozen=True)
class Links:
    """The site's URLs below one base such as `https://cop.example.org`."""

    base: str
    secret_key: str = field(default="", repr=False)

    def page(self, path: str) -> str:
        """Return the absolute URL of a path that starts with a slash."""
        return f"{self.base}{path}"

    @property
    def schedule(self) -> str:
        return self.page("/schedule")

    def meeting(self, slug: str) -> str:
        return self.page(f"/schedule/{slug}")

    def set_up(self, token: str) -> str:
        return self.page(f"/coordinator/set-up/{token}")

    def member(self, owner: Owner, below: str = "", *, on: date) -> str:
        """Return the link to the member's page or one below; valid for a year.

        The year begins at `on`.
        """
        token = sign_token(self.secret_key, Purpose.MEMBER, *owner, on.toordinal())
        return self.page(f"/r/{token}{below}")

    def cancel(self, owner: Owner, slug: str, *, on: date) -> str:
        return self.member(owner, f"/sessions/{slug}/cancel", on=on)

    def join(self, owner: Owner, registration_id: int) -> str:
        """Return the personal link that redirects to the meeting's join URL.

        It stays the same if the join URL changes.
        """
        token = sign_token(self.secret_key, Purpose.JOIN, *owner, registration_id)
        return self.page(f"/join/{token}")

    def calendar(self, member_id: int, calendar_version: int) -> str:
        token = sign_token(self.secret_key, Purpose.CALENDAR, member_id, calendar_version)
        return self.page(f"/calendar/{token}.ics")

    def unsubscribe(self, member_id: int, kind: str) -> str:
        """Return the link that stops emails of this kind; it does not expire."""
        token = sign_token(self.secret_key, Purpose.UNSUBSCRIBE, member_id, kind)
        return self.page(f"/unsubscribe/{token}")

    def confirm_list(self, owner: Owner) -> str:
        return self.page(f"/list/{sign_token(self.secret_key, Purpose.LIST, *owner)}")

    def new_password(self, coordinator_id: int, minute: int, fingerprint: str) -> str:
        """Return the link to reset the password that has this fingerprint.

        `minute` is when it was made, in minutes since 1970.
        """
        token = sign_token(self.secret_key, Purpose.PASSWORD, coordinator_id, minute, fingerprint)
        return self.console(f"/password/{token}")

    def invitation(self, invitation_id: int, timestamp: int) -> str:
        """Return the link to accept an invitation; sending it again revokes the link."""
        token = sign_token(self.secret_key, Purpose.INVITATION, invitation_id, timestamp)
        return self.console(f"/invitation/{token}")

    def console(self, path: str = "/") -> str:
        return self.page(f"/coordinator{path}")


def is_https(address: str) -> bool:
    """Return whether this is a valid HTTPS URL."""
    try:
        parts = urlsplit(address)
        host = (parts.hostname or "").encode("idna")
        is_complete = parts.scheme == "https" and bool(host) and parts.port != 0
    except (ValueError, UnicodeError):
        return False
    return is_complete and address.isprintable() and " " not in address
