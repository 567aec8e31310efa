"""Another secret key than the site's: on a second host, after a lost disk, with a restored copy."""

import shutil
import subprocess
from contextlib import closing

import pytest

from cop.db import sqlite_module
from tests import databases
from tests.processes.server import COP, environment
from tests.test_cli import (  # noqa: F401 - fixtures
    PROJECT,
    import_wsgi,
    instance,
    is_refused,
    rows,
    run,
    site,
)

OTHER_KEY = "another-" * 5
REFUSED = "The secret key is not the one that this site's links are signed with."
CHANGED = "Links in emails sent before now no longer work"


def alone(*words, at, **environ):
    """Run `cop` in a process of its own, for an instance folder."""
    environ = environment(at, **environ)
    command = [*COP, *words]
    return subprocess.run(
        command, env=environ, capture_output=True, text=True, check=False, timeout=60
    )


@pytest.mark.parametrize(
    "words",
    [
        *(("seed",), ("serve",), ("work",), ("db", "upgrade")),
        ("coordinators", "two-factor", "corin@example.org", "--off"),
        ("mail", "test", "ada@example.org"),
    ],
    ids=" ".join,
)
def test_nothing_starts_with_another_key_and_what_to_do_is_said(site, words):  # noqa: F811
    ended = alone(*words, at=site, COP_SECRET_KEY=OTHER_KEY)

    assert (ended.returncode, ended.stdout) == (1, "")
    assert ended.stderr == (
        f"Error: {REFUSED} Put the old key back (COP_SECRET_KEY or COP_SECRET_KEY_FILE), or go on "
        "with this one by `cop key accept`: links in emails sent before then stop working.\n"
    )


def test_wsgi_does_not_start_with_another_key(site):  # noqa: F811
    (site / "secret-key").write_text(OTHER_KEY)

    ended = import_wsgi(PROJECT)

    assert ended.returncode == 1
    assert f"{REFUSED} Put the old key back ({site / 'secret-key'}), or go on" in ended.stderr


def test_a_backup_is_made_with_another_key_too_and_says_so(site):  # noqa: F811
    plain = run("backup", COP_SECRET_KEY=OTHER_KEY)

    assert plain.exit_code == 0
    assert f"Warning: {REFUSED}" in plain.output


def test_a_key_is_accepted_and_the_site_starts_with_it(site):  # noqa: F811
    (site / "secret-key").write_text(OTHER_KEY)

    accepted, again, started = run("key", "accept"), run("key", "accept"), run("seed")

    assert CHANGED in accepted.output
    assert again.output == "This is the site's key already.\n"
    assert started.exit_code == 0, started.output
    assert rows(site, "SELECT key_changed_at IS NOT NULL FROM community") == [(1,)]


def test_a_site_from_before_there_were_fingerprints_starts_with_the_key_it_has(site):  # noqa: F811
    with closing(sqlite_module.connect(site / "cop.sqlite3")) as connection:
        connection.execute("UPDATE community SET key_fingerprint = NULL")
        connection.commit()

    started, other = run("seed"), run("seed", COP_SECRET_KEY=OTHER_KEY)

    assert started.exit_code == 0, started.output
    assert is_refused(other, says=REFUSED)


def test_a_second_host_on_the_same_postgresql_starts_with_the_same_key_only(tmp_path):
    url = databases.new_database("postgresql", tmp_path)
    first, second = tmp_path / "first", tmp_path / "second"
    started = alone("seed", at=first, COP_DATABASE_URL=url)

    missing = alone("work", at=second, COP_DATABASE_URL=url)
    was_made = second.exists()
    other = alone("seed", at=second, COP_DATABASE_URL=url)
    shutil.copy(first / "secret-key", second)
    same = alone("seed", at=second, COP_DATABASE_URL=url)

    databases.drop(url)
    assert started.returncode == 0, started.stderr
    assert f"there is no file {second / 'secret-key'}" in missing.stderr
    assert "another host of the site has the same" in missing.stderr
    assert (missing.returncode, was_made) == (1, False)
    assert (other.returncode, REFUSED in other.stderr) == (1, True)
    assert same.returncode == 0, same.stderr
