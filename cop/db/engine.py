"""The database engine, and the context managers that open a transaction."""

import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from contextvars import ContextVar
from pathlib import Path
from sqlite3 import Connection as SqliteConnection
from typing import Any

from flask import Flask
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import URL, Engine, event, text
from sqlalchemy.engine import Connection, make_url
from sqlalchemy.orm import ORMExecuteState, Session

from cop.config import Settings
from cop.db.revision import RevisionReader
from cop.db.statements import CACHED_CONNECTION
from cop.db.types import Base

try:
    from pysqlite3 import dbapi2 as _sqlite
except ImportError:  # no wheel for this system
    import sqlite3 as _sqlite

# Every connection to the database file must use this library: two SQLites in one process can break
# each other's file locks.
sqlite_module = _sqlite

POSTGRESQL_LIMITS = (
    "-c lock_timeout=5000 -c statement_timeout=15000 -c idle_in_transaction_session_timeout=30000"
)
DURABILITY = ("fsync", "full_page_writes", "synchronous_commit")  # settings of PostgreSQL

BUSY_TIMEOUT = 10_000  # milliseconds

db = SQLAlchemy(model_class=Base)


def has_wal_reset_bug(version: tuple[int, ...]) -> bool:
    """Whether this SQLite can lose committed data in WAL mode.

    All versions from 3.7.0 to 3.51.2 can, except those with a backport: from 3.44.6 and 3.50.7.
    """
    if version[:2] == (3, 44):
        return version < (3, 44, 6)
    if version[:2] == (3, 50):
        return version < (3, 50, 7)
    return (3, 7, 0) <= version < (3, 51, 3)


def journal_pragmas(version: tuple[int, ...]) -> list[str]:
    """Return the pragmas for WAL, or if it has the bug, a rollback journal."""
    if has_wal_reset_bug(version):
        return ["journal_mode=DELETE", "synchronous=EXTRA"]
    return ["journal_mode=WAL", "synchronous=FULL"]


def engine_options(settings: Settings) -> dict[str, Any]:
    """Return the options of `create_engine` for the database of the settings.

    Parameters are hidden, since messages about errors would log personal data.
    """
    arguments: dict[str, Any]
    if settings.is_sqlite:
        # Isolation level None: the driver begins no transactions of its own, `_begin` does.
        arguments = {"timeout": 10, "isolation_level": None, "check_same_thread": False}
        return {"module": sqlite_module, "connect_args": arguments, "hide_parameters": True}
    arguments = {"options": POSTGRESQL_LIMITS, "connect_timeout": 5}
    return {"connect_args": arguments, "hide_parameters": True, "pool_pre_ping": True}


def prepare(engine: Engine) -> Engine:
    """Install the listeners that set an SQLite engine's pragmas and BEGIN."""
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _set_pragmas)
        event.listen(engine, "begin", _begin)
    return engine


def _set_pragmas(connection: SqliteConnection, _record: object) -> None:
    pragmas = [f"busy_timeout={BUSY_TIMEOUT}", "foreign_keys=ON", "secure_delete=ON"]
    pragmas.append("fullfsync=ON")  # macOS does not wait for the disk after fsync alone
    for pragma in [*pragmas, *journal_pragmas(sqlite_module.sqlite_version_info)]:
        connection.execute(f"PRAGMA {pragma}")


def _begin(connection: Connection) -> None:
    # A transaction that will write takes the write lock at its beginning (IMMEDIATE): a deferred
    # one fails at once, without waiting, if another process has written since its first read.
    mode = "IMMEDIATE" if connection.get_execution_options().get("immediate") else "DEFERRED"
    connection.exec_driver_sql(f"BEGIN {mode}")


def unsafe_settings(engine: Engine) -> list[str]:
    """Return the durability settings that a PostgreSQL server has switched off.

    Without them a power failure loses commits (PostgreSQL's manual, "Write Ahead Log, Settings").
    SQLite has none, since `_set_pragmas` sets its durability on each connection.
    """
    if engine.dialect.name == "sqlite":
        return []
    with engine.connect() as connection:
        values = {name: connection.exec_driver_sql(f"SHOW {name}").scalar() for name in DURABILITY}
    return [name for name, value in values.items() if value == "off"]


