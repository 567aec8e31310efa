"""Runs the migrations in one transaction, on the engine of the app."""

from alembic import context
from flask import has_app_context
from sqlalchemy import text

from cop.db import db
from cop.models import Base

ADVISORY_LOCK = 7_205_119_413  # any number, the same for every process that upgrades


def run() -> None:
    engine = db.engine if has_app_context() else None
    if engine is None:
        raise RuntimeError("Migrations run inside the app: use `cop db upgrade`.")
    with engine.connect() as plain:
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
            )
            with context.begin_transaction():
                context.run_migrations()


run()
