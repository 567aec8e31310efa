"""The schema: models and migrations agree, and an upgrade is done or not begun."""

import contextlib
import os
import shutil
import stat
import subprocess
import sys
from contextlib import closing
from dataclasses import replace
from inspect import getfile
from pathlib import Path
from uuid import uuid4

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import inspect, select, text

from cop import create_app
from cop.db.engine import db, sqlite_module, write_tx
from cop.db.migrations import Schema, migrations_folder, schema_state
from cop.db.types import Base
from cop.models.registration import Member, Registration
from cop.operations.schema import WrongSchema, require_current
from cop.operations.schema import set_up as set_up_app
from cop.operations.schema import upgrade as upgrade_app
from tests import databases
from tests.conftest import settings_for

pytestmark = pytest.mark.both

NEXT = """
import sqlalchemy as sa
from alembic import op

revision, down_revision = "9999", "{head}"


def upgrade():
    op.create_table("notebook", sa.Column("id", sa.Integer(), primary_key=True))
    op.execute("UPDATE member SET email = 'upgraded@example.org'")
    {then}
"""
KILL = "import os, signal; os.kill(os.getpid(), signal.SIGKILL)"
UPGRADE = """
import sys
from pathlib import Path
from cop import create_app
from cop.config import Settings
from cop.operations.schema import set_up, upgrade
app = create_app(Settings.from_environment(create=True))
set_up(app) if sys.argv[1] == "-" else upgrade(app, Path(sys.argv[1]))
"""
PROJECT = Path(__file__).parents[2]


@pytest.fixture
def empty_url(database_kind, tmp_path):
    """A database without a schema."""
    if database_kind == "sqlite":
        yield f"sqlite:///{tmp_path / 'cop.sqlite3'}"
        return
    databases.need_postgresql()
    name = f"cop_test_{uuid4().hex}"
    databases.run_on_server(f"CREATE DATABASE {name}")
    yield f"{databases.SERVER}/{name}"
    databases.run_on_server(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")


@contextlib.contextmanager
def an_app(url):
    app = create_app(settings_for(url))
    yield app
    with app.app_context():
        db.engine.dispose()


@pytest.fixture
def older(app):
    """The app on a database with a member, which `next_release` has a migration for."""
    with write_tx() as db_session:
        db_session.add(Member(email="ada@example.org", email_key="ada@example.org"))
    return app


def next_release(tmp_path, then="pass"):
    """A copy of the migrations with one more, which may do something in the end."""
    folder = tmp_path / "migrations"
    shutil.copytree(migrations_folder(), folder)
    head = ScriptDirectory(str(folder)).get_current_head()
    (folder / "versions" / "9999_the_next.py").write_text(NEXT.format(head=head, then=then))
    return folder


def emails():
    with db.engine.connect() as connection:
        return connection.execute(text("SELECT email FROM member")).scalars().all()


def tables():
    return set(inspect(db.engine).get_table_names())


def run_at_once(url, folder, times):
    """Upgrade in as many processes at the same time; return how each of them ended."""
    command = [sys.executable, "-c", UPGRADE, str(folder)]
    environ = os.environ | {"COP_DATABASE_URL": url, "COP_SECRET_KEY": "k" * 40}
    processes = [
        subprocess.Popen(command, env=environ, stderr=subprocess.PIPE, text=True)
        for _ in range(times)
    ]
    errors = [process.communicate(timeout=60)[1] for process in processes]
    ended = [(p.returncode, s[-300:]) for p, s in zip(processes, errors, strict=True)]
    return [(code, why) for code, why in ended if code]


def test_models_and_migrations_agree(app):
    with db.engine.connect() as connection:
        context = MigrationContext.configure(
            connection, opts={"compare_type": True, "compare_server_default": True}
        )
        differences = compare_metadata(context, Base.metadata)

    assert differences == []


@pytest.fixture
def checkout(database_url, tmp_path, monkeypatch):
    """A copy of the project, with an up-to-date database that its commands use."""
    for name in ("cop", "migrations"):
        shutil.copytree(PROJECT / name, tmp_path / "checkout" / name)
    shutil.copy(PROJECT / "wsgi.py", tmp_path / "checkout")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path / "checkout"))
    monkeypatch.setenv("COP_DATABASE_URL", database_url)
    monkeypatch.setenv("COP_SECRET_KEY", "k" * 40)
    monkeypatch.setenv("COP_INSTANCE", str(tmp_path / "instance"))
    return tmp_path / "checkout"


