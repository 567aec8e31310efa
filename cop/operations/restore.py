"""Restore a backup: upgrade it, and reapply withdrawals made since."""

import logging
import os
import shutil
from collections import defaultdict
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from sqlite3 import Connection
from tempfile import TemporaryDirectory

from flask import Flask
from sqlalchemy import delete, exists, select, update
from sqlalchemy.orm import Session

from cop.audit import clock_check, withdrawals
from cop.audit.withdrawals import Withdrawn
from cop.community import community
from cop.community.community import CommunityFacts, load_community
from cop.config import Settings
from cop.db.engine import db, empty_log, sqlite_file, sqlite_module, write_tx
from cop.db.types import random_first_version
from cop.links import Links
from cop.mail.writer import LetterWriter
from cop.members import preferences, registrations
from cop.models.community import Community
from cop.models.coordinator import Coordinator, CoordinatorSession, Invitation
from cop.models.email import MailState, OutboxEmail
from cop.models.registration import Member
from cop.operations import backup_names, backups
from cop.operations.schema import upgrade
from cop.outbox import outbox
from cop.privacy import deletion, erasure
from cop.private_files import has_content

log = logging.getLogger("cop.restoring")

# Coordinators' sign-in data and permissions, in plain SQL: the schema may be older.
_READ_ACCESS = (
    "SELECT password_hash, totp_secret, totp_step, recovery_hashes, may_export, email_key"
    " FROM coordinator"
)
_WRITE_ACCESS = (
    "UPDATE coordinator SET password_hash = ?, totp_secret = ?, totp_step = ?, recovery_hashes = ?,"
    " may_export = ? WHERE email_key = ?"
)
_READ_WITHDRAWN = (
    "SELECT key, scope, withdrawn_at FROM withdrawal",
    "SELECT key, what, withdrawn_at FROM withdrawal",  # schema 0005
    "SELECT key, 'everything', erased_at FROM erasure",  # schema 0004
)
_READ_DAILY_TASKS = (
    "SELECT daily_tasks_at FROM community WHERE daily_tasks_at IS NOT NULL",
    "SELECT round_at FROM community WHERE round_at IS NOT NULL",  # before schema 0006
)


@dataclass(frozen=True)
class LaterState:
    """State of the replaced database that is newer than the backup, and is preserved."""

    withdrawn: tuple[Withdrawn, ...] = ()
    sent: frozenset[str] = frozenset()  # Message-IDs of emails that were sent
    access: tuple[tuple[str, ...], ...] = ()  # rows of `_READ_ACCESS`
    daily_tasks_at: datetime | None = None


def restore(
    settings: Settings, file: Path, *, now: datetime, create_app: Callable[[Settings], Flask]
) -> tuple[Path | None, int]:
    """Replace the database by a backup, after making a backup of the database itself.

    Members who were erased after the backup was made are erased again, and what is past its
    retention period is deleted. Return the backup of the replaced database, and how many members
    were erased again.

    Raises:
        BackupRefused: the backup is damaged, the site is running, or the database is not a file.
    """
    live = sqlite_file(settings.database_url)
    if live is None:
        raise backups.BackupRefused("This database is not a file. Restore it with its own tools.")
    backups.verify(file)
    live.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    replaced = _back_up_replaced(live, now=now)
    with TemporaryDirectory(prefix="restoring-", dir=live.parent) as folder:
        draft = Path(folder) / live.name
        shutil.copyfile(file, draft)
        draft.chmod(0o600)
        app = create_app(replace(settings, database_url=f"sqlite:///{draft}"))
        erased = bring_up_to_date(app, replaced=replaced, now=now)
        # SQLite would replay the old database's log into the restored one.
        for suffix in backups.SQLITE_SIDE_FILES:
            live.with_name(live.name + suffix).unlink(missing_ok=True)
        os.replace(draft, live)  # noqa: PTH105 - atomic
    backups.verify(live)
    return replaced, erased


def bring_up_to_date(app: Flask, *, replaced: Path | None, now: datetime) -> int:
    """Upgrade a backup and reapply later changes; return how many people were erased.

    Withdrawals since the backup are applied again, emails that were sent are not sent again,
    coordinators keep their passwords and are signed out, and invitations are withdrawn.

    Raises:
        WrongSchema: the backup was made by a newer release.
    """
    later_state = _read_later_state(replaced) if replaced else LaterState()
    with app.app_context():
        try:
            upgrade(app)
            erased = _reapply(app.extensions["cop.settings"], later_state, now=now)
            empty_log()
        finally:
            db.engine.dispose()
    return erased


def _back_up_replaced(live: Path, *, now: datetime) -> Path | None:
    """Back up the database to be replaced; copy a damaged one byte for byte."""
    if not has_content(live):
        return None
    try:
        with closing(backups.open_database(live)) as connection:
            connection.execute("PRAGMA busy_timeout = 500")
            connection.execute("PRAGMA journal_mode = DELETE")  # fails while the site has it open
        return backups.copy(live, why="before-restore", now=now)
    except sqlite_module.OperationalError as error:
        if "locked" in str(error):
            sentence = "The site is running. Stop it first, so that no new registrations are lost."
            raise backups.BackupRefused(sentence) from error
    except (sqlite_module.Error, backups.BackupRefused):
        pass  # the database is damaged, which may be why it is being restored
    target = backup_names.new_name(live, backup_names.DAMAGED, now=now)
    for suffix in ("", *backups.SQLITE_SIDE_FILES):
        file = live.with_name(live.name + suffix)
        if file.exists():
            shutil.copyfile(file, target.with_name(target.name + suffix))
            target.with_name(target.name + suffix).chmod(0o600)
    return target


