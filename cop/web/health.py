"""Whether the site is alive, and whether it is ready."""

from collections.abc import Mapping

from flask import Blueprint, Response, jsonify
from sqlalchemy.exc import SQLAlchemyError

from cop.db import db, journal_pragmas, read_tx, sqlite_module
from cop.domain import community
from cop.upgrade import Schema, schema_of

health = Blueprint("health", "cop")


@health.get("/healthz")
def alive() -> Response:
    return _answer({"alive": True}, 200)


@health.get("/readyz")
def ready() -> Response:
    """Ready means: the database answers, and has this release's schema. The rest is for people."""
    try:
        schema = schema_of(db.engine)
        with read_tx() as db_session:
            round_at = community.last_round_at(db_session) if schema is Schema.CURRENT else None
    except SQLAlchemyError:
        return _answer({"database": "unreachable"}, 503)
    found = {"database": db.engine.dialect.name, "schema": schema.value}
    found["last_daily_round"] = round_at.isoformat(timespec="seconds") if round_at else "never"
    if db.engine.dialect.name == "sqlite":
        found["sqlite"] = sqlite_module.sqlite_version
        found["journal"] = ", ".join(journal_pragmas(sqlite_module.sqlite_version_info))
    return _answer(found, 200 if schema is Schema.CURRENT else 503)


def _answer(found: Mapping[str, object], status: int) -> Response:
    response = jsonify(found)
    response.status_code = status
    response.cache_control.no_store = True
    return response
