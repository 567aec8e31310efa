"""Read the revision that cached pages are validated with, as cheaply as possible."""

import json
from collections import deque
from dataclasses import dataclass
from typing import Any, cast

from sqlalchemy import Engine, event
from sqlalchemy.exc import DBAPIError

from cop.db.statements import driver_errors

# `community.revision` rises with every edit. Registrations raise only the `lock_version` of their
# meeting, so that they need not wait for each other; meetings are never deleted, so the sum rises.
_SELECT_REVISION = (
    "SELECT revision + (SELECT coalesce(sum(lock_version), 0) FROM meeting), embed_hosts"
    " FROM community"
)


@dataclass(frozen=True)
class Revision:
    """The number that validates cached pages, and the sites that may embed.

    The number rises with every edit, registration and change of settings, in its transaction.
    """

    revision: int
    embed_hosts: tuple[str, ...]


class RevisionReader:
    """Read the current revision, on connections outside SQLAlchemy's pool.

    SQLAlchemy takes eight times as long, half of it waiting for its pool's lock; a deque needs no
    lock. Connections are not thread-local: destroying a SQLite connection while its thread ends
    can crash the process (CPython issue 119585).
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._idle: deque[_Connection] = deque()
        event.listen(engine, "engine_disposed", self.close_connections)

    def current(self) -> Revision:
        """Read the revision now.

        Raises:
            DBAPIError: the database cannot be used.
        """
        idle = self._idle
        try:
            connection = idle.pop()
        except IndexError:
            return self._read(_Connection(self._engine), idle)
        try:
            return self._read(connection, idle)
        except DBAPIError:
            if not connection.is_lost:
                raise
        return self._read(_Connection(self._engine), idle)

    def close_connections(self, *_: object) -> None:
        """Close the idle connections; the next read opens a new one."""
        idle, self._idle = self._idle, deque()
        while idle:
            idle.pop().close()

    def _read(self, connection: "_Connection", idle: "deque[_Connection]") -> Revision:
        revision = connection.read()
        if idle is self._idle:
            idle.append(connection)
        else:  # the engine was disposed meanwhile
            connection.close()
        return revision


class _Connection:
    """A DBAPI connection outside the pool, without transactions."""

    is_lost = False  # whether the server closed it, as when it restarts: a new one may work

    def __init__(self, engine: Engine) -> None:
        self._dialect = engine.dialect
        with driver_errors(self._dialect, _SELECT_REVISION):
            pooled = engine.raw_connection()
            pooled.detach()
            self._connection = cast("Any", pooled.dbapi_connection)
            if self._dialect.name == "postgresql":  # SQLite: `isolation_level` in engine_options()
                self._connection.autocommit = True
            self._cursor = self._connection.cursor()

    def read(self) -> Revision:
        try:
            with driver_errors(self._dialect, _SELECT_REVISION):
                self._cursor.execute(_SELECT_REVISION)
                rows = self._cursor.fetchall()
        except DBAPIError:
            self.is_lost = self._dialect.name == "postgresql" and self._connection.closed
            self.close()
            raise
        if not rows:  # the first start has not inserted the community yet
            return Revision(0, ())
        [(revision, hosts)] = rows
        hosts = json.loads(hosts) if isinstance(hosts, str) else hosts  # psycopg decodes JSON
        return Revision(revision, tuple(hosts))

    def close(self) -> None:
        self._connection.close()
