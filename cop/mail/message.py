"""Puts a composed mail into its envelope: from us, to exactly one person, the same bytes each time.

`Address()` alone does not keep a name from adding recipients: folding drops the quotes of a long
one, and an encoded word is decoded into whatever it hides (CPython's gh-80222 and gh-121650). What
could mean something in a header is therefore left out of names and subjects before they get there.
"""

import re
import unicodedata
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import EmailPolicy
from hashlib import sha256

from cop.mail.errors import PermanentError
from cop.models.email import OutboxEmail
from cop.smtp_url import InvalidAddress, bare_address

NAME_LENGTH = 60  # with its quotes it fits into one line, where nothing is folded
_SPECIALS = re.compile(r'[()<>\[\]:;@\\,"]')
_BIDI_CONTROLS = {"LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI"}


class _Headers(EmailPolicy):
    """Folds headers, but not one whose long address the standard library would encode for that."""

    def fold_binary(self, name: str, value: str) -> bytes:
        if name == "List-Unsubscribe":
            return f"{name}: {value}{self.linesep}".encode()
        return super().fold_binary(name, value)


_ASCII = _Headers(linesep="\r\n")
_INTERNATIONAL = _Headers(linesep="\r\n", utf8=True)


def build_message(email: OutboxEmail, *, sender: Address, reply_to: str | None) -> EmailMessage:
    """Put a mail into its envelope.

    Raises:
        RefusedForGood: it is addressed to what is not an email address.
    """
    to = mailbox(email.to_address, email.to_name)
    message = EmailMessage(policy=_ASCII if to.username.isascii() else _INTERNATIONAL)
    message["From"] = Address(_name(sender.display_name), sender.username, sender.domain)
    message["To"] = to
    message["Subject"] = _line(email.subject)
    message["Date"] = email.created_at
    message["Message-ID"] = f"<{email.message_id}@{sender.domain}>"
    message["Auto-Submitted"] = "auto-generated"
    # Exchange: no absence notes, but still its reports of mail that was not delivered.
    message["X-Auto-Response-Suppress"] = "OOF, AutoReply"
    if reply_to and (contact := _contact(reply_to)):
        message["Reply-To"] = contact
    if email.unsubscribe_url:
        message["List-Unsubscribe"] = f"<{email.unsubscribe_url}>"
        message["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    _fill(message, email)
    message["Content-Language"] = email.language
    return message


def mailbox(address: str, name: str = "") -> Address:
    """An address as headers and servers take it, with a name in one harmless line.

    Raises:
        RefusedForGood: this is not an email address.
    """
    try:
        found = bare_address(address)
    except InvalidAddress as error:
        refusal = "The mail is addressed to what is not an email address."
        raise PermanentError(refusal, is_address_fault=True) from error
    return Address(_name(name), found.username, found.domain)


def _contact(address: str) -> Address | None:
    """A slip in the contact must not stop all mail, nor make all of it need SMTPUTF8."""
    try:
        found = bare_address(address)
    except InvalidAddress:
        return None
    return found if found.username.isascii() else None


def _name(name: str) -> str:
    return _line(_SPECIALS.sub(" ", name))[:NAME_LENGTH].strip()


def _line(text: str) -> str:
    shown = "".join(" " if _is_invisible(character) else character for character in text)
    return " ".join(shown.replace("=?", "= ?").split())


def _is_invisible(character: str) -> bool:
    """Whether it breaks a line, cannot be written, or turns the direction of what follows."""
    is_control = unicodedata.category(character) in {"Cc", "Cs", "Zl", "Zp"}
    return is_control or unicodedata.bidirectional(character) in _BIDI_CONTROLS


def _fill(message: EmailMessage, email: OutboxEmail) -> None:
    message.set_content(email.text, cte="quoted-printable")
    message.add_alternative(email.html, subtype="html", cte="quoted-printable")
    # "=_" is in no quoted-printable and no base64 text, so no text can contain its own boundary.
    boundary = f"=_{sha256(email.message_id.encode()).hexdigest()[:32]}"
    message.set_boundary(f"{boundary}-texts")
    if email.calendar:
        message.add_attachment(
            email.calendar,
            subtype="calendar",
            cte="base64",
            params={"method": "PUBLISH"},
            filename="session.ics",
        )
        message.set_boundary(f"{boundary}-all")
