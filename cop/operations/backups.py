"""Backups of an SQLite database: made daily and before upgrades, and verified.

PostgreSQL is backed up with its own tools; `cop backup --noted` records that it was.
"""

import logging
import shutil
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from sqlite3 import Connection
from typing import cast

from flask import Flask

from cop.community import community
from cop.db.engine import read_tx, sqlite_file, sqlite_module, write_tx
from cop.operations import backup_names
from cop.private_files import sync_folder

RETENTION = timedelta(days=14)
SQLITE_SIDE_FILES = ("-wal", "-shm", "-journal")
KEEP_NEWEST = 3  # however old they are
INTERVAL = timedelta(hours=20)  # a day, with room for a worker that is early

log = logging.getLogger("cop.backups")


class BackupRefused(OSError):  # noqa: N818 - a refusal, not an error
    """A backup cannot be made, or a file cannot be restored."""


def file_of(app: Flask) -> Path | None:
    """The app's database, if it is a file."""
    return sqlite_file(app.config["SQLALCHEMY_DATABASE_URI"])


def copy(file: Path, *, why: str, now: datetime | None = None) -> Path:
    """Copy an SQLite database, even while in use, to the folder `backups` beside it.

    It gets its name, which contains the time, only when it is complete and verified.

    Raises:
        BackupRefused: the database is damaged, or cannot be read, or the copy not be written.
    """
    now = now or datetime.now(UTC)
    target = backup_names.new_name(file, why, now=now)
    draft = target.with_suffix(".draft")
    draft.touch(mode=0o600)
    try:
        with (
            _refusing_errors(),
            closing(open_database(file)) as source,
            closing(open_database(draft)) as destination,
        ):
            source.backup(destination)
            _store_backup_time(destination, now)
        verify(draft)
        shutil.move(draft, target)
        # What is deleted from now on may be in this backup only: a power failure must not lose it.
        sync_folder(target.parent)
    finally:
        draft.unlink(missing_ok=True)
    return target


def copy_once(file: Path, *, why: str) -> Path:
    """Copy a database, unless an interrupted upgrade has left an intact, equal copy.

    Raises:
        BackupRefused: the database is damaged, or cannot be read, or the copy not be written.
    """
    for earlier in sorted((file.parent / "backups").glob(f"{why}-*.sqlite3"), reverse=True):
        with suppress(BackupRefused, sqlite_module.Error):
            verify(earlier)
            if _read_rows(file) == _read_rows(earlier):
                return earlier
    return copy(file, why=why)


def _read_rows(file: Path) -> list[list[tuple[object, ...]]]:
    """Read all tables and rows, ignoring the backup time that copies store."""
    with (
        closing(open_database(file)) as source,
        closing(sqlite_module.connect(":memory:")) as memory,
    ):
        source.backup(memory)
        _store_backup_time(memory, datetime.fromtimestamp(0, UTC))
        query = "SELECT name, sql FROM sqlite_master WHERE type = 'table' ORDER BY name"
        tables = memory.execute(query).fetchall()
        rows = (memory.execute(f'SELECT * FROM "{name}"').fetchall() for name, _ in tables)  # noqa: S608
        return [tables, *rows]


def make(app: Flask, *, now: datetime) -> Path | None:
    """Make the day's backup and store its time; None if the database is not a file.

    Raises:
        BackupRefused: the database is damaged, or cannot be read, or the copy not be written.
    """
    file = file_of(app)
    if file is None:
        return None
    backup = copy(file, why="daily", now=now)
    with app.app_context(), write_tx() as db_session:
        community.note_backup(db_session, now=now)
    return backup


def make_if_due(app: Flask, *, now: datetime) -> Path | None:
    """Make the day's backup, unless there is one already."""
    with app.app_context(), read_tx() as db_session:
        last = community.load_community(db_session).backup_at
    is_due = last is None or abs(now - last) >= INTERVAL  # `abs`: the clock may jump back
    return make(app, now=now) if is_due else None


def delete_old(app: Flask, *, now: datetime) -> int:
    """Delete backups past their retention period; return how many.

    The newest three stay, however old they are, and none is deleted without a newer intact
    one: while no backup can be made, the last good ones must not run out.
    """
    backup_names.mark_ahead(backup_names.list_files(file_of(app)), now=now)
    files = backup_names.list_files(file_of(app))
    time_of = {file: backup_names.age_reference(file, now=now) for file in files}
    latest_first = sorted(files, key=time_of.__getitem__, reverse=True)
    newest = [file for file in latest_first if _is_reliable(file, now=now)][:KEEP_NEWEST]
    old = [
        file
        for file in latest_first
        if now - time_of[file] > RETENTION
        and file.with_suffix(".sqlite3") not in newest  # neither one of them, nor its key
    ]
    intact = next(filter(_passes_integrity_check, newest), None) if old else None
    deletable = [file for file in old if intact and time_of[file] < time_of[intact]]
    for file in deletable:
        file.unlink()
    return len(deletable)


def oldest_at(app: Flask) -> datetime | None:
    """The earliest time at which the oldest backup may have been made."""
    # A copy made while the clock was ahead is seen within a day after the clock is right again, so
    # it was made at most a day before it was seen.
    earliest = [
        min(made_at, seen_at - backup_names.DAY if seen_at else made_at)
        for made_at, seen_at in map(backup_names.times, backup_names.list_files(file_of(app)))
    ]
    return min(earliest, default=None)


def _is_reliable(file: Path, *, now: datetime) -> bool:
    """Whether a copy was intact when it was made, and its name tells its true age."""
    has_true_age = backup_names.age_reference(file, now=now) == backup_names.times(file)[0]
    return file.suffix == ".sqlite3" and not backup_names.is_damaged(file) and has_true_age


def _passes_integrity_check(file: Path) -> bool:
    try:
        verify(file)
    except BackupRefused:
        log.exception("a backup is damaged", extra={"backup": file.name})
        return False
    return True


def verify(file: Path) -> dict[str, int]:
    """Check every page of a copy; return its number of rows, by kind.

    Raises:
        BackupRefused: it is damaged, or not a database of this site.
    """
    if not file.is_file():
        raise BackupRefused(f"There is no file {file}.")
    with _refusing_errors(), closing(open_database(file)) as connection:
        [(result,), *_] = connection.execute("PRAGMA integrity_check").fetchall()
        if result != "ok":
            raise BackupRefused(f"{file} is damaged: {result}")
        return {
            f"{table}s": connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0]  # noqa: S608
            for table in ("meeting", "registration", "coordinator")
        }


def _store_backup_time(connection: Connection, now: datetime) -> None:
    columns = {row[1] for row in connection.execute("PRAGMA table_info(community)")}
    if "backup_at" in columns:  # older schemas do not store it
        connection.execute("UPDATE community SET backup_at = ?", [f"{now:%Y-%m-%d %H:%M:%S.%f}"])
        connection.commit()


def open_database(file: Path) -> Connection:
    return cast("Connection", sqlite_module.connect(file, timeout=10))


@contextmanager
def _refusing_errors() -> Iterator[None]:
    """Turn SQLite's errors into `BackupRefused`."""
    try:
        yield
    except sqlite_module.Error as error:
        raise BackupRefused(f"Cannot read or copy the database: {error}") from error
