"""Whether the site is alive, and whether it is ready."""

from collections.abc import Mapping
from datetime import datetime

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
        work = _work() if schema is Schema.CURRENT else {}
    except SQLAlchemyError:
        return _answer({"database": "unreachable"}, 503)
    found = {"database": db.engine.dialect.name, "schema": schema.value} | work
    if db.engine.dialect.name == "sqlite":
        found["sqlite"] = sqlite_module.sqlite_version
        found["journal"] = ", ".join(journal_pragmas(sqlite_module.sqlite_version_info))
    return _answer(found, 200 if schema is Schema.CURRENT else 503)


def _work() -> dict[str, object]:
    """What the worker has done, and what it has left to do."""
    with read_tx() as db_session:
        work = community.work(db_session)
    return {
        "last_daily_round": _said(work.round_at) or "never",
        "last_backup": _said(work.backup_at) or "never",
        "mails_waiting": work.mails_waiting,
        "mails_waiting_since": _said(work.mails_waiting_since),
    }


def _said(moment: datetime | None) -> str | None:
    return moment.isoformat(timespec="seconds") if moment else None


def _answer(found: Mapping[str, object], status: int) -> Response:
    response = jsonify(found)
    response.status_code = status
    response.cache_control.no_store = True
    return response
