"""The secret key that signs links and forms: its file and its fingerprint."""

import hashlib
import hmac
import os
import secrets
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from cop import private_files

FILE_NAME = "secret-key"
MIN_LENGTH = 32  # characters


def generate() -> str:
    """Make a key of 48 random bytes."""
    return secrets.token_urlsafe(48)


def fingerprint(secret_key: str) -> str:
    """Return a 64-bit hash that identifies a key without revealing it."""
    digest = hmac.new(secret_key.encode(), b"cop secret key fingerprint", hashlib.sha256)
    return digest.hexdigest()[:16]


def create(file: Path) -> None:
    """Write a new key to the disk, unless another process has written one meanwhile."""
    _make_folder(file.parent)
    with _draft(file, generate()) as draft, suppress(FileExistsError):
        os.link(draft, file)  # atomic, and never replaces a key
    private_files.sync_folder(file.parent)


def install(file: Path, secret_key: str) -> None:
    """Write a key to the disk; it replaces an existing one."""
    with replace(file, secret_key):
        pass


@contextmanager
def replace(file: Path, secret_key: str) -> Iterator[None]:
    """Write a key now; replace the old one if the `with` block succeeds."""
    _make_folder(file.parent)
    with _draft(file, secret_key) as draft:
        yield
        draft.replace(file)
    private_files.sync_folder(file.parent)


def make_private(file: Path) -> None:
    """Remove the permissions of group and others, if the file belongs to this user."""
    status = file.stat()
    if status.st_mode & 0o077 and status.st_uid == os.geteuid():
        with suppress(OSError):  # the disk may be read-only
            file.chmod(0o600)


def is_public(file: Path) -> bool:
    """Return whether everybody on this machine can read the file."""
    return bool(file.stat().st_mode & stat.S_IROTH)


def _make_folder(folder: Path) -> None:
    if folder.is_dir():
        return
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    with suppress(PermissionError):  # a parent such as /srv may not be readable, which sync needs
        private_files.sync_folder(folder.parent)


@contextmanager
def _draft(file: Path, secret_key: str) -> Iterator[Path]:
    draft = file.with_name(f"{file.name}.{secrets.token_hex(8)}")
    try:
        private_files.write_file(draft, secret_key.encode())
        yield draft
    finally:
        draft.unlink(missing_ok=True)
