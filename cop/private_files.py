"""Private files that survive a power failure.

To replace a file, write a draft, rename it, and sync the folder: a power failure at any moment
leaves the old file or the new one.
"""

import os
from pathlib import Path


def write_file(file: Path, content: bytes) -> None:
    """Write a file that only its owner can read, and sync it to the disk."""
    descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as opened:
        opened.write(content)
        opened.flush()
        _sync(descriptor)


def has_content(file: Path) -> bool:
    """Whether a file exists and is not empty.

    An interrupted first start leaves an empty database.
    """
    return file.is_file() and file.stat().st_size > 0


def sync_folder(folder: Path) -> None:
    """Sync the names in a folder, so that a power failure loses no new one."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        _sync(descriptor)
    finally:
        os.close(descriptor)


def _sync(descriptor: int) -> None:
    """Sync to the disk itself: on macOS, `fsync` may leave data in the drive's cache."""
    import fcntl  # noqa: PLC0415 - missing on Windows, where the CLI has to say it is unsupported

    full_sync = getattr(fcntl, "F_FULLFSYNC", None)
    if full_sync is None:
        os.fsync(descriptor)
        return
    try:
        fcntl.fcntl(descriptor, full_sync)
    except OSError:  # this file system does not support it
        os.fsync(descriptor)
