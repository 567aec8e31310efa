"""Bringing a restored copy up to the day: this release's schema, and what has to be gone by now."""

from dataclasses import replace
from datetime import datetime
from pathlib import Path

from cop import create_app
from cop.config import Settings
from cop.db import db, empty_log, read_tx, write_tx
from cop.domain import community, erasures, leaving, retention
from cop.domain.erasures import Remembered
from cop.links import Links
from cop.mail.writer import Writer
from cop.upgrade import Schema, schema_of, upgrade


def catch_up(settings: Settings, *, before: Path | None, now: datetime) -> int:
    """Upgrade a copy, delete again who was deleted after it was made, and what is past its date.

    `before` is the database that it takes the place of: that one knows who was deleted. Return how
    many were deleted again.

    Raises:
        SchemaRefused: the copy was made by a newer release.
    """
    erased = _erased(replace(settings, database_url=f"sqlite:///{before}")) if before else []
    app = create_app(settings)
    upgrade(app)
    with app.app_context():
        number = _delete_again(settings, erased, now=now)
        empty_log()
        db.engine.dispose()
    return number


def _erased(settings: Settings) -> list[Remembered]:
    app = create_app(settings)
    with app.app_context():
        try:
            if schema_of(db.engine) is not Schema.CURRENT:
                return []  # of a release that remembered nobody
            with read_tx() as db_session:
                return erasures.remembered(db_session)
        finally:
            db.engine.dispose()


def _delete_again(settings: Settings, erased: list[Remembered], *, now: datetime) -> int:
    """Who was erased before the copy was made, and has registered since, is in it by their wish."""
    links = Links(settings.base, settings.secret_key)
    with write_tx() as db_session:
        made_at = community.backup_at(db_session)
        keys = {each.key for each in erased if made_at is None or each.erased_at >= made_at}
        found = erasures.members(db_session, keys, secret_key=settings.secret_key)
        writer = Writer(community.facts(db_session), links, now)
        for member_id in found:
            leaving.erase(db_session, member_id, writer=writer)
        retention.run(db_session, now=now)
    return len(found)