def make_migration(checkout):
    """Run `flask db revision --autogenerate` and return the file that it made."""
    before = set(checkout.glob("migrations/versions/*.py"))
    run_in(checkout, "-m", "flask", "--app", "wsgi", "db", "revision", "--autogenerate", "-m", "x")
    [file] = set(checkout.glob("migrations/versions/*.py")) - before
    return file


def run_in(folder, *command):
    subprocess.run([sys.executable, *command], cwd=folder, capture_output=True, check=True)


@pytest.mark.processes
def test_a_migration_made_from_an_up_to_date_database_is_empty(checkout):
    migration = make_migration(checkout)

    _, _, upgrade = migration.read_text().partition("def upgrade() -> None:\n")
    statements = [line for line in upgrade.split("\n") if line.strip() and "#" not in line]
    assert statements == ["    pass"]


@pytest.mark.processes
@pytest.mark.sqlite
def test_a_migration_made_by_flask_is_applied_by_cop(app, checkout):
    models = checkout / Path(getfile(Member)).relative_to(PROJECT)
    with models.open("a") as file:
        file.write(
            "\nMember.noted_at = mapped_column(Registration.registered_at.type, nullable=True)\n"
        )

    migration = make_migration(checkout)
    run_in(checkout, "-c", "from cop.cli import cop; cop()", "db", "upgrade")

    with db.engine.connect() as connection:
        [revision] = connection.execute(text("SELECT version_num FROM alembic_version")).scalars()
    assert migration.name == f"{revision}_x.py"
    assert "noted_at" in {column["name"] for column in inspect(db.engine).get_columns("member")}


def test_the_database_has_the_constraints_of_the_models(app):
    found = inspect(db.engine)

    for table in Base.metadata.tables.values():
        expected = {c.name for c in table.constraints if type(c).__name__ == "CheckConstraint"}
        assert {c["name"] for c in found.get_check_constraints(table.name)} == expected
    live = [i for i in found.get_indexes("registration") if i["name"] == "uq_registration_live"]
    assert live[0]["unique"]


def test_an_empty_database_is_refused_until_it_gets_the_schema_without_a_backup(
    empty_url, tmp_path
):
    with an_app(empty_url) as app, app.app_context():
        with pytest.raises(WrongSchema, match="No site in the database"):
            require_current(app)
        before = (schema_state(db.engine), tables())
        backup = upgrade_app(app)

        assert (before, backup) == ((Schema.EMPTY, set()), None)
        assert schema_state(db.engine) is Schema.CURRENT
        assert tables() == {*Base.metadata.tables, "alembic_version"}
    assert not (tmp_path / "backups").exists()


def test_a_current_database_is_left_as_it_is(older):
    assert upgrade_app(older) is None
    assert emails() == ["ada@example.org"]


def test_a_newer_schema_is_refused_with_a_sentence(older):
    with db.engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = 'from-the-future'"))

    for refusing in (upgrade_app, set_up_app, require_current):
        with pytest.raises(WrongSchema, match="belongs to a newer release of this site"):
            refusing(older)

    assert schema_state(db.engine) is Schema.NEWER
    assert emails() == ["ada@example.org"]


