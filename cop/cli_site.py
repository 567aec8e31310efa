"""How commands open the site: its settings and its app, or one sentence that says why not."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click
from flask import Flask
from sqlalchemy.exc import OperationalError

from cop import create_app
from cop.config import InvalidSettings, Settings
from cop.db.engine import db, unsafe_settings
from cop.errors import Refused
from cop.operations import schema


@contextmanager
def refusals_as_sentences() -> Iterator[None]:
    """Say a refusal as a sentence, not as a traceback."""
    try:
        yield
    except OperationalError as error:
        raise click.ClickException(f"The database cannot be used: {error.orig}") from error
    except (Refused, InvalidSettings, schema.WrongSchema, OSError) as refusal:
        raise click.ClickException(str(refusal)) from refusal  # an OSError names the file


def read_settings(*, create: bool = False) -> Settings:
    """Read the settings; with `create`, make the instance folder and the secret key."""
    with refusals_as_sentences():
        return Settings.from_environment(create=create)


def create_site(settings: Settings) -> Flask:
    """Open the site, made or upgraded where needed: for `serve`, `seed` and `db upgrade`."""
    with refusals_as_sentences():
        app = create_app(settings)
        backup = schema.set_up(app)
    _tell_of_backup(backup)
    _warn_of_losses(app)
    return app


def find_site() -> Flask:
    """Open the site that is there, and make none: for every other command."""
    settings = read_settings()
    with refusals_as_sentences():
        app = create_app(settings)
        schema.require_current(app)
    _warn_of_losses(app)
    return app


def find_site_with_any_key() -> tuple[Flask, str | None]:
    """Open the site that is there; return it with what is wrong with its secret key, if anything.

    For commands that sign no links.
    """
    settings = read_settings()
    with refusals_as_sentences():
        app = create_app(settings)
        schema.require_schema(app)
        return app, schema.key_problem(app)


def upgrade_site_with_any_key() -> Flask:
    """Open the site that is there, upgraded where needed, to accept the key that is there.

    `cop db upgrade` refuses another key, so this cannot ask for it first.
    """
    settings = read_settings()
    with refusals_as_sentences():
        app = create_app(settings)
        schema.require_site(app)
        backup = schema.upgrade(app)
    _tell_of_backup(backup)
    return app


def _tell_of_backup(backup: Path | None) -> None:
    if backup:
        click.echo(f"The database was upgraded; the one from before is kept as {backup}")


def _warn_of_losses(app: Flask) -> None:
    """Say where the database's settings break what we promise."""
    with refusals_as_sentences(), app.app_context():
        off = " and ".join(unsafe_settings(db.engine))
    if off:
        click.echo(
            f"Warning: PostgreSQL runs with {off} off, so a power failure can lose registrations "
            "that were accepted. Turn it on (postgresql.conf, ALTER DATABASE, ALTER ROLE).",
            err=True,
        )
