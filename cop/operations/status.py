"""The state of the site: yes or no for monitors, line by line for the operator."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError

from cop.audit import clock_check
from cop.audit.clock_check import Verdict
from cop.community.community import load_community
from cop.config import Settings
from cop.db.engine import (
    db,
    has_wal_reset_bug,
    journal_pragmas,
    read_tx,
    sqlite_module,
    unsafe_settings,
)
from cop.db.migrations import Schema, schema_state
from cop.i18n import N_
from cop.outbox import status as outbox

WRITE_PROBE_MAX_AGE = timedelta(minutes=2)  # the worker writes once a minute
DAILY_MAX_AGE = timedelta(hours=26)  # of tasks that are done once a day, with some delay

_NO_PROXY = N_(
    "Visitors seem to reach this site through a proxy, but COP_TRUSTED_PROXIES is 0. All "
    "visitors count as one, so they share one limit on forms and sign-ins. Set COP_TRUSTED_PROXIES "
    "to the number of proxies, usually 1."
)


@dataclass(frozen=True)
class Line:
    """One line of the report; a warning is something to be fixed."""

    label: str
    text: str
    is_warning: bool = False

    def __str__(self) -> str:
        return f"{'!' if self.is_warning else ' '} {self.label + ':':<14}{self.text}"


def is_ready(*, now: datetime) -> bool:
    """Whether the database has this release's schema and took a write recently.

    Raises:
        SQLAlchemyError: the database cannot be used.
    """
    if schema_state(db.engine) is not Schema.CURRENT:
        return False
    with read_tx() as db_session:
        return _is_writable(load_community(db_session).write_probe_at, now)


def report(settings: Settings, *, now: datetime) -> tuple[bool, list[Line]]:
    """Return whether the site is ready, and the report; the schema must be current."""
    try:
        with read_tx() as db_session:
            community, emails = load_community(db_session), outbox.read_status(db_session)
            pending_since = outbox.oldest_pending_at(db_session)
        lines = [
            _database(settings),
            _durability(settings),
            _writing(community.write_probe_at, now),
            _daily("Daily tasks", community.daily_tasks_at, now),
            _clock(clock_check.check(community, now=now)),
            _daily("Backup", community.backup_at, now),
            _emails(emails, pending_since),
            _smtp(settings),
            _proxy(settings),
        ]
        return _is_writable(community.write_probe_at, now), lines
    except DBAPIError as error:
        return False, [Line("Database", f"cannot be used: {error.orig}", is_warning=True)]


def proxy_warning(settings: Settings, *, is_forwarded: bool = False) -> str | None:
    """Warn when a proxy seems to be in use that the settings do not mention."""
    has_proxy = settings.is_https or is_forwarded  # this server has no TLS itself
    return _NO_PROXY if has_proxy and not settings.trusted_proxies else None


def _is_writable(written_at: datetime | None, now: datetime) -> bool:
    # `abs`, since a time in the future is no proof: the clock has been set back since.
    return written_at is not None and abs(now - written_at) <= WRITE_PROBE_MAX_AGE


def _database(settings: Settings) -> Line:
    url = make_url(settings.database_url)
    where = url.database if settings.is_sqlite else url.render_as_string(hide_password=True)
    return Line("Database", f"{db.engine.dialect.name}, {where}")


def _durability(settings: Settings) -> Line:
    if not settings.is_sqlite:
        if off := " and ".join(unsafe_settings(db.engine)):
            text = f"{off} off: a power failure can lose registrations"
            return Line("Durability", text, is_warning=True)
        return Line("Durability", "PostgreSQL keeps everything it has confirmed")
    version = sqlite_module.sqlite_version_info
    pragmas = ", ".join(journal_pragmas(version))
    slow = " (slower: this version can lose data in WAL mode)" if has_wal_reset_bug(version) else ""
    return Line("Durability", f"SQLite {sqlite_module.sqlite_version}, {pragmas}{slow}")


def _writing(at: datetime | None, now: datetime) -> Line:
    if at and _is_writable(at, now):
        return Line("Writing", f"worked at {_moment(at)}")
    last = f"last worked at {_moment(at)}" if at else "has not worked yet"
    why = "the database is locked, read-only or full, or neither `cop serve` nor `cop work` runs"
    return Line("Writing", f"{last}: {why}", is_warning=True)


def _daily(label: str, at: datetime | None, now: datetime) -> Line:
    # A time in the future, after the clock was set back, counts as late too.
    is_late = at is None or not timedelta() <= now - at <= DAILY_MAX_AGE
    return Line(label, f"last at {_moment(at)}" if at else "not yet", is_warning=is_late)


def _clock(verdict: Verdict) -> Line:
    if verdict is Verdict.RUN:
        return Line("Clock", "as expected")
    until = (
        "a coordinator confirms that it is right"
        if verdict is Verdict.ASK
        else "it has run steadily for 24 hours or a coordinator confirms that it is right"
    )
    text = f"it has jumped since the last daily tasks, so nothing is deleted until {until}"
    return Line("Clock", text, is_warning=True)


def _emails(emails: outbox.OutboxStatus, since: datetime | None) -> Line:
    text = f"{emails.pending} waiting" + (f" since {_moment(since)}" if since else "")
    text += f", {emails.failed} failed"
    text += f"; last error: {emails.last_error}" if emails.last_error else ""
    return Line("Email", text, is_warning=bool(emails.failed or emails.last_error))


def _smtp(settings: Settings) -> Line:
    server = settings.smtp
    text = f"{server}" if server else "none, so no emails go out: set COP_SMTP_URL"
    return Line("Email server", text, is_warning=server is None)


def _proxy(settings: Settings) -> Line:
    warning = proxy_warning(settings)
    return Line("Proxies", warning or f"{settings.trusted_proxies} trusted", bool(warning))


def _moment(at: datetime) -> str:
    return at.strftime("%Y-%m-%d %H:%M:%S UTC")