# What stands in the tables that came with each release, by its schema.
ROWS = {"0001": {
    "community": {"id": 1, "name": "C", "short_name": "C", "host_name": "H", "contact_name": "N",
                  "contact_role": "R", "place": "Zoom", "zone": "America/New_York",
                  "rule": "FREQ=MONTHLY;BYDAY=3TU", "starts": "11:30:00", "minutes": 90,
                  "planned_ahead": 6, "questions_off": "[]", "revision": 3},
    "coordinator": {"id": 4, "email": "c@b.org", "email_key": "c@b.org", "name": "C",
                    "password_hash": "x"},
    "coordinator_session": {"token_hash": "t", "coordinator_id": 4, "created_at": "2026-11-01",
                            "seen_at": "2026-11-01"},
    "meeting": {"id": 7, "slug": "2026-12-15", "uid": "u", "sequence": 0, "status": "planned",
                "starts_at": "2026-12-15 16:30:00", "ends_at": "2026-12-15 18:00:00",
                "lock_version": 9},
    "member": {"id": 5, "email": "a@b.org", "email_key": "a@b.org"},
    "registration": {"id": 6, "member_id": 5, "meeting_id": 7, "status": "held",
                     "registered_at": "2026-11-02 10:00:00", "language": "en", "name": "A",
                     "organization": "O", "pronouns": "", "hats": "[]", "hats_other": "",
                     "access": "[]", "access_language": "", "access_other": "",
                     "taking_part": "[]", "first_time": False, "prep_answer": "",
                     "prep_visibility": "hosts"},
    "viewing": {"id": 8, "coordinator_id": 4, "meeting_id": 7, "what": "roster", "columns": "[]",
                "seen_at": "2026-11-03"},
}, "0002": {
    "outbox_email": {"id": 3, "dedup_key": "d", "kind": "reminder", "member_id": 5,
                     "registration_id": 6, "meeting_id": 7, "to_address": "a@b.org", "to_name": "A",
                     "language": "en", "subject": "S", "text": "T", "html": "H", "message_id": "m",
                     "state": "sent", "attempts": 2, "unknown_endings": 1, "answer": "250 OK",
                     "created_at": "2026-11-02", "due_at": "2026-11-02"},
}, "0003": {}, "0004": {
    "invitation": {"id": 2, "email": "i@b.org", "email_key": "i@b.org", "may_export": True,
                   "coordinator_id": 4, "created_at": "2026-11-04"},
    "act": {"coordinator_id": 4, "meeting_id": 7, "registration_id": 6, "what": "moved a person",
            "how_many": 1, "done_at": "2026-11-05"},
    "announcement": {"id": 9, "meeting_id": 7, "coordinator_id": 4, "audience": "held",
                     "subject": "S", "text": "T", "mails": 1, "sent_at": "2026-11-05"},
    "attendance_import": {"meeting_id": 7, "people": "[]", "created_at": "2026-12-15"},
    "erasure": {"key": "k", "erased_at": "2026-11-22 15:00:00"},
}, "0005": {
    "withdrawal": {"key": "w", "what": "reminders", "withdrawn_at": "2026-11-23"},
}, "0006": {}}  # fmt: skip


def rows_of(names):
    """What stands in these columns of each table."""
    with db.engine.connect() as connection:
        return {
            table: connection.execute(text(f"SELECT {', '.join(columns)} FROM {table}")).all()
            for table, columns in names.items()
        }


def renamed(names):
    """The same columns under the names that they have had since schema 0006."""
    script = ScriptDirectory(str(migrations_folder())).get_revision("0006").module
    new = script.RENAMED | {"act": {"what": "action", "how_many": "item_count"}}
    return {
        "audit_entry" if table == "act" else table: [
            new.get(table, {}).get(column, column) for column in columns
        ]
        for table, columns in names.items()
    }


def migrations_up_to(schema, tmp_path):
    """A copy of the migrations as they were when this schema was the newest."""
    folder = shutil.copytree(migrations_folder(), tmp_path / schema)
    for file in (folder / "versions").glob("*.py"):
        if file.name[:4] > schema:
            file.unlink()
    return folder


