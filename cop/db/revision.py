"""Whether what is kept is still right: looked up at every visit, as cheaply as can be."""

import json
from collections import deque
from dataclasses import dataclass
from typing import Any, cast

from sqlalchemy import Engine, event
from sqlalchemy.exc import DBAPIError

from cop.db.statements import driver_errors

_QUERY = (
    "SELECT revision + (SELECT coalesce(sum(lock_version), 0) FROM meeting), embed_hosts"
    " FROM community"
)


@dataclass(frozen=True)
class Revision:
    """What tells whether a public page is still right: the revision of what pages show, and hosts.

    The revision rises with every edit, registration and setting, in the transaction that does it.
    """

    revision: int
    embed_hosts: tuple[str, ...]


class RevisionReader:
    """Read the revision that validates cached pages, on connections of its own.

    SQLAlchemy's own way costs eight times as much, half of it waiting for the lock of its pool; a
    deque needs none. No thread owns a connection: one that is destroyed while its thread ends can
    crash the process, since SQLite's destructor calls back into Python (CPython issue 119585).
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._idle: deque[_Connection] = deque()
        event.listen(engine, "engine_disposed", self.forget)

    def look(self) -> Revision:
        """Look now.

        Raises:
            DBAPIError: the database cannot be used.
        """
        idle = self._idle
        try:
            connection = idle.pop()
        except IndexError:
            return self._look(_Connection(self._engine), idle)
        try:
            return self._look(connection, idle)
        except DBAPIError:
            if not connection.is_lost:
                raise
        return self._look(_Connection(self._engine), idle)

    def forget(self, *_: object) -> None:
        """Close the connections, and look by new ones from here on."""
        idle, self._idle = self._idle, deque()
        while idle:
            idle.pop().close()

    def _look(self, connection: "_Connection", idle: "deque[_Connection]") -> Revision:
        glance = connection.look()
        if idle is self._idle:
            idle.append(connection)
        else:  # the engine was disposed meanwhile
            connection.close()
        return glance


class _Connection:
    """A connection outside the pool, of which nobody begins a transaction."""

    is_lost = False  # whether the server has ended it, as at its restart: another one may do

    def __init__(self, engine: Engine) -> None:
        self._dialect = engine.dialect
        with driver_errors(self._dialect, _QUERY):
            pooled = engine.raw_connection()
            pooled.detach()
            self._connection = cast("Any", pooled.dbapi_connection)
            if self._dialect.name == "postgresql":  # with SQLite, only our BEGIN begins one
                self._connection.autocommit = True
            self._cursor = self._connection.cursor()

    def look(self) -> Revision:
        try:
            with driver_errors(self._dialect, _QUERY):
                self._cursor.execute(_QUERY)
                rows = self._cursor.fetchall()
        except DBAPIError:
            self.is_lost = self._dialect.name == "postgresql" and self._connection.closed
            self.close()
            raise
        if not rows:  # before the first start is done
            return Revision(0, ())
        [(revision, hosts)] = rows
        hosts = json.loads(hosts) if isinstance(hosts, str) else hosts  # as the driver gives JSON
        return Revision(revision, tuple(hosts))

    def close(self) -> None:
        """End it."""
        self._connection.close()
