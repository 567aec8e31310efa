"""The `cop` command: serve the site, look after its database, make coordinators."""

import os
import sys
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from secrets import token_hex

import click

from cop import cli_backup, cli_site
from cop.accounts import accounts, two_factor
from cop.audit import clock_check
from cop.config import Settings
from cop.db.engine import write_tx
from cop.links import Links
from cop.mail.errors import DeliveryError
from cop.mail.message import build_message
from cop.mail.transport import transport_for
from cop.models.email import OutboxEmail
from cop.operations import seed, status


@click.group(cls=cli_site.SiteGroup, context_settings={"help_option_names": ["-h", "--help"]})
def cop() -> None:
    """Run the registration site of a community of practice."""
    if sys.platform == "win32":
        raise click.ClickException(
            "This software runs on Linux and macOS. On Windows, run it in the Windows Subsystem "
            "for Linux (WSL)."
        )


@cop.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen at.")
@click.option("--port", default=8000, show_default=True, type=click.IntRange(1, 65535))
@click.option("--workers", default=1, show_default=True, type=click.IntRange(1, 64))
def serve(host: str, port: int, workers: int) -> None:
    """Serve the site. The first start makes everything it needs."""
    from cop import server  # noqa: PLC0415 - the other commands do not need a web server

    shown = "localhost" if host in {"127.0.0.1", "0.0.0.0", "::", "::1"} else host  # noqa: S104
    settings = replace(Settings.from_environment(create=True), local_base=f"http://{shown}:{port}")
    listening = server.listening_sockets(host, port)
    app = cli_site.create_site(settings)
    with app.app_context(), write_tx() as db_session:
        token = accounts.new_set_up_link(db_session, now=datetime.now(UTC))
    _greet(settings, host, token)
    server.serve(app, listening, workers=workers)
    with suppress(OSError):  # the terminal may have been closed, which is why it stopped
        os.write(sys.stdout.fileno(), b"Stopped.\n")


def _greet(settings: Settings, host: str, set_up_token: str | None) -> None:
    links = Links(settings.base)
    if warning := status.proxy_warning(settings):
        click.echo(f"Warning: {warning}", err=True)
    click.echo(f"The site is at {links.page('/')}")
    if set_up_token:
        click.echo(
            "There is no coordinator yet. Make the first account here (once, within 24 hours; "
            f"earlier links no longer work):\n  {links.set_up(set_up_token)}"
        )
    if settings.base_url is None and host not in {"127.0.0.1", "localhost", "::1"}:
        click.echo(
            "COP_BASE_URL is not set, so the site answers only to the names of this machine itself "
            "(localhost). Set it to the address that people use, like https://cop.example.org."
        )
    sys.stdout.flush()


@cop.command()
def work() -> None:
    """Run the worker alone, for sites whose web server is not `cop serve`."""
    from cop import server  # noqa: PLC0415 - the other commands do not need a web server

    server.work(cli_site.find_site())


@cop.command("status")
def show_status() -> None:
    """Say how the site is doing; the exit code is 1 where `/readyz` says 503."""
    app, key_problem = cli_site.find_site_with_any_key()
    with app.app_context():
        is_ready, lines = status.report(app.extensions["cop.settings"], now=datetime.now(UTC))
    if key_problem:
        lines.append(status.Line("Secret key", key_problem, is_warning=True))
    click.echo("\n".join(map(str, lines)))
    sys.exit(0 if is_ready else 1)


@cop.command("seed")
@click.option("--demo", is_flag=True, help="Also add past sessions and 34 invented people.")
def seed_command(*, demo: bool) -> None:
    """Make the community and its next sessions, and invented life for trying it out."""
    app = cli_site.create_site(Settings.from_environment(create=True))
    if not demo:
        click.echo("The community and its next sessions are there.")
        return
    with app.app_context(), write_tx() as db_session:
        is_new = seed.add_demo(db_session, now=datetime.now(UTC))
    click.echo("Added." if is_new else "The demonstration data is there already.")


@cop.group("coordinators")
def coordinators_group() -> None:
    """Make accounts for the console."""