def insert_row(connection, table, row):
    values = ", ".join(f":{name}" for name in row)
    connection.execute(text(f"INSERT INTO {table} ({', '.join(row)}) VALUES ({values})"), row)


@pytest.mark.parametrize("release", ["0001", "0005", "0006"])
def test_an_upgrade_from_an_older_release_keeps_every_row(empty_url, tmp_path, release):
    stored = {}
    with an_app(empty_url) as app, app.app_context():
        for schema in (name for name in ROWS if name <= release):
            upgrade_app(app, migrations_up_to(schema, tmp_path))
            with db.engine.begin() as connection:
                for table, row in ROWS[schema].items():
                    insert_row(connection, table, row)
            stored |= {table: list(row) for table, row in ROWS[schema].items()}
        stored.pop("erasure", None)
        before = rows_of(renamed(stored) if release >= "0006" else stored)

        upgrade_app(app)

        assert list(rows_of(renamed(stored)).values()) == list(before.values())
        withdrawn = rows_of({"withdrawal": ["key", "scope"]})["withdrawal"]
        assert (("k", "everything") in withdrawn) is (release >= "0004")  # from the erasures
        assert schema_state(db.engine) is Schema.CURRENT
        if db.engine.dialect.name == "sqlite":
            with db.engine.connect() as connection:
                assert connection.execute(text("PRAGMA foreign_key_check")).all() == []
                assert connection.execute(text("PRAGMA foreign_keys")).scalar() == 1


def test_lived_experience_moves_out_of_the_roles(empty_url, tmp_path):
    roles = ['["analyst", "lived-experience"]', '["lived-experience"]', '["researcher"]', "[]"]
    first = ROWS["0001"]
    with an_app(empty_url) as app, app.app_context():
        upgrade_app(app, migrations_up_to("0001", tmp_path))
        with db.engine.begin() as connection:
            insert_row(connection, "meeting", first["meeting"])
            for id_, hats in enumerate(roles, start=1):
                member = first["member"] | {"id": id_, "email_key": f"{id_}@b.org"}
                insert_row(connection, "member", member)
                answers = {"id": id_, "member_id": id_, "hats": hats}
                insert_row(connection, "registration", first["registration"] | answers)

        upgrade_app(app)

        with write_tx() as db_session:
            query = select(Registration.hats, Registration.lived_experience)
            found = [tuple(row) for row in db_session.execute(query.order_by(Registration.id))]
    assert found == [(["analyst"], True), ([], True), (["researcher"], False), ([], False)]


@pytest.mark.sqlite
def test_sqlite_uses_the_id_of_a_member_once(db_session):
    gone, new = (Member(email=email, email_key=email) for email in ("a@b.org", "b@b.org"))
    db_session.add(gone)
    db_session.flush()
    db_session.delete(gone)
    db_session.flush()
    db_session.add(new)
    db_session.flush()

    assert new.id > gone.id


@pytest.mark.sqlite
def test_an_older_sqlite_database_is_backed_up_first_for_its_owner_only(
    older, database_folder, tmp_path
):
    backup = upgrade_app(older, next_release(tmp_path))

    assert backup.parent == database_folder / "backups"
    assert backup.name.startswith("before-upgrade-")
    assert [file.name for file in backup.parent.iterdir()] == [backup.name]
    assert [stat.S_IMODE(path.stat().st_mode) for path in (backup, backup.parent)] == [0o600, 0o700]
    with an_app(f"sqlite:///{backup}") as app, app.app_context():
        assert schema_state(db.engine) is Schema.CURRENT
        assert emails() == ["ada@example.org"]
        assert "notebook" not in tables()


