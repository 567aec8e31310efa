"""Open the site for a command, or refuse with one sentence."""

from pathlib import Path

import click
from flask import Flask
from sqlalchemy.exc import OperationalError

from cop import create_app
from cop.config import InvalidSettings, Settings
from cop.db.engine import db, unsafe_settings
from cop.errors import Refused
from cop.operations import schema


class SiteGroup(click.Group):
    """A group of commands that shows expected errors without a traceback."""

    def invoke(self, ctx: click.Context) -> object:
        """Run a command.

        Raises:
            ClickException: the command was refused.
        """
        try:
            return super().invoke(ctx)
        except BrokenPipeError:  # click exits without a message, as for `cop status | head -1`
            raise
        except OperationalError as error:
            raise click.ClickException(f"Cannot use the database: {error.orig}") from error
        except (Refused, InvalidSettings, schema.WrongSchema, OSError) as refusal:
            raise click.ClickException(str(refusal)) from refusal  # an OSError names the file


def create_site(settings: Settings) -> Flask:
    """Open the site; create or upgrade it if needed.

    For `serve`, `seed` and `db upgrade`.
    """
    app = create_app(settings)
    _report_backup(schema.set_up(app))
    _warn_of_unsafe_settings(app)
    return app


def find_site() -> Flask:
    """Open the existing site, without creating or upgrading it. For most commands."""
    app = create_app(Settings.from_environment())
    schema.require_current(app)
    _warn_of_unsafe_settings(app)
    return app


def find_site_with_any_key() -> tuple[Flask, str | None]:
    """Open the existing site even if its secret key is wrong.

    Return it with a sentence about what is wrong with the key, if anything.

    For commands that sign no links, and so work with any key.
    """
    app = create_app(Settings.from_environment())
    schema.require_schema(app)
    return app, schema.key_problem(app)


def upgrade_site_with_any_key() -> Flask:
    """Open the existing site, upgraded if needed, to accept its current secret key.

    It has to be upgraded here: `cop db upgrade` refuses to run with a key that is not accepted.
    """
    app = create_app(Settings.from_environment())
    schema.require_site(app)
    _report_backup(schema.upgrade(app))
    return app


def _report_backup(backup: Path | None) -> None:
    if backup:
        click.echo(f"Upgraded the database. The old one is kept as {backup}")


def _warn_of_unsafe_settings(app: Flask) -> None:
    """Warn if PostgreSQL's settings can lose confirmed data."""
    with app.app_context():
        off = " and ".join(unsafe_settings(db.engine))
    if off:
        click.echo(
            f"Warning: PostgreSQL runs with {off} off, so a power failure can lose accepted "
            f"registrations. Turn on {off} (postgresql.conf, ALTER DATABASE or ALTER ROLE).",
            err=True,
        )
