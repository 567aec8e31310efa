"""How handing over a mail can end, other than well."""

import re

_ENHANCED = re.compile(r"\d{3} (\d\.\d{1,3}\.\d{1,3})\b")
# RFC 3463: the address is bad, its domain, its syntax, moved, has no mail (RFC 7505); switched off.
_ADDRESS_CODES = {"5.1.1", "5.1.2", "5.1.3", "5.1.6", "5.1.10", "5.2.1"}
_SENDER_CODES = {"5.1.7", "5.1.8"}
# Many servers say only at the recipient what is wrong with the sender, who is the same for all.
_SENDER = re.compile(r"sender|verif|not owned|relay|authenticat", re.IGNORECASE)
_POLICY_CODES = re.compile(r"den(y|ied)|spam|policy|auth|block|reputation|size|full", re.IGNORECASE)
# 421: the server closes the connection; 530: it wants a login or encryption first.
_NOT_OF_THIS_MAIL = {421, 530}
_ADDRESS = re.compile(r"\S+@\S+")
_LENGTH = 500


class DeliveryError(Exception):
    """A mail was not handed over; `answer` says what happened, without any password."""

    def __init__(self, answer: str) -> None:
        super().__init__(answer)
        self.server_reply = answer


class PermanentError(DeliveryError):
    """This mail will never be taken: trying it again is pointless."""

    def __init__(self, answer: str, *, is_address_fault: bool = False) -> None:
        super().__init__(answer)
        self.is_address_fault = is_address_fault


class TransientError(DeliveryError):
    """This mail may be taken later; others may be taken now."""


class ServerUnavailableError(DeliveryError):
    """No mail can be handed over now: trying others is pointless."""


class UnknownOutcomeError(DeliveryError):
    """The connection ended after our last byte and before the answer: the mail may be there."""


def failure_of_reply(code: int, said: bytes | str, *, recipient: bool = False) -> DeliveryError:
    """The ending that a server's answer means; `recipient`: it was asked about one."""
    answer = readable_reply(code, said)
    if 400 <= code <= 499 and code not in _NOT_OF_THIS_MAIL:
        return TransientError(answer)
    if recipient and _is_sender_fault(answer):
        return ServerUnavailableError(answer)
    if 500 <= code <= 599 and code not in _NOT_OF_THIS_MAIL:
        return PermanentError(answer, is_address_fault=recipient and _is_address_fault(answer))
    return ServerUnavailableError(
        _ADDRESS.sub("(an address)", answer)
    )  # it is logged, and names nobody


def readable_reply(code: int, said: bytes | str) -> str:
    """A server's answer in one line, like `250 2.0.0 OK queued as 123`."""
    text = said.decode("utf-8", "replace") if isinstance(said, bytes) else said
    printable = "".join(character if character.isprintable() else " " for character in text)
    return f"{code} {' '.join(printable.split())}"[:_LENGTH]


def _is_sender_fault(answer: str) -> bool:
    """Whether no mail of ours would be taken, whomever it is for: a mistake in the settings."""
    enhanced = _ENHANCED.match(answer)
    return bool(enhanced and enhanced[1] in _SENDER_CODES) or bool(_SENDER.search(answer))


def _is_address_fault(answer: str) -> bool:
    """Whether a refusal says that no mail gets to the address, and not that ours is distrusted."""
    if enhanced := _ENHANCED.match(answer):
        return enhanced[1] in _ADDRESS_CODES
    return answer[:3] in {"550", "551", "553"} and not _POLICY_CODES.search(answer)
