"""The `cop` command and `wsgi.py`: what they do, and how they refuse."""

import shutil
import socket
from uuid import uuid4

import psycopg
import pytest

from cop import cli
from cop.cli import cop
from cop.config import Settings
from cop.operations import schema
from tests import databases, smtp_server
from tests.builders import PASSWORD
from tests.commands import (
    PROJECT,
    add_coordinator,
    assert_refused,
    execute,
    import_wsgi,
    rows,
    run,
    run_process,
)
from tests.db.test_migrations import next_release
from tests.smtp_server import MailServer

ADD_CORIN = (
    "INSERT INTO coordinator (email, email_key, name, password_hash, may_export, recovery_hashes)"
    " VALUES ('corin@example.org', 'corin@example.org', 'Corin', 'x', 1, '[]')"
)
HASHES = "SELECT password_hash FROM coordinator"
FROM_THE_FUTURE = "UPDATE alembic_version SET version_num = 'from-the-future'"
OTHERS = [
    ("work",),
    ("backup",),
    ("backup", "--noted"),
    ("coordinators", "add", "corin@example.org", "--name", "Corin", "--password-stdin"),
    ("coordinators", "password", "corin@example.org", "--password-stdin"),
    ("coordinators", "two-factor", "corin@example.org", "--off"),
    ("mail", "test", "ada@example.org"),
    ("key", "accept"),
    ("status",),
    ("clock", "confirm"),
]  # all commands that need a site and do not make one
MAKERS = [("serve",), ("seed",), ("db", "upgrade")]


def not_refused(commands, *, says, **environ):
    """The commands that are not refused with a sentence."""
    results = {words: run(*words, typed=f"{PASSWORD}\n", **environ) for words in commands}
    return [words for words, result in results.items() if not assert_refused(result, says=says)]


def test_seed_makes_the_community_in_files_that_nobody_else_may_read(instance):
    first, second = run("seed"), run("seed")

    assert (first.exit_code, second.exit_code) == (0, 0)
    assert first.output == second.output == "The community and its next sessions are ready.\n"
    assert rows(instance, "SELECT count(*) FROM meeting") == [(6,)]
    assert rows(instance, "SELECT count(*) FROM member") == [(0,)]
    modes = {file.name: oct(file.stat().st_mode & 0o777) for file in instance.iterdir()}
    assert set(modes.values()) == {"0o600"}, modes


def test_seed_demo_adds_people_once(site_folder):
    first, second = run("seed", "--demo"), run("seed", "--demo")

    assert first.output == "Added the demo data.\n"
    assert second.output == "The demo data is already there.\n"
    assert rows(site_folder, "SELECT count(*) FROM member") == [(34,)]


def test_a_password_comes_from_standard_input_and_is_never_printed(site_folder):
    without = run("coordinators", "add", "corin@example.org", "--name", "Corin")
    added, again = add_coordinator(), add_coordinator("Corin@Example.org")
    refused = add_coordinator("ada@example.org", "passwordpassword")

    assert (without.exit_code, "--password-stdin" in without.output) == (2, True)
    assert (added.exit_code, added.output) == (0, "corin@example.org can sign in now.\n")
    assert assert_refused(again, says="This email already has an account.")
    assert assert_refused(refused, says="too easy to guess")
    assert "passwordpassword" not in refused.output
    assert rows(site_folder, "SELECT email, name FROM coordinator") == [
        ("corin@example.org", "Corin")
    ]


def test_two_factor_sign_in_can_be_turned_off_for_who_has_lost_the_phone(site_folder):
    execute(site_folder, ADD_CORIN)
    execute(site_folder, "UPDATE coordinator SET totp_secret = 'X', totp_step = 1")
    words = ("coordinators", "two-factor", "corin@example.org")

    without = run(*words)
    unknown = run(*words[:2], "mallory@example.org", "--off")
    done = run(*words, "--off")

    assert without.exit_code == 2
    assert assert_refused(unknown, says="No coordinator has this email.")
    assert done.output == "corin@example.org now signs in with the password alone.\n"
    assert rows(site_folder, "SELECT totp_secret, totp_step FROM coordinator") == [(None, None)]


def test_a_forgotten_password_is_replaced(site_folder):
    execute(site_folder, ADD_CORIN)

    def change(email, password):
        words = ("coordinators", "password", email, "--password-stdin")
        return run(*words, typed=f"{password}\r\n")

    unknown, short = change("ada@example.org", PASSWORD), change("corin@example.org", "too short")
    unchanged = rows(site_folder, HASHES)
    changed = change("corin@example.org", "five gray owls read maps")

    assert assert_refused(unknown, says="No coordinator has this email.")
    assert assert_refused(short, says="needs 15 to 128 characters")
    assert unchanged == [("x",)]
    assert (
        "Changed the password of corin@example.org and signed out all its devices."
        in changed.output
    )
    assert rows(site_folder, HASHES) != unchanged


