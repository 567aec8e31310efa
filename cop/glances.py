"""Whether what is kept is still right: looked up at every visit, as cheaply as can be."""

import json
from collections import deque
from dataclasses import dataclass
from typing import Any, cast

from sqlalchemy import Engine, event
from sqlalchemy.exc import DBAPIError

from cop.driver import faults

_QUERY = (
    "SELECT revision + (SELECT coalesce(sum(lock_version), 0) FROM meeting), embed_hosts"
    " FROM community"
)


@dataclass(frozen=True)
class Glance:
    """What tells whether a public page is still right: the revision of what pages show, and hosts.

    The revision rises with every edit, registration and setting, in the transaction that does it.
    """

    revision: int
    embed_hosts: tuple[str, ...]


class Glances:
    """Read the revision that validates cached pages, on connections of its own.

    SQLAlchemy's own way costs eight times as much, half of it waiting for the lock of its pool; a
    deque needs none. No thread owns a connection: one that is destroyed while its thread ends can
    crash the process, since SQLite's destructor calls back into Python (CPython issue 119585).
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self.forget()
        event.listen(engine, "engine_disposed", self.forget)

    def look(self) -> Glance:
        """Look now.

        Raises:
            DBAPIError: the database cannot be used.
        """
        idle = self._idle
        try:
            connection = idle.pop()
        except IndexError:
            return _look(_Connection(self._engine), idle)
        try:
            return _look(connection, idle)
        except DBAPIError:
            if not connection.is_lost:
                raise
        return _look(_Connection(self._engine), idle)

    def forget(self, *_: object) -> None:
        """Look by new connections from here on."""
        self._idle: deque[_Connection] = deque()


def _look(connection: "_Connection", idle: "deque[_Connection]") -> Glance:
    glance = connection.look()
    idle.append(connection)  # one that has failed is not used again
    return glance


class _Connection:
    """A connection outside the pool, of which nobody begins a transaction."""

    def __init__(self, engine: Engine) -> None:
        self._dialect = engine.dialect
        with faults(self._dialect, _QUERY):
            pooled = engine.raw_connection()
            pooled.detach()
            self._connection = cast("Any", pooled.dbapi_connection)
            if self._dialect.name == "postgresql":  # with SQLite, only our BEGIN begins one
                self._connection.autocommit = True
            self._cursor = self._connection.cursor()

    def look(self) -> Glance:
        with faults(self._dialect, _QUERY):
            self._cursor.execute(_QUERY)
            rows = self._cursor.fetchall()
        if not rows:  # before the first start is done
            return Glance(0, ())
        [(revision, hosts)] = rows
        hosts = json.loads(hosts) if isinstance(hosts, str) else hosts  # as the driver gives JSON
        return Glance(revision, tuple(hosts))

    @property
    def is_lost(self) -> bool:
        """Whether the server has ended it, as where it was started again: another one may do."""
        return self._dialect.name == "postgresql" and bool(self._connection.closed)

    def __del__(self) -> None:
        if "_connection" in vars(self):  # else it could not be made
            self._connection.close()
