"""Upgrade a database to this release's schema; refuse one that does not fit."""

from datetime import UTC, datetime
from pathlib import Path
from typing import cast

from alembic import command
from alembic.config import Config
from flask import Flask
from sqlalchemy import Engine, inspect

from cop.config import Settings
from cop.db import migrations
from cop.db.engine import create_file, db, read_tx, write_tx
from cop.db.migrations import Schema
from cop.operations import backups, seed, signing_key
from cop.private_files import has_content


class WrongSchema(Exception):  # noqa: N818 - a refusal, not an error
    """This release, or this secret key, cannot work with the database."""


NEWER = (
    "The database belongs to a newer release of this site. Install that release, or restore an "
    "older backup."
)


def upgrade(app: Flask, folder: Path | None = None, *, requires_key: bool = False) -> Path | None:
    """Upgrade the database to the newest schema; return the backup made before that.

    It is one transaction, so a killed process leaves nothing half done. With `requires_key`, a
    database that has another secret key is not upgraded: the site may be running.

    Raises:
        WrongSchema: the database is newer than this release, or belongs to another secret key.
    """
    folder = folder or migrations.migrations_folder()
    with app.app_context():
        create_file(db.engine)
        state = migrations.schema_state(db.engine, folder)
        if state is Schema.NEWER:
            raise WrongSchema(NEWER)
        if state is Schema.CURRENT:
            return None
        if requires_key and _has_fingerprint(db.engine) and (problem := key_problem(app)):
            raise WrongSchema(problem)
        file = backups.file_of(app)
        backup = None
        if file and state is Schema.OLDER:
            backup = backups.copy_once(file, why="before-upgrade")
        config = Config()
        config.set_main_option("script_location", str(folder))
        command.upgrade(config, "head")
        return backup


def _has_fingerprint(engine: Engine) -> bool:
    """Whether the schema, maybe an older one, has a column for the key's fingerprint."""
    inspector = inspect(engine)
    return inspector.has_table("community") and "key_fingerprint" in {
        column["name"] for column in inspector.get_columns("community")
    }


def set_up(app: Flask) -> Path | None:
    """Upgrade the schema; create the community and its next meetings if missing.

    Return the backup made before an upgrade, if any.

    Raises:
        WrongSchema: the database is newer than this release, or belongs to another secret key.
    """
    backup = upgrade(app, requires_key=True)
    _create_site(app)
    return backup


def require_current(app: Flask) -> None:
    """Require a site with this release's schema and this secret key.

    Raises:
        WrongSchema: there is no site, or it has another schema or another key.
    """
    require_schema(app)
    _create_site(app)  # also plans the next dates, and completes an interrupted first start


def require_schema(app: Flask) -> None:
    """Require a site with this release's schema.

    Raises:
        WrongSchema: there is no site, or it has another schema.
    """
    if require_site(app) is Schema.OLDER:
        raise WrongSchema("The database belongs to an older release. Run `cop db upgrade` first.")


def require_site(app: Flask) -> Schema:
    """Require a site with this release's schema or an older one; return which.

    Raises:
        WrongSchema: there is no site, or it has a newer schema.
    """
    with app.app_context():
        file = backups.file_of(app)
        # Do not connect to a missing SQLite file: that would create it.
        may_connect = file is None or has_content(file)
        state = migrations.schema_state(db.engine) if may_connect else Schema.EMPTY
    if state is Schema.EMPTY:
        raise WrongSchema(_no_site(app))
    if state is Schema.NEWER:
        raise WrongSchema(NEWER)
    return state


def key_problem(app: Flask) -> str | None:
    """Describe the problem if the site's links are signed with another secret key."""
    settings = settings_of(app)
    with app.app_context(), read_tx() as db_session:
        is_known = signing_key.is_known(db_session, settings.secret_key)
    return None if is_known else _other_key(settings)


def _create_site(app: Flask) -> None:
    settings = settings_of(app)
    with app.app_context(), write_tx() as db_session:
        seed.create_site(db_session, now=datetime.now(UTC))
        if not signing_key.store_fingerprint(db_session, settings.secret_key):
            raise WrongSchema(_other_key(settings))


def _no_site(app: Flask) -> str:
    with app.app_context():
        url = db.engine.url
    folder = settings_of(app).instance
    file = backups.file_of(app)
    if file and file.parent == folder:
        return f"No site in {folder}. Run `cop serve` to create it, or set COP_INSTANCE."
    where = file or f"{url.host or 'localhost'}/{url.database}"
    return (
        f"No site in the database {where}. Run `cop serve` to create it, or set COP_DATABASE_URL."
    )


def _other_key(settings: Settings) -> str:
    return (
        "This is not the secret key that signed the links of this site. Put the old key back "
        f"({settings.key_source}), or run `cop key accept` to use this one. Links in emails "
        "already sent then stop working."
    )


def settings_of(app: Flask) -> Settings:
    """The settings that an app was made with."""
    return cast("Settings", app.extensions["cop.settings"])
