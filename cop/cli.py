"""The `cop` command: serve the site, manage its database and its coordinators."""

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
            "This software runs on Linux and macOS. On Windows, use the Windows Subsystem for "
            "Linux (WSL)."
        )


@cop.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", default=8000, show_default=True, type=click.IntRange(1, 65535))
@click.option("--workers", default=1, show_default=True, type=click.IntRange(1, 64))
def serve(host: str, port: int, workers: int) -> None:
    """Serve the site. The first start creates everything it needs."""
    from cop import server  # noqa: PLC0415 - the other commands do not need a web server

    is_local = host in {"127.0.0.1", "0.0.0.0", "::", "::1"}  # noqa: S104 - this machine's own
    local_base = f"http://{'localhost' if is_local else host}:{port}"
    settings = replace(Settings.from_environment(create=True), local_base=local_base)
    sockets = server.listening_sockets(host, port)
    app = cli_site.create_site(settings)
    with app.app_context(), write_tx() as db_session:
        set_up_token = accounts.new_set_up_link(db_session, now=datetime.now(UTC))
    _print_start_messages(settings, host, set_up_token)
    server.serve(app, sockets, workers=workers)
    with suppress(OSError):  # it may have stopped because its terminal was closed
        os.write(sys.stdout.fileno(), b"Stopped.\n")


def _print_start_messages(settings: Settings, host: str, set_up_token: str | None) -> None:
    links = Links(settings.base)
    if warning := status.proxy_warning(settings):
        click.echo(f"Warning: {warning}", err=True)
    click.echo(f"The site is at {links.page('/')}")
    if set_up_token:
        click.echo(
            "There is no coordinator yet. Create the first account here. The link works once, for "
            f"24 hours, and replaces earlier links:\n  {links.set_up(set_up_token)}"
        )
    if settings.base_url is None and host not in {"127.0.0.1", "localhost", "::1"}:
        click.echo(
            "COP_BASE_URL is not set, so the site answers only at localhost. Set COP_BASE_URL to "
            "the address that people use, like https://cop.example.org."
        )
    sys.stdout.flush()


@cop.command()
def work() -> None:
    """Run only the worker, if another web server serves the site."""
    from cop import server  # noqa: PLC0415 - the other commands do not need a web server

    server.work(cli_site.find_site())


@cop.command("status")
def show_status() -> None:
    """Show how the site is doing. The exit code is 1 if `/readyz` answers 503."""
    app, key_problem = cli_site.find_site_with_any_key()
    with app.app_context():
        is_ready, lines = status.report(app.extensions["cop.settings"], now=datetime.now(UTC))
    if key_problem:
        lines.append(status.Line("Secret key", key_problem, is_warning=True))
    click.echo("\n".join(map(str, lines)))
    sys.exit(0 if is_ready else 1)


@cop.command("seed")
@click.option("--demo", is_flag=True, help="Also add past sessions and 34 made-up people.")
def seed_command(*, demo: bool) -> None:
    """Create the community and its next sessions. Use --demo to add demo data."""
    app = cli_site.create_site(Settings.from_environment(create=True))
    if not demo:
        click.echo("The community and its next sessions are ready.")
        return
    with app.app_context(), write_tx() as db_session:
        is_new = seed.add_demo(db_session, now=datetime.now(UTC))
    click.echo("Added the demo data." if is_new else "The demo data is already there.")


@cop.group("coordinators")
def coordinators_group() -> None:
    """Manage the accounts of coordinators."""


def _password_from_stdin() -> str:
    return sys.stdin.readline().rstrip("\r\n")


# Required, although it has no effect: it documents where the password is read from.
_FROM_STDIN = click.option(
    "--password-stdin",
    is_flag=True,
    required=True,
    help="Read the password from the first line of standard input, so that no one else sees it.",
)


@coordinators_group.command("add")
@click.argument("email")
@click.option("--name", required=True, help="Name of the coordinator.")
@_FROM_STDIN
def add_coordinator(*, email: str, name: str, password_stdin: bool) -> None:  # noqa: ARG001
    """Create an account for EMAIL."""
    app = cli_site.find_site()
    password = _password_from_stdin()
    with app.app_context(), write_tx() as db_session:
        accounts.add(db_session, email, name=name, password=password)
    click.echo(f"{email} can sign in now.")


@coordinators_group.command("password")
@click.argument("email")
@_FROM_STDIN
def change_password(*, email: str, password_stdin: bool) -> None:  # noqa: ARG001
    """Set a new password for EMAIL and sign out all its devices."""
    app = cli_site.find_site()
    password = _password_from_stdin()
    with app.app_context(), write_tx() as db_session:
        accounts.change_password(db_session, email, password=password)
    click.echo(f"Changed the password of {email} and signed out all its devices.")


@coordinators_group.command("two-factor")
@click.argument("email")
@click.option(
    "--off", is_flag=True, required=True, help="Only for people you know who lost their phone."
)
def end_second_factor(*, email: str, off: bool) -> None:  # noqa: ARG001
    """Turn off two-factor sign-in for EMAIL."""
    app = cli_site.find_site()
    with app.app_context(), write_tx() as db_session:
        two_factor.turn_off_without_code(db_session, email)
    click.echo(f"{email} now signs in with the password alone.")


@cop.group("mail")
def mail_group() -> None:
    """Check that emails go out."""


@mail_group.command("test")
@click.argument("address")
def send_test_email(address: str) -> None:
    """Send a test email to ADDRESS now and show the answer of the server."""
    settings: Settings = cli_site.find_site().extensions["cop.settings"]
    transport = transport_for(settings)
    try:
        email = _test_email(address, settings)
        message = build_message(email, sender=settings.sender, reply_to=None)
        reply = transport.send(message, to=address)
    except DeliveryError as error:
        raise click.ClickException(f"Not confirmed by the server: {error.server_reply}") from error
    finally:
        transport.close()
    if settings.smtp:
        click.echo(f"The server at {settings.smtp} accepted the email: {reply}")
    else:
        folder = settings.instance / "outbox"
        click.echo(f"COP_SMTP_URL is not set, so the email was {reply} in {folder}")


def _test_email(address: str, settings: Settings) -> OutboxEmail:
    text = f"This is a test email from {settings.base}. You don't need to do anything."
    return OutboxEmail(
        to_address=address,
        to_name="",
        subject="Test email",
        text=text,
        html=f'<!doctype html><html lang="en"><title>Test email</title><p>{text}</p></html>',
        language="en",
        message_id=token_hex(16),
        created_at=datetime.now(UTC),
    )


@cop.group("clock")
def clock_group() -> None:
    """Manage the check of this machine's clock."""


@clock_group.command("confirm")
def confirm_clock() -> None:
    """Confirm that this machine's clock is right. Expired data is then deleted."""
    app, _ = cli_site.find_site_with_any_key()
    with app.app_context(), write_tx() as db_session:
        was_in_doubt = clock_check.confirm(db_session, coordinator_id=None, now=datetime.now(UTC))
    click.echo(
        "Confirmed. The worker will delete expired data within a minute."
        if was_in_doubt
        else "The clock is as expected. There is nothing to confirm."
    )


@cop.group("db")
def db_group() -> None:
    """Manage the schema of the database."""


@db_group.command("upgrade")
def db_upgrade() -> None:
    """Upgrade the database to this release's schema."""
    cli_site.create_site(Settings.from_environment(create=True))
    click.echo("The database has this release's schema.")


for command in (cli_backup.backup, cli_backup.restore, cli_backup.key_group):
    cop.add_command(command)
