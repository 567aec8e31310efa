"""Parse the email settings: the SMTP server and the sender."""

import re
from dataclasses import dataclass, field
from email.headerregistry import Address
from enum import StrEnum
from ipaddress import ip_address
from urllib.parse import SplitResult, unquote, urlsplit

from email_validator import EmailNotValidError, validate_email

_NAME = r"[a-z0-9_-]{1,63}(\.[a-z0-9_-]{1,63})*\.?"
_HOST = re.compile(rf"{_NAME}|[0-9a-f:.]*:[0-9a-f:.]*")
# Appended before validation, since the validator refuses domains such as that of `root@localhost`.
_VALID_SUFFIX = ".example.org"


class InvalidAddress(Exception):  # noqa: N818 - a refusal, not a bug
    """An address that cannot be used, with what to write; without a password."""


class Security(StrEnum):
    """How the connection to a mail server is encrypted."""

    TLS = "encrypted from the first byte"
    STARTTLS = "encrypted by STARTTLS, before the login"
    IF_OFFERED = "encrypted where the server offers it"
    NONE = "not encrypted"


@dataclass(frozen=True)
class SmtpServer:
    """The SMTP server that emails are sent by."""

    host: str
    port: int
    security: Security
    user: str = ""
    password: str = field(default="", repr=False)

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


def parse_server(url: str) -> SmtpServer:
    """Parse the URL of an SMTP server, the value of `COP_SMTP_URL`.

    The default port is 465 for smtps and 587 for smtp, but 25 on this machine and with tls=no.

    Raises:
        InvalidAddress: it is not such a URL, or the password would be sent unencrypted.
    """
    parts, port = _split(url)
    host = parts.hostname or ""
    user, password = unquote(parts.username or ""), unquote(parts.password or "")
    security = _security(parts, is_loopback=_is_loopback(host))
    default_port = {Security.TLS: 465, Security.STARTTLS: 587}.get(security, 25)
    if bool(user) != bool(password):
        raise InvalidAddress("write both a user and a password, or neither.")
    if not f"{user}{password}".isascii() or not f"{user}{password}".isprintable():
        raise InvalidAddress("the user and the password may have only printable ASCII characters.")
    if user and security is Security.NONE and not _is_loopback(host):
        raise InvalidAddress(
            "with tls=no everybody on the way could read the password: leave out tls=no, or the "
            "user and the password."
        )
    return SmtpServer(host, port or default_port, security, user, password)


def _split(url: str) -> tuple[SplitResult, int | None]:
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        parts, port = SplitResult("", "", "", "", ""), None
    is_smtp = parts.scheme in {"smtp", "smtps"} and _HOST.fullmatch(parts.hostname or "")
    if not is_smtp or port == 0 or parts.path not in {"", "/"} or "#" in url:
        raise InvalidAddress(
            "write smtps://user:password@host:465 or smtp://user:password@host:587; in the user "
            "and the password %40 stands for @, %3A for :, %2F for /, %23 for #, %3F for ? and "
            "%25 for %."
        )
    return parts, port


def _security(parts: SplitResult, *, is_loopback: bool) -> Security:
    if parts.query not in {"", "tls=no"}:
        raise InvalidAddress("after the ? only tls=no can stand; in a password write %3F for ?.")
    if parts.scheme == "smtps":
        if parts.query:
            raise InvalidAddress("smtps:// is always encrypted: with tls=no, write smtp://.")
        return Security.TLS
    if parts.query:
        return Security.NONE
    return Security.IF_OFFERED if is_loopback else Security.STARTTLS


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def parse_sender(text: str) -> Address:
    """Parse the address that emails come from: `address` or `Name <address>`.

    Raises:
        InvalidAddress: it is not such an address, or some servers could not reply to it.
    """
    name, bracket, address = text.strip().rpartition("<")
    if bracket and not address.endswith(">"):
        raise InvalidAddress("close the address with >, like CTData <no-reply@example.org>.")
    mailbox = parse_address(address.removesuffix(">") if bracket else address)
    if not mailbox.username.isascii():
        raise InvalidAddress("before the @ only ASCII letters work with every mail server.")
    return Address(name.strip().strip('"'), mailbox.username, mailbox.domain)


def default_sender(host: str) -> Address:
    """Return a no-reply address at a host; at localhost if that is invalid."""
    try:
        return parse_address(f"no-reply@{host}")
    except InvalidAddress:
        return Address("", "no-reply", "localhost")


def parse_address(address: str) -> Address:
    """Parse an email address, also one of a local network; IDNA-encode it.

    Raises:
        InvalidAddress: this is not an email address.
    """
    try:
        parts = validate_email(
            f"{address}{_VALID_SUFFIX}", check_deliverability=False, globally_deliverable=False
        )
    except EmailNotValidError as error:
        raise InvalidAddress("write an address like no-reply@example.org.") from error
    if "=?" in parts.local_part:  # an encoded word (RFC 2047) may decode to another address
        raise InvalidAddress("write an address without =? in it.")
    return Address("", parts.local_part, parts.ascii_domain.removesuffix(_VALID_SUFFIX))
