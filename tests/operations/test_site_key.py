"""A secret key other than the site's: on a second host, or with a restored copy."""

import shutil
from pathlib import Path

import pytest

from cop.db import migrations
from tests import databases
from tests.commands import PROJECT, assert_refused, execute, import_wsgi, rows, run, run_process
from tests.db.test_migrations import next_release

OTHER_KEY = "another-" * 5
REFUSED = "This is not the secret key that signed the links of this site."
FORGET_KEY = "UPDATE community SET key_fingerprint = NULL"
CHANGED = "Links in emails sent before now no longer work"
ADD_COORDINATOR = (
    "INSERT INTO coordinator (email, email_key, name, password_hash, may_export, recovery_hashes)"
    " VALUES ('c@b.org', 'c@b.org', 'C', 'x', 1, '[]')"
)


def alone(*words, at, **environ):
    """Run `cop` in a process of its own, for an instance folder."""
    return run_process(*words, COP_INSTANCE=str(at), **environ)


def key_of(folder):
    return (folder / "secret-key").read_text()


def backed_up(folder, *options):
    """A copy of the site's database, made by the command."""
    done = alone("backup", *options, at=folder)
    assert done.returncode == 0, done.stderr
    return folder / "backups" / done.stdout.splitlines()[0].rpartition("/")[2]


@pytest.mark.parametrize(
    "words",
    [
        *(("seed",), ("work",), ("db", "upgrade")),
        ("coordinators", "two-factor", "corin@example.org", "--off"),
        ("mail", "test", "ada@example.org"),
    ],
    ids=" ".join,
)
def test_nothing_starts_with_another_key_and_the_refusal_says_what_to_do(site_folder, words):
    ended = run(*words, COP_SECRET_KEY=OTHER_KEY)

    assert (ended.exit_code, ended.stdout) == (1, "")
    assert ended.stderr == (
        f"Error: {REFUSED} Put the old key back (COP_SECRET_KEY or COP_SECRET_KEY_FILE), or run "
        "`cop key accept` to use this one. Links in emails already sent then stop working.\n"
    )


@pytest.mark.processes
def test_wsgi_does_not_start_with_another_key(site_folder):
    (site_folder / "secret-key").write_text(OTHER_KEY)

    ended = import_wsgi(PROJECT)

    assert ended.returncode == 1
    assert f"{REFUSED} Put the old key back ({site_folder / 'secret-key'}), or run" in ended.stderr


def test_a_backup_is_made_with_another_key_too_and_says_so(site_folder):
    plain = run("backup", COP_SECRET_KEY=OTHER_KEY)
    with_key = run("backup", "--with-key", COP_SECRET_KEY=OTHER_KEY)

    assert plain.exit_code == 0
    assert f"Warning: {REFUSED}" in plain.output
    assert with_key.exit_code == 1
    assert not list((site_folder / "backups").glob("*.key"))


def test_a_key_is_accepted_and_the_site_starts_with_it(site_folder):
    (site_folder / "secret-key").write_text(OTHER_KEY)

    accepted, again, started = run("key", "accept"), run("key", "accept"), run("seed")

    assert CHANGED in accepted.output
    assert again.output == "The site already uses this key.\n"
    assert started.exit_code == 0, started.output
    assert rows(site_folder, "SELECT key_changed_at IS NOT NULL FROM community") == [(1,)]


def test_a_key_is_accepted_by_a_newer_release_whose_upgrade_it_refuses(
    site_folder, tmp_path, monkeypatch
):
    (site_folder / "secret-key").write_text(OTHER_KEY)
    folder = next_release(tmp_path)
    monkeypatch.setattr(migrations, "migrations_folder", lambda: folder)

    refused, accepted, upgraded = run("db", "upgrade"), run("key", "accept"), run("db", "upgrade")

    assert assert_refused(refused, says="`cop key accept`")
    assert (accepted.exit_code, upgraded.exit_code) == (0, 0), accepted.output + upgraded.output
    assert CHANGED in accepted.output
    assert "Upgraded the database. The old one is kept as" in accepted.output


def test_a_site_from_before_there_were_fingerprints_starts_with_the_key_it_has(site_folder):
    execute(site_folder, FORGET_KEY)

    started, other = run("seed"), run("seed", COP_SECRET_KEY=OTHER_KEY)

    assert started.exit_code == 0, started.output
    assert assert_refused(other, says=REFUSED)


@pytest.mark.processes
@pytest.mark.postgresql
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
    assert "another host of this site has the same key" in missing.stderr
    assert (missing.returncode, was_made) == (1, False)
    assert (other.returncode, REFUSED in other.stderr) == (1, True)
    assert same.returncode == 0, same.stderr


def test_a_backup_takes_the_key_along_only_if_asked_to(site_folder):
    run("backup")
    made = run("backup", "--with-key").output.splitlines()[0]

    [file] = (site_folder / "backups").glob("*.key")
    assert file == Path(made).with_suffix(".key")
    assert file.read_text() == key_of(site_folder)
    assert file.stat().st_mode & 0o777 == 0o600


