"""Runs the migrations in one transaction, on the engine of the app."""

from collections.abc import Iterator
from contextlib import contextmanager

from alembic import context
from flask import has_app_context
from sqlalchemy import Connection, text
from sqlalchemy.types import TypeDecorator

from cop.db.engine import db
from cop.db.types import Base

ADVISORY_LOCK = 7_205_119_413  # any number, the same for every process that upgrades


def run() -> None:
    engine = db.engine if has_app_context() else None
    if engine is None:
        raise RuntimeError("Migrations run inside the app: use `cop db upgrade`.")
    with engine.connect() as plain, _tables_may_be_remade(plain):
        connection = plain.execution_options(immediate=True)
        with connection.begin():
            if engine.dialect.name == "postgresql":
                connection.execute(text("SET LOCAL statement_timeout = 0"))
                connection.execute(text("SET LOCAL lock_timeout = 0"))
                connection.execute(
                    text("SELECT pg_advisory_xact_lock(:key)"), {"key": ADVISORY_LOCK}
                )
            context.configure(
                connection=connection,
                target_metadata=Base.metadata,
                transactional_ddl=True,
                render_as_batch=True,
                compare_server_default=True,
                render_item=_render_stored_type,
            )
            with context.begin_transaction():
                context.run_migrations()
            _refuse_lost_rows(connection)


def _render_stored_type(kind: str, item: object, _context: object) -> str | bool:
    """Write what a type of ours is stored as, so that no migration imports the models."""
    is_ours = kind == "type" and isinstance(item, TypeDecorator)
    return f"sa.{item.impl!r}" if is_ours else False  # False: as Alembic would


@contextmanager
def _tables_may_be_remade(connection: Connection) -> Iterator[None]:
    """Let SQLite make a table anew: with foreign keys on, dropping the old one deletes its rows.

    They can be switched only outside a transaction, so below SQLAlchemy, which begins one.
    """
    if connection.dialect.name != "sqlite":
        yield
        return
    driver = connection.connection.driver_connection
    driver.execute("PRAGMA foreign_keys=OFF")
    try:
        yield
    finally:
        driver.execute("PRAGMA foreign_keys=ON")


def _refuse_lost_rows(connection: Connection) -> None:
    """Take everything back where a row would point to one that is gone."""
    if connection.dialect.name == "sqlite":
        lost = connection.execute(text("PRAGMA foreign_key_check")).all()
        if lost:
            raise RuntimeError(f"The upgrade would lose rows of {lost[0][2]}.")


run()
