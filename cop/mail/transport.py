"""The transport of emails: to an SMTP server, else into `.eml` files."""

import re
from collections.abc import Iterable
from datetime import UTC, datetime
from email.message import EmailMessage
from pathlib import Path

from cop import private_files
from cop.config import Settings
from cop.mail.errors import ServerUnavailableError
from cop.mail.smtp import SmtpTransport

# The names of files begin with the time of their email.
_TIME_FORMAT = "%Y%m%dT%H%M%SZ"
_TIME_PATTERN = "[0-9]*T*Z-"


class FolderTransport:
    """Writes emails into a folder that only the owner can read."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def send(self, message: EmailMessage, *, to: str) -> str:  # noqa: ARG002 - it is in the headers
        """Write the email to a file; a retry overwrites it.

        Raises:
            ServerUnavailableError: the folder is not writable.
        """
        composed_at = message["Date"].datetime.astimezone(UTC)
        name = f"{composed_at:{_TIME_FORMAT}}-{_file_part(message['Message-ID'])}.eml"
        try:
            self._write(name, message.as_bytes())
        except OSError as error:
            is_in_the_way = isinstance(error, FileExistsError | NotADirectoryError)
            why = "there is a file with that name" if is_in_the_way else error.strerror
            raise ServerUnavailableError(
                f"Emails can't be saved in {self.folder}: {why}."
            ) from error
        return f"written to {name}"

    def delete_copies(self, message_ids: Iterable[str]) -> None:
        """Delete the files of these emails."""
        for message_id in message_ids:
            for file in self.folder.glob(f"{_TIME_PATTERN}{_file_part(message_id)}.*"):
                file.unlink(missing_ok=True)

    def delete_copies_before(self, moment: datetime) -> None:
        """Delete the files of emails composed before a moment."""
        limit = f"{moment.astimezone(UTC):{_TIME_FORMAT}}"  # names sort by time
        for file in self.folder.glob(f"{_TIME_PATTERN}*"):
            if file.name < limit:
                file.unlink(missing_ok=True)

    def close(self) -> None:
        """Do nothing: there is no connection."""

    def _write(self, name: str, content: bytes) -> None:
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        draft = self.folder / f"{name}.draft"
        try:
            private_files.write_file(draft, content)
            draft.replace(self.folder / name)
        finally:
            draft.unlink(missing_ok=True)
        private_files.sync_folder(self.folder)


def _file_part(message_id: str) -> str:
    """Return the local part of a Message-ID, safe in a file name."""
    return re.sub(r"[^A-Za-z0-9]+", "-", message_id.strip("<>").partition("@")[0])[:100]


Transport = SmtpTransport | FolderTransport


def folder_transport(settings: Settings) -> FolderTransport:
    """Return the transport into files, which may be left from before SMTP."""
    return FolderTransport(settings.instance / "outbox")


def transport_for(settings: Settings) -> Transport:
    """Return the transport that the settings choose."""
    if settings.smtp:
        return SmtpTransport(settings.smtp, sender=settings.sender)
    return folder_transport(settings)