@pytest.mark.processes
@pytest.mark.parametrize(
    ("options", "database"),
    [(("--with-key",), None), (("--with-key",), "data"), ((), "data")],
    ids=["key beside", "key beside, database elsewhere", "new key, database elsewhere"],
)
def test_a_new_host_gets_the_folder_and_the_key_beside_the_copy_or_a_new_one(
    site_folder, tmp_path, options, database
):
    copy = backed_up(site_folder, *options)
    new = tmp_path / "new"
    url = f"sqlite:///{tmp_path / database / 'cop.sqlite3'}" if database else ""
    accept = () if options else ("--accept-key",)

    restored = alone("restore", str(copy), *accept, at=new, COP_DATABASE_URL=url)
    started = alone("seed", at=new, COP_DATABASE_URL=url)

    assert (restored.returncode, started.returncode) == (0, 0), restored.stderr + started.stderr
    assert (key_of(new) == key_of(site_folder)) is bool(options)
    assert (CHANGED in restored.stdout) is not bool(options)
    assert [path.stat().st_mode & 0o777 for path in (new, new / "secret-key")] == [0o700, 0o600]


@pytest.mark.processes
def test_no_database_is_replaced_where_the_key_cannot_be_written(site_folder, tmp_path):
    copy, data = backed_up(site_folder), tmp_path / "data"
    (tmp_path / "file").touch()

    refused = alone(
        *("restore", str(copy), "--accept-key"),
        at=tmp_path / "file" / "new",
        COP_DATABASE_URL=f"sqlite:///{data / 'cop.sqlite3'}",
    )

    assert refused.returncode == 1
    assert refused.stderr.startswith("Error: [Errno 20] Not a directory: ")
    assert not data.exists()


@pytest.mark.processes
@pytest.mark.parametrize("has_key", [True, False])
def test_a_restore_that_fails_loses_no_key(site_folder, tmp_path, has_key):
    copy = backed_up(site_folder, "--with-key")
    new, data = tmp_path / "new", tmp_path / "data"
    url = f"sqlite:///{data / 'cop.sqlite3'}"
    if has_key:
        alone("seed", at=new, COP_DATABASE_URL=url)
    before = key_of(new) if has_key else key_of(site_folder)
    shutil.rmtree(data, ignore_errors=True)
    data.touch()  # no folder for a database

    refused = alone("restore", str(copy), "--accept-key", at=new, COP_DATABASE_URL=url)

    assert refused.returncode == 1
    assert key_of(new) == before
    assert [file.name for file in new.iterdir() if "secret" in file.name] == ["secret-key"]


@pytest.mark.processes
@pytest.mark.parametrize("has_fingerprint", [True, False], ids=["with fingerprint", "older"])
def test_a_new_host_without_the_key_is_told_what_to_do_and_left_empty(
    site_folder, tmp_path, has_fingerprint
):
    if not has_fingerprint:
        execute(site_folder, FORGET_KEY)
    copy, new = backed_up(site_folder), tmp_path / "new"

    refused = alone("restore", str(copy), at=new)
    was_made = new.exists()
    accepted = alone("restore", str(copy), "--accept-key", at=new)
    started = alone("seed", at=new)

    assert refused.returncode == 1
    assert f"there is no secret key at {new / 'secret-key'} and none beside" in refused.stderr
    assert f"or at {copy.with_suffix('.key')}. Or add --accept-key" in refused.stderr
    assert not was_made
    assert (accepted.returncode, CHANGED in accepted.stdout) == (0, True), accepted.stderr
    assert started.returncode == 0, started.stderr
    assert key_of(new) != key_of(site_folder)


@pytest.mark.processes
def test_a_host_that_was_only_started_gets_the_copys_key_and_one_in_use_keeps_its_own(
    site_folder, tmp_path
):
    copy = backed_up(site_folder, "--with-key")
    started, used = tmp_path / "started", tmp_path / "used"
    for folder in (started, used):
        alone("seed", at=folder)
    execute(used, ADD_COORDINATOR)
    before = key_of(used)

    taken = alone("restore", str(copy), at=started)
    refused = alone("restore", str(copy), at=used)
    untouched = rows(used, "SELECT count(*) FROM coordinator")
    accepted = alone("restore", str(copy), "--accept-key", at=used)
    again = [alone("seed", at=folder).returncode for folder in (started, used)]

    assert (taken.returncode, key_of(started)) == (0, key_of(site_folder)), taken.stderr
    assert refused.returncode == 1
    assert "Nothing was restored: the backup needs another secret key" in refused.stderr
    assert f"in {used / 'secret-key'}. Put {copy.with_suffix('.key')} there. Or" in refused.stderr
    assert untouched == [(1,)]
    assert (accepted.returncode, CHANGED in accepted.stdout) == (0, True), accepted.stderr
    assert key_of(used) == before
    assert again == [0, 0]


@pytest.mark.processes
@pytest.mark.parametrize("content", [OTHER_KEY.encode(), b"", b"\xff" * 40])
def test_the_key_of_another_copy_is_refused(site_folder, tmp_path, content):
    copy, new = backed_up(site_folder, "--with-key"), tmp_path / "new"
    copy.with_suffix(".key").write_bytes(content)

    refused = alone("restore", str(copy), at=new)

    assert f"{copy.with_suffix('.key')} is not the secret key of this backup." in refused.stderr
    assert (refused.returncode, new.exists()) == (1, False)


def test_a_copy_is_verified_anywhere_and_no_site_is_created(site_folder, tmp_path, monkeypatch):
    made = run("backup").output.splitlines()[0]
    monkeypatch.setenv("COP_INSTANCE", str(tmp_path / "new"))

    result = run("restore", "--verify", made)

    assert (result.exit_code, "The backup is intact." in result.output) == (0, True)
    assert not (tmp_path / "new").exists()