def test_an_older_schema_is_upgraded_with_its_own_key_only(
    older, database_folder, tmp_path, settings
):
    folder = next_release(tmp_path)
    set_up_app(older)
    other = create_app(replace(settings, secret_key="y" * 40))

    with pytest.raises(WrongSchema, match="This is not the secret key"):
        upgrade_app(other, folder, requires_key=True)
    before = schema_state(db.engine, folder)
    left = (tables(), [*database_folder.glob("backups/*")])
    upgrade_app(older, folder, requires_key=True)

    with other.app_context():
        db.engine.dispose()
    assert left == (tables() - {"notebook"}, [])
    assert (before, schema_state(db.engine, folder)) == (Schema.OLDER, Schema.CURRENT)
    assert emails() == ["upgraded@example.org"]


def test_an_upgrade_that_fails_half_way_leaves_the_database_as_it_was(older, tmp_path):
    folder = next_release(tmp_path, then="raise ZeroDivisionError")
    before = tables()

    with pytest.raises(ZeroDivisionError):
        upgrade_app(older, folder)

    assert tables() == before
    assert schema_state(db.engine, folder) is Schema.OLDER
    assert emails() == ["ada@example.org"]


@pytest.mark.processes
def test_an_upgrade_that_is_killed_leaves_the_database_as_it_was_and_one_backup(
    older, database_folder, database_kind, tmp_path, settings
):
    folder = next_release(tmp_path, then=KILL)

    failed = [run_at_once(settings.database_url, folder, 1) for _ in range(2)]
    state, left = schema_state(db.engine, folder), (tables(), emails())
    backups = list(database_folder.glob("backups/*"))
    shutil.rmtree(folder)
    backup = upgrade_app(older, next_release(tmp_path))

    assert failed == [[(-9, "")]] * 2
    assert state is Schema.OLDER
    assert left == (tables() - {"notebook"}, ["ada@example.org"])
    assert backups == ([backup] if database_kind == "sqlite" else [])
    assert list(database_folder.glob("backups/*")) == backups


@pytest.mark.processes
@pytest.mark.parametrize("harm", ["changed", "cut", "damaged index"])
@pytest.mark.sqlite
def test_an_upgrade_that_was_killed_is_backed_up_anew_where_its_copy_does_not_do(
    older, database_folder, tmp_path, settings, harm
):
    folder = next_release(tmp_path, then=KILL)
    run_at_once(settings.database_url, folder, 1)
    [first] = (database_folder / "backups").iterdir()
    if harm == "changed":
        with write_tx() as db_session:
            db_session.add(Member(email="grace@example.org", email_key="grace@example.org"))
    elif harm == "cut":
        os.truncate(first, first.stat().st_size // 2)
    else:
        with closing(sqlite_module.connect(first)) as connection:
            query = "SELECT rootpage FROM sqlite_master WHERE name = 'ix_meeting_starts_at'"
            [(page,)] = connection.execute(query)
        with first.open("r+b") as file:
            file.seek(page * 4096 - 20)
            file.write(b"\x39" * 20)

    shutil.rmtree(folder)
    backup = upgrade_app(older, next_release(tmp_path))

    assert set((database_folder / "backups").iterdir()) == {first, backup}
    assert backup != first


@pytest.mark.processes
def test_starts_on_an_empty_database_at_once_all_succeed(empty_url):
    failed = run_at_once(empty_url, "-", 2)

    assert failed == []
    with an_app(empty_url) as app, app.app_context():
        assert schema_state(db.engine) is Schema.CURRENT
        with db.engine.connect() as connection:
            planned = connection.execute(text("SELECT count(*) FROM meeting")).scalar_one()
    assert planned == 6


@pytest.mark.processes
def test_an_upgrade_waits_for_another_one(older, tmp_path, settings, database_kind):
    seconds = 1 if database_kind == "sqlite" else 6  # longer than PostgreSQL's lock timeout
    folder = next_release(tmp_path, then=f"import time; time.sleep({seconds})")

    failed = run_at_once(settings.database_url, folder, 2)

    assert failed == []
    assert schema_state(db.engine, folder) is Schema.CURRENT
