"""Commands for backups, restoring them, and the secret key."""

from datetime import UTC, datetime
from pathlib import Path

import click
from flask import Flask

from cop import create_app, secret_key
from cop.cli_site import find_site_with_any_key, upgrade_site_with_any_key
from cop.community import community
from cop.db.engine import write_tx
from cop.operations import backup_keys, backups, signing_key
from cop.operations import restore as operations_restore

OLD_LINKS_END = (
    "Links in emails sent before now no longer work. People can ask for a new link on the site. "
    "If you restore an older backup, data that people deleted before now comes back."
)


@click.command()
@click.option("--noted", is_flag=True, help="Only record that you made a backup with other tools.")
@click.option("--with-key", is_flag=True, help="Also write the secret key beside the backup.")
def backup(*, noted: bool, with_key: bool) -> None:
    """Back up the database to the folder `backups` beside it. The site can keep running."""
    app, key_problem = find_site_with_any_key()
    if key_problem:
        click.echo(f"Warning: {key_problem}", err=True)
    now = datetime.now(UTC)
    if noted:
        with app.app_context(), write_tx() as db_session:
            community.note_backup(db_session, now=now)
        click.echo("Recorded.")
        return
    copy = backups.make(app, now=now)
    if copy is None:
        raise click.ClickException(
            "This database is not a file. Back it up with its own tools (pg_dump), then run "
            "`cop backup --noted` to record that."
        )
    click.echo(f"{copy}\n{_describe(backups.verify(copy))}")
    if with_key:
        if key_problem:
            raise click.ClickException("The backup was made, but not with this key.")
        _write_key_beside(copy, app.extensions["cop.settings"].secret_key)


def _write_key_beside(copy: Path, key: str) -> None:
    file = backup_keys.key_beside(copy)
    secret_key.install(file, key)
    click.echo(f"{file}\nAnyone with both files can read everything. Keep them apart or encrypted.")


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--verify", is_flag=True, help="Only check that the backup is intact.")
@click.option(
    "--accept-key",
    is_flag=True,
    help="Restore without the secret key of the backup. Links in emails already sent stop working.",
)
def restore(file: Path, *, verify: bool, accept_key: bool) -> None:
    """Replace the database with the backup FILE. Stop the site first."""
    contents = _describe(backups.verify(file))
    if verify:
        click.echo(f"The backup is intact. {contents}")
        return
    settings = backup_keys.settings_for(file, accept_key=accept_key)
    is_new_key = backup_keys.makes_new_key(file, settings)
    with backup_keys.write_key(settings):
        old_database, erased = operations_restore.restore(
            settings, file, now=datetime.now(UTC), create_app=create_app
        )
    click.echo(f"Restored. {contents}")
    click.echo(
        "Coordinators must sign in again. Check the list of coordinators. Settings, sessions and "
        "registrations are as they were in the backup."
    )
    if erased:
        click.echo(f"People whose data was deleted after the backup, now deleted again: {erased}")
    if old_database:
        click.echo(f"The replaced database is kept for 14 days as {old_database}")
    if accept_key and _accept(create_app(settings), is_new_key=is_new_key):
        click.echo(OLD_LINKS_END)


@click.group("key")
def key_group() -> None:
    """Manage the secret key that signs links."""


@key_group.command("accept")
def accept_key() -> None:
    """Switch to the current key when the old one is lost. Stop the site first."""
    app = upgrade_site_with_any_key()
    click.echo(OLD_LINKS_END if _accept(app) else "The site already uses this key.")


def _accept(app: Flask, *, is_new_key: bool = False) -> bool:
    """Accept the app's secret key; return whether it differs from the one before."""
    with app.app_context(), write_tx() as db_session:
        key = app.extensions["cop.settings"].secret_key
        return signing_key.accept(db_session, key, now=datetime.now(UTC), is_new=is_new_key)


def _describe(row_counts: dict[str, int]) -> str:
    text = "Sessions: {meetings}. Registrations: {registrations}. Coordinators: {coordinators}."
    return text.format(**row_counts)
