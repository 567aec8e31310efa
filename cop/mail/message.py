"""The MIME message of an email: one recipient, safe headers, stable bytes.

`Address()` alone does not stop a name from adding recipients: folding drops the quotes of a long
name, and encoded words are decoded (CPython gh-80222, gh-121650). Characters with a meaning in
headers are therefore removed from names and subjects first.
"""

import re
import unicodedata
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import EmailPolicy
from hashlib import sha256

from cop.mail.errors import PermanentError
from cop.models.email import OutboxEmail
from cop.smtp_url import InvalidAddress, parse_address

MAX_NAME_LENGTH = 60  # fits on one line with its quotes, so that nothing is folded
_SPECIALS = re.compile(r'[()<>\[\]:;@\\,"]')
_BIDI_CONTROLS = {"LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI"}


class _Headers(EmailPolicy):
    """Fold all headers but `List-Unsubscribe`.

    The standard library would encode its long URL.
    """

    def fold_binary(self, name: str, value: str) -> bytes:
        if name == "List-Unsubscribe":
            return f"{name}: {value}{self.linesep}".encode()
        return super().fold_binary(name, value)


_ASCII = _Headers(linesep="\r\n")
_INTERNATIONAL = _Headers(linesep="\r\n", utf8=True)


def build_message(email: OutboxEmail, *, sender: Address, reply_to: str | None) -> EmailMessage:
    """Build the message of a queued email.

    Raises:
        PermanentError: the recipient is not an email address.
    """
    to = mailbox(email.to_address, email.to_name)
    message = EmailMessage(policy=_ASCII if to.username.isascii() else _INTERNATIONAL)
    message["From"] = Address(_safe_name(sender.display_name), sender.username, sender.domain)
    message["To"] = to
    message["Subject"] = _safe_line(email.subject)
    message["Date"] = email.created_at
    message["Message-ID"] = f"<{email.message_id}@{sender.domain}>"
    message["Auto-Submitted"] = "auto-generated"
    # Exchange: suppress out-of-office replies, but not non-delivery reports.
    message["X-Auto-Response-Suppress"] = "OOF, AutoReply"
    if reply_to and (reply_address := _reply_address(reply_to)):
        message["Reply-To"] = reply_address
    if email.unsubscribe_url:
        message["List-Unsubscribe"] = f"<{email.unsubscribe_url}>"
        message["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    _add_content(message, email)
    message["Content-Language"] = email.language
    return message


def mailbox(address: str, name: str = "") -> Address:
    """Parse an address for headers and SMTP commands; make the name safe.

    Raises:
        PermanentError: this is not an email address.
    """
    try:
        parsed = parse_address(address)
    except InvalidAddress as error:
        reply = "This is not a valid email address."
        raise PermanentError(reply, is_address_fault=True) from error
    return Address(_safe_name(name), parsed.username, parsed.domain)


def _reply_address(address: str) -> Address | None:
    """Parse the Reply-To address; None if it is invalid or would require SMTPUTF8."""
    try:
        parsed = parse_address(address)
    except InvalidAddress:
        return None
    return parsed if parsed.username.isascii() else None


def _safe_name(name: str) -> str:
    return _safe_line(_SPECIALS.sub(" ", name))[:MAX_NAME_LENGTH].strip()


def _safe_line(text: str) -> str:
    visible = "".join(" " if _is_invisible(character) else character for character in text)
    # Broken up, "=?" no longer begins an encoded word.
    return " ".join(visible.replace("=?", "= ?").split())


def _is_invisible(character: str) -> bool:
    """Whether a character breaks lines, has no encoding or sets the direction."""
    is_control = unicodedata.category(character) in {"Cc", "Cs", "Zl", "Zp"}
    return is_control or unicodedata.bidirectional(character) in _BIDI_CONTROLS


def _add_content(message: EmailMessage, email: OutboxEmail) -> None:
    message.set_content(email.text, cte="quoted-printable")
    message.add_alternative(email.html, subtype="html", cte="quoted-printable")
    # "=_" occurs in neither quoted-printable nor base64, so no body can contain its boundary.
    boundary = f"=_{sha256(email.message_id.encode()).hexdigest()[:32]}"
    message.set_boundary(f"{boundary}-texts")
    if email.calendar:
        is_cancellation = "\r\nMETHOD:CANCEL\r\n" in email.calendar
        message.add_attachment(
            email.calendar,
            subtype="calendar",
            cte="base64",
            params={"method": "CANCEL" if is_cancellation else "PUBLISH"},
            filename="session.ics",
        )
        message.set_boundary(f"{boundary}-all")