def test_bad_settings_are_all_named_in_sentences(instance):
    bad = {"COP_BASE_URL": "cop.example.org", "COP_TRUSTED_PROXIES": "one"}

    for name in bad:
        assert not_refused([*OTHERS, *MAKERS], says=f"{name}: ", **bad) == []
    assert not instance.exists()


def test_the_database_is_created_also_where_the_secret_comes_from_elsewhere(instance):
    first, second = (run("db", "upgrade", COP_SECRET_KEY="k" * 40) for _ in range(2))

    assert first.output == second.output == "The database has this release's schema.\n"
    assert instance.stat().st_mode & 0o777 == 0o700


def test_a_trial_email_says_what_the_server_answered(site_folder):
    with MailServer() as server:
        result = run("mail", "test", "ada@example.org", COP_SMTP_URL=server.url)

    assert (result.exit_code, result.output) == (
        0,
        f"The server at 127.0.0.1:{server.port} accepted the email: 250 2.0.0 OK queued\n",
    )
    assert server.recipients == ["ada@example.org"]
    assert server.mails[0].sender == "no-reply@localhost"


def test_a_trial_email_without_a_server_says_in_which_file_it_is(site_folder):
    result = run("mail", "test", "ada@example.org")

    [file] = (site_folder / "outbox").iterdir()
    where = f"written to {file.name} in {site_folder / 'outbox'}"
    assert result.exit_code == 0
    assert result.output == f"COP_SMTP_URL is not set, so the email was {where}\n"


def test_a_trial_email_that_is_not_taken_ends_with_the_servers_answer(site_folder):
    with MailServer(lambda _number: smtp_server.NO_SUCH_USER) as server:
        refused = run("mail", "test", "ada@example.org", COP_SMTP_URL=server.url)
        invalid = run("mail", "test", "ada", COP_SMTP_URL=server.url)

    assert assert_refused(refused, says="550 5.1.1 No such user here")
    assert refused.output.startswith("Error: Not confirmed by the server: ")
    assert assert_refused(invalid, says="not a valid email address.")


def test_a_trial_email_says_what_is_wrong_with_the_settings(site_folder):
    with MailServer(login=("cop", "another")) as server:
        url = f"smtp://cop:hunter2@127.0.0.1:{server.port}"
        result = run("mail", "test", "ada@example.org", COP_SMTP_URL=url)

    assert assert_refused(result, says="refused the sign-in: 535 5.7.8 ")
    assert "hunter2" not in result.output
    assert server.mails == []


@pytest.mark.processes
@pytest.mark.postgresql
def test_a_postgresql_that_can_lose_what_was_accepted_is_named_at_each_start(instance, tmp_path):
    url = databases.new_database("postgresql", tmp_path)
    name = url.rpartition("/")[2]
    sound = run_process("seed", COP_DATABASE_URL=url).stderr
    databases.run_on_server(f"ALTER DATABASE {name} SET synchronous_commit = off")

    risky = run_process("seed", COP_DATABASE_URL=url).stderr

    databases.drop(url)
    assert "Warning" not in sound
    assert "Warning: PostgreSQL runs with synchronous_commit off" in risky


def test_every_command_is_known_to_need_a_site_or_to_make_one():
    groups = {
        name: command for name, command in cop.commands.items() if hasattr(command, "commands")
    }
    commands = {(name,) for name in cop.commands.keys() - groups}
    commands |= {(name, below) for name, group in groups.items() for below in group.commands}

    words = [*OTHERS, *MAKERS, ("restore",)]
    assert {each[:2] if each[0] in groups else each[:1] for each in words} == commands


@pytest.mark.parametrize("environ", [{}, {"COP_SECRET_KEY": "k" * 40}], ids=["", "given key"])
def test_a_command_that_finds_no_site_says_where_and_makes_none(instance, environ):
    says = f"No site in {instance}. Run `cop serve` to create it, or set"

    assert not_refused(OTHERS, says=says, **environ) == []
    assert not instance.exists()


def test_a_first_start_that_was_cut_off_early_is_no_site(site_folder):
    (site_folder / "cop.sqlite3").write_bytes(b"")
    for log in site_folder.glob("cop.sqlite3-*"):
        log.unlink()

    assert not_refused([("work",)], says=f"No site in {site_folder}.") == []
    assert [file.name for file in site_folder.iterdir() if file.stat().st_size] == ["secret-key"]


@pytest.mark.processes
@pytest.mark.postgresql
def test_a_postgresql_without_a_site_is_named_and_left_as_it_is(instance):
    databases.need_postgresql()
    name = f"cop_test_{uuid4().hex}"
    databases.run_on_server(f"CREATE DATABASE {name}")
    url = f"{databases.SERVER}/{name}"

    ended = run_process("work", COP_DATABASE_URL=url, COP_SECRET_KEY="k" * 40)

    with psycopg.connect(url) as connection:
        tables = connection.execute("SELECT 1 FROM pg_tables WHERE schemaname = 'public'")
        left = tables.fetchall()
    databases.drop(url)
    assert ended.returncode == 1
    assert ended.stderr.startswith(f"Error: No site in the database 127.0.0.1/{name}. Run `cop")
    assert left == []
    assert not instance.exists()


