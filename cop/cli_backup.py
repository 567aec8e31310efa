"""The commands for what has to outlive a disk: backups, restoring them, and the secret key."""

from datetime import UTC, datetime
from pathlib import Path

import click
from flask import Flask

from cop import backups
from cop.cli_site import find_site_with_any_key, read_settings, refusals_as_sentences
from cop.db import write_tx
from cop.domain import community, signing_key

LINKS_END = (
    "Links in emails sent before now no longer work; whoever needs a new one gets it by "
    '"Lost your link?". Erasures before now are not repeated by restoring an older copy.'
)


@click.command()
@click.option("--noted", is_flag=True, help="A backup was made by other means: only note it.")
def backup(*, noted: bool) -> None:
    """Copy the database, while the site runs, to the folder `backups` beside it."""
    app, problem = find_site_with_any_key()
    if problem:
        click.echo(f"Warning: {problem}", err=True)
    with refusals_as_sentences():
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
        click.echo(f"{made}\n{_contents(backups.verify(made))}")


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--verify", is_flag=True, help="Only look whether the copy is sound.")
def restore(file: Path, *, verify: bool) -> None:
    """Put the copy FILE in the place of the database. Stop the site before."""
    with refusals_as_sentences():
        found = _contents(backups.verify(file))
        if verify:
            click.echo(f"The copy is sound. {found}")
            return
        settings = read_settings(create=True)
        kept, erased = backups.restore(settings, file, now=datetime.now(UTC))
    click.echo(f"Restored. {found}")
    click.echo(
        "Coordinators sign in again; look through their list. Settings, sessions and places are as "
        "they were in the copy."
    )
    if erased:
        click.echo(f"People whose data had been deleted since, deleted again: {erased}")
    if kept:
        click.echo(f"The database from before is kept for 14 days as {kept}")


@click.group("key")
def key_group() -> None:
    """Look after the secret key that links are signed with."""


@key_group.command("accept")
def accept_key() -> None:
    """Go on with the key that is there, when the old one is lost. Stop the site before."""
    app, _ = find_site_with_any_key()
    with refusals_as_sentences():
        is_changed = _accept(app)
    click.echo(LINKS_END if is_changed else "This is the site's key already.")


def _accept(app: Flask) -> bool:
    """Accept the app's key; return whether it is another than before."""
    with app.app_context(), write_tx() as db_session:
        key = app.extensions["cop.settings"].secret_key
        return signing_key.accept(db_session, key, now=datetime.now(UTC))


def _contents(found: backups.Contents) -> str:
    counts = vars(found).items()
    return "It holds " + ", ".join(f"{number} {what}" for what, number in counts) + "."
