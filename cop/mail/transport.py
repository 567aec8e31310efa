"""The way out for mail: to the server that the settings name, or else into a folder."""

from email.message import EmailMessage
from typing import Protocol

from cop.config import Settings
from cop.mail.folder import FolderTransport
from cop.mail.smtp import SmtpTransport


class Transport(Protocol):
    """What takes mail."""

    def send(self, message: EmailMessage, *, to: str) -> str:
        """Hand over one mail to one recipient; returns what was answered.

        Raises:
            NotSent: it was not taken, or nobody knows; the kinds of it say which.
        """

    def close(self) -> None:
        """End the connection; the next mail opens a new one."""


def transport_for(settings: Settings) -> Transport:
    """Choose the way out that the settings name."""
    if settings.smtp:
        return SmtpTransport(settings.smtp, sender=settings.sender)
    return FolderTransport(settings.instance / "outbox")