def bind(app: Flask, settings: Settings) -> None:
    """Bind Flask-SQLAlchemy and the revision reader to the app's database."""
    app.config["SQLALCHEMY_DATABASE_URI"] = settings.database_url
    app.config["SQLALCHEMY_ENGINE_OPTIONS"] = engine_options(settings)
    db.init_app(app)
    with app.app_context():
        app.extensions["cop.revision_reader"] = RevisionReader(prepare(db.engine))


def create_file(engine: Engine) -> None:
    """Create an SQLite file that only its owner can read.

    SQLite gives the side files the same mode.
    """
    file = sqlite_file(engine.url)
    if file and not file.exists():
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        file.touch(mode=0o600)


def empty_log(*, tries: int = 20) -> bool:
    """Empty SQLite's write-ahead log, where deleted values could still be read.

    Each try waits only briefly for readers, since it holds the write lock meanwhile. Return False
    if a reader was active at every try.
    """
    if db.engine.dialect.name != "sqlite":
        return True
    with closing(db.engine.raw_connection()) as connection:
        cursor = connection.cursor()
        try:
            cursor.execute("PRAGMA busy_timeout = 50")
            for _ in range(tries):
                [is_busy, *_] = cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
                if not is_busy:
                    return True
                time.sleep(0.1)
        finally:
            cursor.execute(f"PRAGMA busy_timeout = {BUSY_TIMEOUT}")
    return False


def sqlite_file(address: str | URL) -> Path | None:
    """Return the file of an SQLite URL, or None for another database."""
    url = make_url(address)
    return Path(url.database) if url.get_backend_name() == "sqlite" and url.database else None


class DatabaseSession(Session):
    """A session whose bulk statements do not change objects loaded before.

    SQLAlchemy's default is to find and update the loaded objects that match, by a query or in
    Python. That is skipped, since no transaction uses a loaded object after changing it in bulk.
    """


@event.listens_for(DatabaseSession, "do_orm_execute")
def _skip_synchronization(state: ORMExecuteState) -> None:
    if state.is_update or state.is_delete:
        state.update_execution_options(synchronize_session=False)


_open_session: ContextVar[Session | None] = ContextVar("_open_session", default=None)


@contextmanager
def _transaction(**execution_options: object) -> Iterator[Session]:
    if _open_session.get():
        raise RuntimeError("One transaction at a time: end the open one first.")
    with DatabaseSession(db.engine, expire_on_commit=False) as db_session, db_session.begin():
        token = _open_session.set(db_session)
        try:
            connection = db_session.connection(execution_options=execution_options)
            db_session.info[CACHED_CONNECTION] = connection
            yield db_session
        finally:
            _open_session.reset(token)


@contextmanager
def write_tx(*, rehearse: bool = False) -> Iterator[Session]:
    """Open a transaction that may write, with SQLite's write lock; commit it.

    With `rehearse` it is rolled back instead, to show what a change would do.
    """
    with _transaction(immediate=True) as db_session:
        yield db_session
        if rehearse:
            db_session.rollback()


@contextmanager
def erasing_tx() -> Iterator[Session]:
    """Open a transaction that deletes personal data; then empty the log."""
    with write_tx() as db_session:
        yield db_session
    empty_log()


@contextmanager
def read_tx() -> Iterator[Session]:
    """Open a transaction that only reads."""
    with _transaction() as db_session:
        yield db_session


@contextmanager
def joined_tx() -> Iterator[Session]:
    """Use the open transaction if there is one, else open one that only reads."""
    if db_session := _open_session.get():
        yield db_session
    else:
        with read_tx() as db_session:
            yield db_session


@contextmanager
def snapshot_tx(*, seconds: int) -> Iterator[Session]:
    """Open a transaction that reads one consistent snapshot, with its own time limit."""
    is_sqlite = db.engine.dialect.name == "sqlite"
    # SQLite's deferred transaction is a snapshot from its first read.
    options = (
        {} if is_sqlite else {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
    )
    with _transaction(**options) as db_session:
        if not is_sqlite:
            db_session.execute(text(f"SET LOCAL statement_timeout = {seconds * 1000:d}"))
        yield db_session
