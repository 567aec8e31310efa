"""The file names of backups, which tell why and when each was made."""

import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from secrets import token_hex

DAY = timedelta(days=1)
# Prefixes of backups that `delete_old` does not count as a reliable newer one.
DAMAGED, AHEAD = "damaged", "ahead"
_STAMP = "%Y%m%dT%H%M%SZ"
_TIME = r"[12]\d{7}T\d{6}Z"
# <why>-<made>-<8 hex digits>.sqlite3, or the same after ahead-<first seen>-.
_NAME = re.compile(
    rf"(?:{AHEAD}-(?P<seen_at>{_TIME})-)?"
    rf"(?P<first_name>(?P<why>[a-z-]+)-(?P<made_at>{_TIME})-[0-9a-f]{{8}}\..+)"
)


def new_name(file: Path, why: str, *, now: datetime) -> Path:
    """A new file name in the folder `backups`, which is created if missing."""
    folder = file.parent / "backups"
    folder.mkdir(mode=0o700, exist_ok=True)
    return folder / f"{why}-{now.astimezone(UTC):{_STAMP}}-{token_hex(4)}.sqlite3"


def list_files(database: Path | None) -> list[Path]:
    """The files in the backups folder that this program made: copies, keys, drafts."""
    candidates = (database.parent / "backups").glob("*-*") if database else ()
    return list(filter(_has_backup_name, candidates))


def _has_backup_name(file: Path) -> bool:
    try:
        return bool(_NAME.fullmatch(file.name) and times(file))
    except ValueError:  # not a date, like February 31
        return False


def times(file: Path) -> tuple[datetime, datetime | None]:
    """When a copy was made, and when it was first seen to be from the future, if so.

    Read from the name: a file's own time changes when the folder is copied to another disk.
    """
    match = _NAME.fullmatch(file.name)
    made_at, seen_at = match.group("made_at", "seen_at")  # type: ignore[union-attr]
    return _time(made_at), _time(seen_at) if seen_at else None


def _time(stamp: str) -> datetime:
    return datetime.strptime(stamp, _STAMP).replace(tzinfo=UTC)


def mark_ahead(copies: Sequence[Path], *, now: datetime) -> None:
    """Put the current time into the names of copies that are from the future.

    Either the clock was ahead when they were made, or it is behind now. The time at which they were
    made stays in the name, and counts again as soon as it is past.
    """
    for file in copies:
        if age_reference(file, now=now) > now + DAY:
            name = _NAME.fullmatch(file.name)["first_name"]  # type: ignore[index]
            file.rename(file.with_name(f"{AHEAD}-{now:{_STAMP}}-{name}"))


def age_reference(file: Path, *, now: datetime) -> datetime:
    """The time from which a copy's retention period counts."""
    made_at, seen_at = times(file)
    return seen_at if seen_at and made_at > now else made_at


def is_damaged(file: Path) -> bool:
    """Whether it is a copy of a damaged database, made before a restore."""
    return _NAME.fullmatch(file.name)["why"] == DAMAGED  # type: ignore[index]
