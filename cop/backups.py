"""Copies of an SQLite database: made each day and before upgrades, checked, and restored.

Another database is backed up with its own tools; that it was can be noted here.
"""

import os
import shutil
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from secrets import token_hex

from flask import Flask

from cop.config import Settings
from cop.db import read_tx, sqlite_file, sqlite_module, write_tx
from cop.domain import community

KEPT = timedelta(days=14)
EACH = timedelta(hours=20)  # a day, with room for a round that comes early


class BackupRefused(OSError):  # noqa: N818 - a refusal
    """A copy that could not be made, or is none that can be restored."""


@dataclass(frozen=True)
class Contents:
    """What a copy holds, as far as it helps to tell one from another."""

    meetings: int
    registrations: int
    coordinators: int


def file_of(app: Flask) -> Path | None:
    """The app's database, if it is a file."""
    return sqlite_file(app.config["SQLALCHEMY_DATABASE_URI"])


def copy(file: Path, *, why: str, at: datetime | None = None) -> Path:
    """Copy an SQLite database, in use or not, to the folder `backups` beside it.

    The copy is whole and sound when it appears. `at` is noted in it as the time of the backup.

    Raises:
        BackupRefused: the database is damaged, or cannot be read, or the copy not be written.
    """
    folder = file.parent / "backups"
    folder.mkdir(mode=0o700, exist_ok=True)
    made = folder / f"{why}-{datetime.now(UTC):%Y%m%dT%H%M%SZ}-{token_hex(4)}.sqlite3"
    draft = made.with_suffix(".draft")
    draft.touch(mode=0o600)
    try:
        with _said(), closing(_open(file)) as source, closing(_open(draft)) as target:
            source.backup(target)
            if at:
                target.execute("UPDATE community SET backup_at = ?", [f"{at:%Y-%m-%d %H:%M:%S.%f}"])
                target.commit()
        verify(draft)
        shutil.move(draft, made)
    finally:
        draft.unlink(missing_ok=True)
    return made


def make(app: Flask, *, now: datetime) -> Path | None:
    """Make the day's copy, and note that there is one; nothing for a database that is no file.

    Raises:
        BackupRefused: the database is damaged, or cannot be read, or the copy not be written.
    """
    file = file_of(app)
    if file is None:
        return None
    made = copy(file, why="daily", at=now)
    with app.app_context(), write_tx() as db_session:
        community.note_backup(db_session, now=now)
    return made


def make_if_due(app: Flask, *, now: datetime) -> Path | None:
    """Make the day's copy, unless there is one of today."""
    with app.app_context(), read_tx() as db_session:
        last = community.backup_at(db_session)
    is_due = last is None or abs(now - last) >= EACH  # the clock may jump
    return make(app, now=now) if is_due else None


def forget(app: Flask, *, now: datetime) -> int:
    """Delete the copies that are older than promised; return how many."""
    file = file_of(app)
    copies = list((file.parent / "backups").glob("*-*.sqlite3")) if file else []
    old = [each for each in copies if now.timestamp() - each.stat().st_mtime > KEPT.total_seconds()]
    for each in old:
        each.unlink()
    return len(old)


def verify(file: Path) -> Contents:
    """Look through every page of a copy, and count what is in it.

    Raises:
        BackupRefused: it is damaged, or no database of this site.
    """
    if not file.is_file():
        raise BackupRefused(f"There is no file {file}.")
    with _said(), closing(_open(file)) as connection:
        [(found,), *_] = connection.execute("PRAGMA integrity_check").fetchall()
        if found != "ok":
            raise BackupRefused(f"{file} is damaged: {found}")
        counts = [
            connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0]  # noqa: S608
            for table in ("meeting", "registration", "coordinator")
        ]
    return Contents(*counts)


def restore(settings: Settings, file: Path, *, now: datetime) -> tuple[Path | None, int]:
    """Put a copy in the place of the database, which is itself kept as one more copy.

    Who had their data deleted after the copy was made is deleted again, and what is past its date
    goes. Return the copy of the database that was there, and how many were deleted again.

    Raises:
        BackupRefused: the copy is damaged, or the site is running, or its database is no file.
    """
    from cop import restoring  # noqa: PLC0415 - it needs an app of its own

    live = sqlite_file(settings.database_url)
    if live is None:
        raise BackupRefused("This database is no file. Restore it with its own tools.")
    verify(file)
    kept = None
    if live.is_file() and live.stat().st_size > 0:
        _close(live)
        kept = copy(live, why="before-restore")
    draft = live.with_suffix(".restoring")
    shutil.copyfile(file, draft)
    draft.chmod(0o600)
    try:
        erased = restoring.catch_up(
            replace(settings, database_url=f"sqlite:///{draft}"), before=kept, now=now
        )
        os.replace(draft, live)  # noqa: PTH105 - in one step
    finally:
        draft.unlink(missing_ok=True)
    return kept, erased


def _close(live: Path) -> None:
    """Bring a database into its one file; nobody else may have it open.

    A log left beside it would be taken for that of the copy that comes in its place.
    """
    try:
        with closing(_open(live)) as connection:
            connection.execute("PRAGMA busy_timeout = 500")
            connection.execute("PRAGMA journal_mode = DELETE")
    except sqlite_module.OperationalError as error:
        said = "The site is running. Stop it first, so that nothing that it accepts is lost."
        raise BackupRefused(said) from error


def _open(file: Path) -> sqlite_module.Connection:
    return sqlite_module.connect(file, timeout=10)


@contextmanager
def _said() -> Iterator[None]:
    """Say what SQLite found as a refusal."""
    try:
        yield
    except sqlite_module.Error as error:
        raise BackupRefused(f"The database cannot be copied: {error}") from error
