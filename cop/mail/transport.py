"""Mail without a server: each one becomes an `.eml` file that any mail program opens."""

import re
from collections.abc import Iterable
from contextlib import suppress
from datetime import UTC, datetime
from email.message import EmailMessage
from pathlib import Path
from typing import Protocol

from cop import private_files
from cop.config import Settings
from cop.mail.errors import ServerUnavailableError
from cop.mail.smtp import SmtpTransport

_TIME = "%Y%m%dT%H%M%SZ"
_FILE_NAME = "[0-9]*T*Z-*"


class FolderTransport:
    """Writes mails into a folder that nobody else can read."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def send(self, message: EmailMessage, *, to: str) -> str:  # noqa: ARG002 - the headers say it
        """Write the mail; doing it again overwrites the same file.

        Raises:
            ServerUnusable: nothing can be written there.
        """
        written_at = message["Date"].datetime.astimezone(UTC)
        name = f"{written_at:{_TIME}}-{_safe(message['Message-ID'])}.eml"
        try:
            self._write(name, message.as_bytes())
        except OSError as error:
            is_in_the_way = isinstance(error, FileExistsError | NotADirectoryError)
            why = "there is a file in its place" if is_in_the_way else error.strerror
            raise ServerUnavailableError(
                f"Mail cannot be written to {self.folder}: {why}."
            ) from error
        return f"written to {name}"

    def close(self) -> None:
        """There is nothing to close."""

    def delete_copies(self, message_ids: Iterable[str]) -> None:
        """Delete the files of these mails."""
        for message_id in message_ids:
            for file in self.folder.glob(f"{_FILE_NAME[:-1]}{_safe(message_id)}.*"):
                file.unlink(missing_ok=True)

    def delete_copies_before(self, moment: datetime) -> None:
        """Delete the files of mails that were composed before a moment."""
        first = f"{moment.astimezone(UTC):{_TIME}}"
        for file in self.folder.glob(_FILE_NAME):
            if file.name < first:
                file.unlink(missing_ok=True)

    def _write(self, name: str, content: bytes) -> None:
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        draft = self.folder / f"{name}.draft"
        try:
            private_files.write_file(draft, content)
            draft.replace(self.folder / name)
        except OSError:
            with suppress(OSError):
                draft.unlink()
            raise
        private_files.sync_folder(self.folder)


def _safe(message_id: str) -> str:
    """The part of a Message-ID that is the mail's own, as a file name can have it."""
    own = message_id.strip("<>").partition("@")[0]
    return re.sub(r"[^A-Za-z0-9]+", "-", own)[:100]


class Transport(Protocol):
    """What takes mail."""

    def send(self, message: EmailMessage, *, to: str) -> str:
        """Hand over one mail to one recipient; returns what was answered.

        Raises:
            NotSent: it was not taken, or nobody knows; the kinds of it say which.
        """

    def delete_copies(self, message_ids: Iterable[str]) -> None:
        """Keep nothing of mails that were erased; what a server has taken is out of our hands."""

    def close(self) -> None:
        """End the connection; the next mail opens a new one."""


def folder_transport(settings: Settings) -> FolderTransport:
    """The folder where mails become files, also where they do so no more."""
    return FolderTransport(settings.instance / "outbox")


def transport_for(settings: Settings) -> Transport:
    """Choose the way out that the settings name."""
    if settings.smtp:
        return SmtpTransport(settings.smtp, sender=settings.sender)
    return folder_transport(settings)
