"""Real databases for the tests: an SQLite file each, or a PostgreSQL database each."""

import os
import shutil
from functools import cache
from pathlib import Path
from tempfile import mkdtemp
from uuid import uuid4

import psycopg
import pytest
from alembic.script import ScriptDirectory

from cop.db.migrations import migrations_folder
from cop.db.types import Base
from tests.builders import NOW

SERVER = os.environ.get("COP_TEST_POSTGRESQL", "postgresql://postgres@127.0.0.1:5432")
IS_REQUIRED = os.environ.get("COP_TEST_ALL") == "1"  # set by .ci/run: nothing may be skipped
REUSABLE = []
TEMPLATE = f"cop_test_template_{os.getpid()}"


@cache
def postgresql_answers():
    """Whether there is a PostgreSQL server to test with."""
    try:
        psycopg.connect(f"{SERVER}/postgres", connect_timeout=2).close()
    except psycopg.OperationalError:
        return False
    return True


def need_postgresql():
    """Skip, with a sentence that says how not to, where there is no PostgreSQL server."""
    if not postgresql_answers():
        if IS_REQUIRED:
            pytest.fail("PostgreSQL does not answer, and nothing may be skipped here.")
        pytest.skip(
            "PostgreSQL does not answer at 127.0.0.1:5432. Start one with trust authentication for "
            "user postgres, or set COP_TEST_POSTGRESQL=postgresql://user:password@host:port"
        )


def run_on_server(*statements):
    """Run statements outside a transaction, as CREATE DATABASE wants it."""
    with psycopg.connect(f"{SERVER}/postgres", autocommit=True) as connection:
        for statement in statements:
            connection.execute(statement)


@cache
def sqlite_template(*, begun):
    """An SQLite database with the schema, and if begun with the first meetings, to be copied."""
    file = Path(mkdtemp(prefix="cop-template-")) / "cop.sqlite3"
    _migrate(f"sqlite:///{file}", begun=begun)
    return file


@cache
def postgresql_template():
    """A PostgreSQL database with the schema, and the first meetings kept beside it, to be copied."""
    run_on_server(f"CREATE DATABASE {TEMPLATE}")
    _migrate(f"{SERVER}/{TEMPLATE}", begun=True)
    with psycopg.connect(f"{SERVER}/{TEMPLATE}") as connection:
        connection.execute("CREATE SCHEMA begun")
        for table in Base.metadata.sorted_tables:
            connection.execute(f"CREATE TABLE begun.{table.name} AS TABLE public.{table.name}")
        connection.execute(_emptying())
    return TEMPLATE


def _migrate(url, *, begun):
    from cop import create_app
    from cop.db.engine import db, write_tx
    from cop.operations import schema, seed
    from tests.conftest import settings_for

    app = create_app(settings_for(url))
    schema.upgrade(app)
    with app.app_context():
        if begun:
            with write_tx() as db_session:
                seed.create_site(db_session, now=NOW)
        db.engine.dispose()


def new_database(kind, folder, *, begun=False):
    """The address of a new database of its own with the schema in it.

    It can have the first meetings in it too, which saves making them anew.
    """
    if kind == "sqlite":
        file = Path(folder) / "cop.sqlite3"
        shutil.copy(sqlite_template(begun=begun), file)
        return f"sqlite:///{file}"
    need_postgresql()
    url = REUSABLE.pop() if REUSABLE else _copy()
    if begun:
        _seed(url)
    return url


def _copy():
    name = f"cop_test_{uuid4().hex}"
    run_on_server(f"CREATE DATABASE {name} TEMPLATE {postgresql_template()}")
    return f"{SERVER}/{name}"


def _seed(url):
    with psycopg.connect(url, options="-c synchronous_commit=off") as connection:
        connection.execute(_beginning())


@cache
def _beginning():
    """The statements that put the first meetings where the schema is."""
    statements = []
    with psycopg.connect(f"{SERVER}/{postgresql_template()}") as connection:
        for table in Base.metadata.sorted_tables:
            [rows] = connection.execute(f"SELECT count(*) FROM begun.{table.name}").fetchone()
            if rows:
                statements.append(f"INSERT INTO {table.name} TABLE begun.{table.name}")
                counter = f"pg_get_serial_sequence('{table.name}', 'id')"
                statements.append(f"SELECT setval({counter}, max(id)) FROM {table.name}")
    return "; ".join(statements)


def release(url):
    """Empty a PostgreSQL database for the next test, where it still is one that fits.

    Making one anew takes ten times as long. SQLite's go with their folder.
    """
    if not url.startswith("postgresql"):
        return
    try:
        _empty(url)
    except psycopg.Error:  # renamed, damaged or upgraded by its test
        drop(url)
    else:
        REUSABLE.append(url)


def _empty(url):
    """Delete every row: a tenth of the time that TRUNCATE takes."""
    options = "-c lock_timeout=2000 -c synchronous_commit=off"
    with psycopg.connect(url, options=options) as connection:
        query = "SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY 1"
        tables = [name for (name,) in connection.execute(query)]
        version = connection.execute("SELECT version_num FROM alembic_version").fetchone()
        if tables != sorted([*Base.metadata.tables, "alembic_version"]) or version != (_head(),):
            raise psycopg.DataError("not the schema of this release")
        connection.execute(_emptying())


def _emptying():
    """The statements that delete every row and begin to count anew."""
    statements = [f"DELETE FROM {table.name}" for table in reversed(Base.metadata.sorted_tables)]
    statements.append(
        "SELECT setval(oid, 1, false) FROM pg_class WHERE relkind = 'S'"
        " AND relnamespace = 'public'::regnamespace"
    )
    return "; ".join(statements)


@cache
def _head():
    return ScriptDirectory(str(migrations_folder())).get_current_head()


def drop(url):
    """Remove a PostgreSQL database."""
    run_on_server(f"DROP DATABASE IF EXISTS {url.rpartition('/')[2]} WITH (FORCE)")


def drop_all():
    """Remove what this run has made and nobody uses any more."""
    for url in REUSABLE:
        drop(url)
    if postgresql_template.cache_info().currsize:
        drop(f"{SERVER}/{TEMPLATE}")
