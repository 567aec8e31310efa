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

from cop.models import Base
from cop.upgrade import migrations_folder
from tests.world import NOW

SERVER = os.environ.get("COP_TEST_POSTGRESQL", "postgresql://postgres@127.0.0.1:5432")
NEEDED = os.environ.get("COP_TEST_ALL") == "1"  # set by .ci/run: nothing may be skipped
EMPTIED = []
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
        if NEEDED:
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
    """The same as a PostgreSQL database."""
    run_on_server(f"CREATE DATABASE {TEMPLATE}")
    _migrate(f"{SERVER}/{TEMPLATE}", begun=False)
    return TEMPLATE


def _migrate(url, *, begun):
    from cop import create_app, upgrade
    from cop.db import db, write_tx
    from cop.domain import seed
    from tests.conftest import settings_for

    app = create_app(settings_for(url))
    upgrade.upgrade(app)
    with app.app_context():
        if begun:
            with write_tx() as db_session:
                seed.begin(db_session, now=NOW)
        db.engine.dispose()


def new_database(kind, folder, *, begun=False):
    """The address of a new database of its own with the schema in it.

    An SQLite file can have the first meetings in it too, which saves making them anew.
    """
    if kind == "sqlite":
        file = Path(folder) / "cop.sqlite3"
        shutil.copy(sqlite_template(begun=begun), file)
        return f"sqlite:///{file}"
    need_postgresql()
    if EMPTIED:
        return EMPTIED.pop()
    name = f"cop_test_{uuid4().hex}"
    run_on_server(f"CREATE DATABASE {name} TEMPLATE {postgresql_template()}")
    return f"{SERVER}/{name}"


def give_back(url):
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
        EMPTIED.append(url)


def _empty(url):
    """Delete every row and begin to count anew: a tenth of the time that TRUNCATE takes."""
    with psycopg.connect(url, options="-c lock_timeout=2000") as connection:
        query = "SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY 1"
        tables = [name for (name,) in connection.execute(query)]
        version = connection.execute("SELECT version_num FROM alembic_version").fetchone()
        if tables != sorted([*Base.metadata.tables, "alembic_version"]) or version != (_head(),):
            raise psycopg.DataError("not the schema of this release")
        connection.execute("SET synchronous_commit = off")
        for table in reversed(Base.metadata.sorted_tables):
            connection.execute(f"DELETE FROM {table.name}")
        connection.execute(
            "SELECT setval(oid, 1, false) FROM pg_class WHERE relkind = 'S'"
            " AND relnamespace = 'public'::regnamespace"
        )


@cache
def _head():
    return ScriptDirectory(str(migrations_folder())).get_current_head()


def drop(url):
    """Remove a PostgreSQL database."""
    run_on_server(f"DROP DATABASE IF EXISTS {url.rpartition('/')[2]} WITH (FORCE)")


def drop_all():
    """Remove what this run has made and nobody uses any more."""
    for url in EMPTIED:
        drop(url)
    if postgresql_template.cache_info().currsize:
        drop(f"{SERVER}/{TEMPLATE}")
