"""Past SQLAlchemy to the database's driver: where that is taken, faults stay SQLAlchemy's."""

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy.engine import Dialect
from sqlalchemy.exc import DBAPIError

CONNECTION = "connection"  # in a session's info: that of its transaction, which it looks for long


@contextmanager
def faults(dialect: Dialect, sql: str) -> Iterator[None]:
    """Turn what the driver raises into what everybody else knows."""
    driver = dialect.loaded_dbapi
    try:
        yield
    except driver.Error as error:
        raise DBAPIError.instance(
            sql, None, error, driver.Error, hide_parameters=True, dialect=dialect
        ) from error
