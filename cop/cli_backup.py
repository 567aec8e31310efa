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
    "Links in emails sent before now no longer work; whoever needs a new one gets it by "
    '"Lost your link?". Erasures before now are not repeated by restoring an older copy.'
)


@click.command()
@click.option("--noted", is_flag=True, help="A backup was made by other means: only note it.")
@click.option("--with-key", is_flag=True, help="Also write the secret key beside the copy.")
def backup(*, noted: bool, with_key: bool) -> None:
    """Copy the database, while the site runs, to the folder `backups` beside it."""
    app, problem = find_site_with_any_key()
    if problem:
        click.echo(f"Warning: {problem}", err=True)
    now = datetime.now(UTC)
    if noted:
        with app.app_context(), write_tx() as db_session:
            community.note_backup(db_session, now=now)
        click.echo("Noted.")
        return
    made = backups.make(app, now=now)
    if made is None:
        raise click.ClickException(
            "This database is no file. Back it up with its own tools (pg_dump), then run "
            "`cop backup --noted`, so that the console knows."
        )
    click.echo(f"{made}\n{_describe(backups.verify(made))}")
    if with_key:
        if problem:
            raise click.ClickException("The copy was made without the key: it is another's.")
        _write_key_beside(made, app.extensions["cop.settings"].secret_key)


def _write_key_beside(made: Path, key: str) -> None:
    file = backup_keys.key_beside(made)
    secret_key.install(file, key)
    click.echo(f"{file}\nWith both, anybody can read everything. Keep them apart, or encrypt them.")


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--verify", is_flag=True, help="Only look whether the copy is sound.")
@click.option(
    "--accept-key",
    is_flag=True,
    help="Go on without the copy's own secret key: links in emails sent before stop working.",
)
def restore(file: Path, *, verify: bool, accept_key: bool) -> None:
    """Put the copy FILE in the place of the database. Stop the site before."""
    found = _describe(backups.verify(file))
    if verify:
        click.echo(f"The copy is sound. {found}")
        return
    settings = backup_keys.settings_for(file, accept_key=accept_key)
    is_new = backup_keys.makes_new_key(file, settings)
    with backup_keys.write_key(settings):
        replaced, erased = operations_restore.restore(
            settings, file, now=datetime.now(UTC), create_app=create_app
        )
    click.echo(f"Restored. {found}")
    click.echo(
        "Coordinators sign in again; look through their list. Settings, sessions and places are as "
        "they were in the copy."
    )
    if erased:
        click.echo(f"People whose data had been deleted since, deleted again: {erased}")
    if replaced:
        click.echo(f"The database from before is kept for 14 days as {replaced}")
    if accept_key and _accept(create_app(settings), is_new=is_new):
        click.echo(OLD_LINKS_END)


@click.group("key")
def key_group() -> None:
    """Look after the secret key that links are signed with."""


@key_group.command("accept")
def accept_key() -> None:
    """Go on with the key that is there, when the old one is lost. Stop the site before."""
    app = upgrade_site_with_any_key()
    click.echo(OLD_LINKS_END if _accept(app) else "This is the site's key already.")


def _accept(app: Flask, *, is_new: bool = False) -> bool:
    """Accept the app's key; return whether it is another than before."""
    with app.app_context(), write_tx() as db_session:
        key = app.extensions["cop.settings"].secret_key
        return signing_key.accept(db_session, key, now=datetime.now(UTC), is_new=is_new)


def _describe(contents: dict[str, int]) -> str:
    counts = ", ".join(f"{number} {name}" for name, number in contents.items())
    return f"It holds {counts}."
