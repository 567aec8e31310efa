"""Bringing a restored copy up to the day: this release's schema, and what has to be gone by now."""

from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import delete, update

from cop import create_app
from cop.config import Settings
from cop.db import db, empty_log, sqlite_module, write_tx
from cop.domain import community, erasures, leaving, retention
from cop.domain.erasures import Remembered
from cop.links import Links
from cop.mail.writer import Writer
from cop.models import CoordinatorSession, Invitation, MailState, OutboxEmail
from cop.upgrade import upgrade


@dataclass(frozen=True)
class Since:
    """What the database in whose place the copy comes knows, and the copy does not."""

    erased: tuple[Remembered, ...] = ()
    sent: frozenset[str] = frozenset()  # the Message-IDs of mails that have gone out


def catch_up(settings: Settings, *, before: Path | None, now: datetime) -> int:
    """Upgrade a copy, and undo in it what must not come back; return how many were erased again.

    `before` is the database in whose place it comes. Who was erased since is erased again, mail
    that has gone out does not go out again, devices are signed out, and invitations are withdrawn.

    Raises:
        SchemaRefused: the copy was made by a newer release.
    """
    since = _since(before) if before else Since()
    app = create_app(settings)
    with app.app_context():
        try:
            upgrade(app)
            number = _undo(settings, since, now=now)
            empty_log()
        finally:
            db.engine.dispose()
    return number


def _since(file: Path) -> Since:
    """Read by plain SQL: its schema may be an older one, and it may be damaged."""
    with closing(sqlite_module.connect(file)) as connection:
        erased = _rows(connection, "SELECT key, erased_at FROM erasure")
        sent = _rows(connection, "SELECT message_id FROM outbox_email WHERE state = 'sent'")
    return Since(
        tuple(
            Remembered(key, datetime.fromisoformat(at).replace(tzinfo=UTC)) for key, at in erased
        ),
        frozenset(message_id for (message_id,) in sent),
    )


def _rows(connection: sqlite_module.Connection, query: str) -> list[tuple[str, ...]]:
    try:
        return list(connection.execute(query))
    except sqlite_module.Error:
        return []


def _undo(settings: Settings, since: Since, *, now: datetime) -> int:
    links = Links(settings.base, settings.secret_key)
    with write_tx() as db_session:
        made_at = community.backup_at(db_session)
        erasures.keep(db_session, since.erased)
        # Who was erased before the copy was made, and registered again, is in it by their own wish.
        keys = {each.key for each in since.erased if not made_at or each.erased_at >= made_at}
        found = erasures.members(db_session, keys, secret_key=settings.secret_key)
        writer = Writer(community.facts(db_session), links, now)
        for member_id in found:
            leaving.erase(db_session, member_id, writer=writer)
        for console in (CoordinatorSession, Invitation):
            db_session.execute(delete(console))
        gone_out = update(OutboxEmail).where(OutboxEmail.message_id.in_(since.sent))
        db_session.execute(gone_out.values(state=MailState.SENT, lease=None, done_at=now))
        retention.run(db_session, now=now)
    return len(found)
