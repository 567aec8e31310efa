"""What a piece of work asks of the database."""

from functools import partial

import psycopg
from flask import current_app
from sqlalchemy import event

from cop.db.engine import db


class Statements:
    """What was sent to the database while this was open, with its values; also past SQLAlchemy."""

    def __enter__(self):
        self.sent, self.engine = [], db.engine
        event.listen(self.engine, "checkout", self._listen_in)
        event.listen(self.engine, "checkin", self._listen_no_more)
        # So that the next connection is traced from its start.
        current_app.extensions["cop.revision_reader"].close_connections()
        return self.sent

    def __exit__(self, *_):
        event.remove(self.engine, "checkout", self._listen_in)
        event.remove(self.engine, "checkin", self._listen_no_more)
        current_app.extensions["cop.revision_reader"].close_connections()

    def _listen_in(self, connection, *_):
        if self.engine.dialect.name == "sqlite":
            connection.set_trace_callback(self._note)
        else:
            connection.cursor_factory = partial(_Heard, note=self._note)

    def _listen_no_more(self, connection, *_):
        if self.engine.dialect.name == "sqlite":
            connection.set_trace_callback(None)
        else:
            connection.cursor_factory = psycopg.Cursor

    def _note(self, statement):
        if not statement.lstrip().upper().startswith(("BEGIN", "COMMIT", "ROLLBACK", "PRAGMA")):
            self.sent.append(statement)


class _Heard(psycopg.Cursor):
    """A cursor that tells what it is asked."""

    def __init__(self, connection, *, note, row_factory=None):
        super().__init__(connection, row_factory=row_factory)
        self._tell = note

    def execute(self, query, *args, **named):
        self._tell(self._whole(query, *args))
        return super().execute(query, *args, **named)

    def executemany(self, query, *args, **named):
        self._tell(query)
        return super().executemany(query, *args, **named)

    def _whole(self, query, parameters=None, **_):
        return psycopg.ClientCursor(self.connection).mogrify(query, parameters)