def test_a_newer_schema_is_refused_with_the_same_sentence_by_every_command(site_folder):
    execute(site_folder, FROM_THE_FUTURE)

    assert not_refused([*OTHERS, ("seed",), ("db", "upgrade")], says=schema.NEWER) == []


@pytest.mark.processes
def test_wsgi_refuses_a_newer_schema_with_the_same_sentence(site_folder):
    execute(site_folder, FROM_THE_FUTURE)

    ended = import_wsgi(PROJECT)

    assert (ended.returncode, schema.NEWER in ended.stderr) == (1, True)


def test_an_older_schema_is_upgraded_by_no_other_command(site_folder):
    execute(site_folder, "UPDATE alembic_version SET version_num = '0001'")
    others = [words for words in OTHERS if words != ("key", "accept")]

    assert not_refused(others, says="Run `cop db upgrade` first.") == []
    assert rows(site_folder, "SELECT version_num FROM alembic_version") == [("0001",)]


def test_a_port_in_use_is_refused_with_a_sentence(instance):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        result = run("serve", "--port", str(taken.getsockname()[1]))

    assert assert_refused(result, says="Is the site already running?")
    assert not (instance / "cop.sqlite3").exists()


def test_windows_is_refused_with_a_sentence_on_what_to_use_there(instance, monkeypatch):
    monkeypatch.setattr("sys.platform", "win32")

    result = run("seed")

    assert assert_refused(result, says="Windows Subsystem for Linux")
    assert not instance.exists()


@pytest.mark.processes
def test_the_command_runs_as_a_process_and_ends_with_its_refusal(instance):
    ended = run_process("seed", COP_POSTS_PER_HOUR="many")

    assert (ended.returncode, ended.stdout) == (1, "")
    assert ended.stderr == (
        "Error: COP_POSTS_PER_HOUR: use a whole number, 0 or more, not 'many'.\n"
    )


def a_release(tmp_path):
    """A copy of the project with one more migration: the release after this one."""
    folder = next_release(tmp_path / "next").parent
    shutil.copytree(PROJECT / "cop", folder / "cop")
    shutil.copy(PROJECT / "wsgi.py", folder)
    return folder


@pytest.mark.processes
def test_wsgi_serves_a_site(site_folder):
    ended = import_wsgi(PROJECT)

    assert (ended.returncode, ended.stdout.strip()) == (0, "200"), ended.stderr


@pytest.mark.processes
def test_wsgi_that_finds_no_site_says_where_and_makes_none(instance):
    ended = import_wsgi(PROJECT)

    assert ended.returncode == 1
    assert (
        f"No site in {instance}. Run `cop serve` to create it, or set COP_INSTANCE" in ended.stderr
    )
    assert not instance.exists()


@pytest.mark.processes
def test_wsgi_and_the_commands_look_in_the_same_folder(site_folder, tmp_path, monkeypatch):
    monkeypatch.delenv("COP_INSTANCE")
    monkeypatch.chdir(tmp_path)  # where the site_folder's folder is called `instance`

    served = import_wsgi(PROJECT, cwd=tmp_path)
    command = run("backup", "--noted")

    assert (served.returncode, served.stdout.strip()) == (0, "200"), served.stderr
    assert command.exit_code == 0, command.output


@pytest.mark.processes
def test_wsgi_refuses_an_older_schema_and_leaves_it_as_it_is(instance, tmp_path):
    run("seed")
    before = rows(instance, "SELECT version_num FROM alembic_version")

    ended = import_wsgi(a_release(tmp_path))

    assert ended.returncode == 1
    assert "Run `cop db upgrade` first." in ended.stderr
    assert rows(instance, "SELECT version_num FROM alembic_version") == before


@pytest.mark.processes
def test_wsgi_sets_up_a_database_whose_first_start_was_cut_off(instance):
    run("seed")
    for table in ("meeting", "community"):  # as after the migrations, before the first commit
        execute(instance, f"DELETE FROM {table}")

    ended = import_wsgi(PROJECT)

    assert (ended.returncode, ended.stdout.strip()) == (0, "200"), ended.stderr


@pytest.mark.processes
@pytest.mark.parametrize(("trusted", "warnings"), [("0", 1), ("1", 0)])
def test_a_start_warns_of_a_proxy_that_nobody_mentioned(
    instance, monkeypatch, capsys, trusted, warnings
):
    monkeypatch.setenv("COP_BASE_URL", "https://cop.example.org")
    monkeypatch.setenv("COP_TRUSTED_PROXIES", trusted)
    run("seed")

    by_wsgi = import_wsgi(PROJECT).stderr
    cli._print_start_messages(Settings.from_environment(), "127.0.0.1", None)
    by_serve = capsys.readouterr().err

    assert [said.count("Set COP_TRUSTED_PROXIES to") for said in (by_serve, by_wsgi)] == [
        warnings
    ] * 2
