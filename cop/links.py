"""Absolute addresses for everything that leaves this site, without Flask and without a request."""

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
    PASSWORD = "password"  # noqa: S105 - a purpose, no password
    INVITATION = "invitation"


@lru_cache(50)
def _serializer(secret_key: str, purpose: Purpose) -> URLSafeSerializer:
    return URLSafeSerializer(secret_key, salt=f"cop link {purpose}")


def sign_token(secret_key: str, purpose: Purpose, *parts: int | str) -> str:
    """A token that carries these parts; the same parts give the same token."""
    return _serializer(secret_key, purpose).dumps(list(parts))


def read_token(
    secret_key: str, purpose: Purpose, token: str, kinds: tuple[type, ...]
) -> list[int | str]:
    """The parts of a token of ours, each of its kind; nothing for any other token."""
    try:
        parts = _serializer(secret_key, purpose).loads(token)
    except BadData:
        return []
    fits = isinstance(parts, list) and tuple(type(part) for part in parts) == kinds
    return parts if fits else []


def read_token_unverified(token: str) -> list[int | str]:
    """The parts of a token whatever key signed it; never for a token that came in a request."""
    _, parts = URLSafeSerializer("").loads_unsafe(token)
    return parts if isinstance(parts, list) else []


class Owner(NamedTuple):
    """Whose link it is: a member, and which of their links still work."""

    member_id: int
    token_version: int


@dataclass(frozen=True)
class Links:
    """The site's addresses below one base such as `https://cop.example.org`."""

    base: str
    secret_key: str = field(default="", repr=False)

    def page(self, path: str) -> str:
        """The absolute address of a path that starts with a slash."""
        return f"{self.base}{path}"

    @property
    def schedule(self) -> str:
        return self.page("/schedule")

    @property
    def my_link(self) -> str:
        return self.page("/my-link")

    @property
    def your_data(self) -> str:
        return self.page("/your-data")

    def meeting(self, slug: str) -> str:
        return self.page(f"/schedule/{slug}")

    def set_up(self, token: str) -> str:
        return self.page(f"/coordinator/set-up/{token}")

    def member(self, owner: Owner, below: str = "", *, on: date) -> str:
        """The member's own page, or an address below it; the link is good for a year from `on`."""
        token = sign_token(self.secret_key, Purpose.MEMBER, *owner, on.toordinal())
        return self.page(f"/r/{token}{below}")

    def cancel(self, owner: Owner, slug: str, *, on: date) -> str:
        return self.member(owner, f"/sessions/{slug}/cancel", on=on)

    def join(self, owner: Owner, registration_id: int) -> str:
        """The way into the meeting, which stays the same wherever the meeting is held."""
        token = sign_token(self.secret_key, Purpose.JOIN, *owner, registration_id)
        return self.page(f"/join/{token}")

    def calendar(self, member_id: int, calendar_version: int) -> str:
        token = sign_token(self.secret_key, Purpose.CALENDAR, member_id, calendar_version)
        return self.page(f"/calendar/{token}.ics")

    def unsubscribe(self, member_id: int, kind: str) -> str:
        """One click stops mail of this kind; works as long as the member is known."""
        token = sign_token(self.secret_key, Purpose.UNSUBSCRIBE, member_id, kind)
        return self.page(f"/unsubscribe/{token}")

    def confirm_list(self, owner: Owner) -> str:
        return self.page(f"/list/{sign_token(self.secret_key, Purpose.LIST, *owner)}")

    def new_password(self, coordinator_id: int, minute: int, fingerprint: str) -> str:
        """The way to a new password, as long as the coordinator has that of `fingerprint`."""
        token = sign_token(self.secret_key, Purpose.PASSWORD, coordinator_id, minute, fingerprint)
        return self.console(f"/password/{token}")

    def invitation(self, invitation_id: int, stamp: int) -> str:
        """The way to one more account, as long as the invitation is the one made at `stamp`."""
        token = sign_token(self.secret_key, Purpose.INVITATION, invitation_id, stamp)
        return self.console(f"/invitation/{token}")

    def console(self, path: str = "/") -> str:
        return self.page(f"/coordinator{path}")


def is_https(address: str) -> bool:
    """Whether this is an address of the web that is not read on the way."""
    try:
        parts = urlsplit(address)
        name = (parts.hostname or "").encode("idna").decode()
        usable = parts.scheme == "https" and bool(name) and parts.port != 0
    except (ValueError, UnicodeError):
        return False
    return usable and address.isprintable() and " " not in address