def _read_later_state(file: Path) -> LaterState:
    """Read what is newer than the backup, in plain SQL.

    The schema may be older, and the file damaged; what cannot be read is left out.
    """
    with closing(sqlite_module.connect(file)) as connection:
        withdrawn = [row for query in _READ_WITHDRAWN for row in _rows(connection, query)]
        sent = _rows(connection, "SELECT message_id FROM outbox_email WHERE state = 'sent'")
        access = _rows(connection, _READ_ACCESS)
        daily_tasks = [row for query in _READ_DAILY_TASKS for row in _rows(connection, query)]
    return LaterState(
        tuple(Withdrawn(key, scope, _parse_time(time)) for key, scope, time in withdrawn),
        frozenset(message_id for (message_id,) in sent),
        tuple(access),
        max((_parse_time(time) for (time,) in daily_tasks), default=None),
    )


def _parse_time(stored: str) -> datetime:
    return datetime.fromisoformat(stored).replace(tzinfo=UTC)


def _rows(connection: Connection, query: str) -> list[tuple[str, ...]]:
    try:
        return list(connection.execute(query))
    except sqlite_module.Error:
        return []


def _reapply(settings: Settings, later_state: LaterState, *, now: datetime) -> int:
    links = Links(settings.base, settings.secret_key)
    with write_tx() as db_session:
        writer = LetterWriter(load_community(db_session), links, now)
        # Apply only withdrawals that are not in the backup: after one that is, the member may have
        # opted in again. Their times are not compared, since the clock may have been wrong.
        in_backup = withdrawals.read_all(db_session)
        later = [each for each in later_state.withdrawn if each not in in_backup]
        erased = _withdraw_again(db_session, later, writer=writer)
        withdrawals.store(db_session, later_state.withdrawn)  # with their original times
        _carry_over_access(db_session, later_state, later, secret_key=settings.secret_key)
        for model in (CoordinatorSession, Invitation):
            db_session.execute(delete(model))
        mark_sent = update(OutboxEmail).where(OutboxEmail.message_id.in_(later_state.sent))
        db_session.execute(mark_sent.values(state=MailState.SENT, lease=None, done_at=now))
        # This host has no backup of its own yet: let the worker make one when it starts.
        db_session.execute(update(Community).values(backup_at=None))
        if _is_clock_right(load_community(db_session), later_state, now=now):
            deletion.run(db_session, now=now)
            community.note_daily_tasks(db_session, now=now)
    return erased


def _withdraw_again(
    db_session: Session, withdrawn: list[Withdrawn], *, writer: LetterWriter
) -> int:
    """Apply withdrawals to their members; return how many members were erased."""
    by_key = defaultdict(set)
    for each in withdrawn:
        by_key[each.key].add(each.scope)
    erased = 0
    for member in db_session.execute(select(Member.id, Member.email_key)).all():
        scopes = by_key[withdrawals.key_of(member.email_key, writer.links.secret_key)]
        if withdrawals.EVERYTHING in scopes:
            erasure.erase(db_session, member.id, writer=writer)
            erased += 1
            continue
        for scope in scopes:
            _withdraw(db_session, member.id, scope, writer=writer)
    return erased


def _withdraw(db_session: Session, member_id: int, scope: str, *, writer: LetterWriter) -> None:
    """Apply one withdrawal to a member."""
    update_member = update(Member).where(Member.id == member_id)
    match scope.split(":"):
        case [kind] if kind in preferences.KINDS:
            preferences.opt_out(db_session, member_id, kind, writer=writer)
        case [withdrawals.EMAIL]:
            outbox.mark_undeliverable(db_session, member_id, now=writer.now)
        case [withdrawals.CALENDAR]:
            db_session.execute(update_member.values(calendar_version=random_first_version()))
        case [withdrawals.LINKS]:
            versions = {
                "token_version": random_first_version(),
                "calendar_version": random_first_version(),
            }
            db_session.execute(update_member.values(**versions))
        case [withdrawals.ANSWER, name, slug]:
            registrations.delete_answer(db_session, member_id, slug, name, writer=writer)


def _carry_over_access(
    db_session: Session, later_state: LaterState, withdrawn: list[Withdrawn], *, secret_key: str
) -> None:
    """Restore coordinators' current sign-in data, and remove accounts removed since.

    Change nothing if that would leave nobody who may export lists.
    """
    removed_keys = {each.key for each in withdrawn if each.scope == withdrawals.ACCOUNT}
    current_emails = {email_key for *_, email_key in later_state.access}
    with db_session.begin_nested() as savepoint:
        for coordinator in db_session.scalars(select(Coordinator)).all():
            key = withdrawals.key_of(coordinator.email_key, secret_key)
            if key in removed_keys and coordinator.email_key not in current_emails:
                db_session.delete(coordinator)
        db_session.flush()
        for row in later_state.access:
            db_session.connection().exec_driver_sql(_WRITE_ACCESS, row)
        if not db_session.scalar(select(exists().where(Coordinator.may_export))):
            savepoint.rollback()


def _is_clock_right(community: CommunityFacts, later_state: LaterState, *, now: datetime) -> bool:
    """Whether the clock can be trusted, compared with the latest daily tasks.

    The replaced database is considered too: compared with an old backup alone, every clock would
    seem to have jumped. In doubt nothing is deleted; the worker waits or asks a coordinator, as
    after any jump.
    """
    times = filter(None, (community.daily_tasks_at, later_state.daily_tasks_at))
    expected = replace(community, daily_tasks_at=max(times, default=None), clock_confirmed_at=None)
    is_right = clock_check.check(expected, now=now) is clock_check.Verdict.RUN
    if not is_right:
        log.warning("the clock may be wrong, so nothing was deleted")
    return is_right
