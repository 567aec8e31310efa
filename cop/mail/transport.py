"""The way out for mail: to the server that the settings name, or else into a folder."""

from collections.abc import Iterable
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

    def forget(self, message_ids: Iterable[str]) -> None:
        """Keep nothing of mails that were erased; what a server has taken is out of our hands."""

    def close(self) -> None:
        """End the connection; the next mail opens a new one."""


def files(settings: Settings) -> FolderTransport:
    """The folder where mails become files, also where they do so no more."""
    return FolderTransport(settings.instance / "outbox")


def transport_for(settings: Settings) -> Transport:
    """Choose the way out that the settings name."""
    if settings.smtp:
        return SmtpTransport(settings.smtp, sender=settings.sender)
    return files(settings)