def _password_from_stdin() -> str:
    return sys.stdin.readline().rstrip("\r\n")


_FROM_STDIN = click.option(
    "--password-stdin",
    is_flag=True,
    required=True,
    help="Read the password from the first line of standard input, so that no one else sees it.",
)


@coordinators_group.command("add")
@click.argument("email")
@click.option("--name", required=True)
@_FROM_STDIN
def add_coordinator(*, email: str, name: str, password_stdin: bool) -> None:  # noqa: ARG001
    """Make an account for EMAIL."""
    app = cli_site.find_site()
    password = _password_from_stdin()
    with app.app_context(), write_tx() as db_session:
        accounts.add(db_session, email, name=name, password=password)
    click.echo(f"{email} can sign in now.")


@coordinators_group.command("password")
@click.argument("email")
@_FROM_STDIN
def change_password(*, email: str, password_stdin: bool) -> None:  # noqa: ARG001
    """Give EMAIL a new password, and sign out all its devices."""
    app = cli_site.find_site()
    password = _password_from_stdin()
    with app.app_context(), write_tx() as db_session:
        accounts.change_password(db_session, email, password=password)
    click.echo(f"{email} has a new password; every device is signed out.")


@coordinators_group.command("two-factor")
@click.argument("email")
@click.option(
    "--off", is_flag=True, required=True, help="For whom you know, and whose phone is gone."
)
def end_second_factor(*, email: str, off: bool) -> None:  # noqa: ARG001
    """Turn two-factor sign-in off for EMAIL."""
    app = cli_site.find_site()
    with app.app_context(), write_tx() as db_session:
        two_factor.turn_off_without_code(db_session, email)
    click.echo(f"{email} signs in with the password alone from now on.")


@cop.group("mail")
def mail_group() -> None:
    """Look after the mail that goes out."""


@mail_group.command("test")
@click.argument("address")
def try_mail(address: str) -> None:
    """Send a small mail to ADDRESS at once, and say what became of it."""
    settings: Settings = cli_site.find_site().extensions["cop.settings"]
    transport = transport_for(settings)
    try:
        trial = build_message(_trial(address, settings), sender=settings.sender, reply_to=None)
        answer = transport.send(trial, to=address)
    except DeliveryError as ending:
        raise click.ClickException(f"The mail was not confirmed. {ending.server_reply}") from ending
    finally:
        transport.close()
    if settings.smtp:
        click.echo(f"The server at {settings.smtp} took it: {answer}")
    else:
        folder = settings.instance / "outbox"
        click.echo(f"COP_SMTP_URL is not set, so the mail was {answer} in {folder}")


def _trial(address: str, settings: Settings) -> OutboxEmail:
    text = f"This mail tells that mail from {settings.base} arrives. There is nothing to do."
    return OutboxEmail(
        to_address=address,
        to_name="",
        subject="Mail arrives",
        text=text,
        html=f'<!doctype html><html lang="en"><title>Mail arrives</title><p>{text}</p></html>',
        language="en",
        message_id=token_hex(16),
        created_at=datetime.now(UTC),
    )


@cop.group("clock")
def clock_group() -> None:
    """Look after the clock that deleting goes by."""


@clock_group.command("confirm")
def confirm_clock() -> None:
    """Say that this machine's clock is right, so that what is past its date may be deleted."""
    app, _ = cli_site.find_site_with_any_key()
    with app.app_context(), write_tx() as db_session:
        was_in_doubt = clock_check.confirm(db_session, coordinator_id=None, now=datetime.now(UTC))
    click.echo(
        "Confirmed. The worker deletes what is past its date within a minute."
        if was_in_doubt
        else "The clock is as expected. There is nothing to confirm."
    )


@cop.group("db")
def db_group() -> None:
    """Look after the database's schema."""


@db_group.command("upgrade")
def db_upgrade() -> None:
    """Bring the database to this release's schema."""
    cli_site.create_site(Settings.from_environment(create=True))
    click.echo("The database has this release's schema.")


for command in (cli_backup.backup, cli_backup.restore, cli_backup.key_group):
    cop.add_command(command)
