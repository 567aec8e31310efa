"""Delivery errors, and the classification of SMTP replies."""

import re

_ENHANCED_CODE = re.compile(r"\d{3} (\d\.\d{1,3}\.\d{1,3})\b")
# RFC 3463 and 7505: no such mailbox or domain, wrong syntax, moved, accepts no email, disabled.
_ADDRESS_CODES = {"5.1.1", "5.1.2", "5.1.3", "5.1.6", "5.1.10", "5.2.1"}
_SENDER_CODES = {"5.1.7", "5.1.8"}
# Many servers reject the sender only in their reply to RCPT, so its text has to tell.
_SENDER = re.compile(r"sender|verif|not owned|relay|authenticat", re.IGNORECASE)
# Words of replies that reject an email for another reason than an address that does not exist.
_POLICY = re.compile(r"den(y|ied)|spam|policy|auth|block|reputation|size|full", re.IGNORECASE)
# 421: the server closes the connection; 530: it requires a login or encryption.
_SERVER_WIDE_CODES = {421, 530}
_ADDRESS = re.compile(r"\S+@\S+")
_MAX_LENGTH = 500


class DeliveryError(Exception):
    """An email was not delivered to the server.

    `server_reply` says why, without a password.
    """

    def __init__(self, server_reply: str) -> None:
        super().__init__(server_reply)
        self.server_reply = server_reply


class PermanentError(DeliveryError):
    """The server will never accept this email: a retry is pointless."""

    def __init__(self, server_reply: str, *, is_address_fault: bool = False) -> None:
        super().__init__(server_reply)
        self.is_address_fault = is_address_fault


class TransientError(DeliveryError):
    """The server may accept this email later, and others now."""


class ServerUnavailableError(DeliveryError):
    """The server accepts no email now: trying other emails is pointless, too."""


class UnknownOutcomeError(DeliveryError):
    """The connection ended before the final reply: the email may have arrived."""


class StoppedError(UnknownOutcomeError):
    """The process is stopped while the email is being sent: it may still arrive."""


def error_for_reply(code: int, text: bytes | str, *, to_recipient: bool = False) -> DeliveryError:
    """Return the error for a negative reply; `to_recipient`: it is the reply to RCPT."""
    reply = readable_reply(code, text)
    if 400 <= code <= 499 and code not in _SERVER_WIDE_CODES:
        return TransientError(reply)
    if to_recipient and _is_sender_fault(reply):
        return ServerUnavailableError(reply)
    if 500 <= code <= 599 and code not in _SERVER_WIDE_CODES:
        return PermanentError(reply, is_address_fault=to_recipient and _is_address_fault(reply))
    # This error is logged, so it must not contain an email address.
    return ServerUnavailableError(_ADDRESS.sub("(an address)", reply))


def readable_reply(code: int, text: bytes | str) -> str:
    """Format a reply as one line, such as `250 2.0.0 OK queued as 123`."""
    text = text.decode("utf-8", "replace") if isinstance(text, bytes) else text
    printable = "".join(character if character.isprintable() else " " for character in text)
    return f"{code} {' '.join(printable.split())}"[:_MAX_LENGTH]


def _is_sender_fault(reply: str) -> bool:
    """Whether the server rejects the sender, and so all emails.

    That is a configuration error.
    """
    enhanced = _ENHANCED_CODE.match(reply)
    return bool(enhanced and enhanced[1] in _SENDER_CODES) or bool(_SENDER.search(reply))


def _is_address_fault(reply: str) -> bool:
    """Whether the recipient's address is at fault, not the server's policy."""
    if enhanced := _ENHANCED_CODE.match(reply):
        return enhanced[1] in _ADDRESS_CODES
    return reply[:3] in {"550", "551", "553"} and not _POLICY.search(reply)
