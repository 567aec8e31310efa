"""Bringing a database to the schema of this release, and refusing one that does not fit."""

import shutil
from contextlib import closing
from datetime import UTC, datetime, timedelta
from enum import Enum
from pathlib import Path
from secrets import token_hex

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from flask import Flask
from sqlalchemy import Engine

from cop.db import db, sqlite_file, sqlite_module, write_tx
from cop.domain import seed

BACKUPS_KEPT = timedelta(days=14)


class Schema(Enum):
    """How a database's schema stands to this release's."""

    EMPTY = "empty"
    OLDER = "older"
    CURRENT = "current"
    NEWER = "newer"


class SchemaRefused(Exception):  # noqa: N818 - a refusal
    """The database's schema is not one that this release can work with."""


def migrations_folder() -> Path:
    """Where the migrations are: in the installed package, or beside it in a checkout."""
    package = Path(__file__).parent
    inside = package / "migrations"
    return inside if inside.is_dir() else package.parent / "migrations"


def schema_of(engine: Engine, folder: Path | None = None) -> Schema:
    """Compare a database's schema with the newest migration."""
    scripts = ScriptDirectory(str(folder or migrations_folder()))
    with engine.connect() as connection:
        revision = MigrationContext.configure(connection).get_current_revision()
    if revision is None:
        return Schema.EMPTY
    if revision == scripts.get_current_head():
        return Schema.CURRENT
    known = {script.revision for script in scripts.walk_revisions()}
    return Schema.OLDER if revision in known else Schema.NEWER


def upgrade(app: Flask, folder: Path | None = None) -> Path | None:
    """Bring the app's database to the newest schema; return the backup made before, if any.

    All in one transaction: it is done or not begun, also when the process is killed meanwhile.

    Raises:
        SchemaRefused: the database is newer than this release.
    """
    folder = folder or migrations_folder()
    with app.app_context():
        found = schema_of(db.engine, folder)
        if found is Schema.NEWER:
            raise SchemaRefused(
                "The database was made by a newer release of this site. Install that release, or "
                "restore a backup from before."
            )
        if found is Schema.CURRENT:
            return None
        backup = _back_up(app) if found is Schema.OLDER else None
        config = Config()
        config.set_main_option("script_location", str(folder))
        command.upgrade(config, "head")
        return backup


def set_up(app: Flask) -> Path | None:
    """Make the app's database ready: this release's schema, the community, its next meetings.

    Return the backup made before an upgrade, if any.

    Raises:
        SchemaRefused: the database is newer than this release.
    """
    backup = upgrade(app)
    with app.app_context(), write_tx() as db_session:
        seed.begin(db_session, now=datetime.now(UTC))
    return backup


def require_current(app: Flask) -> None:
    """Pass for a database with this release's schema; an empty one is set up.

    Raises:
        SchemaRefused: it has another one.
    """
    with app.app_context():
        found = schema_of(db.engine)
    if found in {Schema.EMPTY, Schema.CURRENT}:
        set_up(app)  # the next dates too, and what a first start that was cut off has left undone
    else:
        raise SchemaRefused(
            "The database does not have this release's schema. Run `cop db upgrade` first."
        )


def forget_backups(app: Flask, *, now: datetime) -> int:
    """Delete the copies made before upgrades that are older than promised; return how many."""
    folder = _backups(app)
    old = [
        backup
        for backup in (folder.glob("before-upgrade-*") if folder else ())
        if now.timestamp() - backup.stat().st_mtime > BACKUPS_KEPT.total_seconds()
    ]
    for backup in old:
        backup.unlink()
    return len(old)


def _backups(app: Flask) -> Path | None:
    file = sqlite_file(app.config["SQLALCHEMY_DATABASE_URI"])
    return file.parent / "backups" if file else None


def _back_up(app: Flask) -> Path | None:
    """Copy an SQLite database with its own online backup; other databases are backed up outside."""
    file, folder = sqlite_file(app.config["SQLALCHEMY_DATABASE_URI"]), _backups(app)
    if file is None or folder is None:
        return None
    folder.mkdir(mode=0o700, exist_ok=True)
    backup = folder / f"before-upgrade-{datetime.now(UTC):%Y%m%dT%H%M%SZ}-{token_hex(4)}.sqlite3"
    draft = backup.with_suffix(".draft")
    draft.touch(mode=0o600)
    with (
        closing(sqlite_module.connect(file)) as source,
        closing(sqlite_module.connect(draft)) as target,
    ):
        source.backup(target)
    shutil.move(draft, backup)
    return backup
