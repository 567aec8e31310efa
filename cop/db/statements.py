"""Statements compiled once for SQLite and PostgreSQL, and INSERT ... ON CONFLICT."""

from collections import namedtuple
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, Any, cast

from sqlalchemy import ClauseElement, Executable, bindparam
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import Dialect
from sqlalchemy.engine.interfaces import DBAPICursor
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from cop.db.types import Base

if TYPE_CHECKING:
    from sqlalchemy.sql.compiler import SQLCompiler

# Session.info[CACHED_CONNECTION] holds the session's connection: Session.connection() is slow.
CACHED_CONNECTION = "connection"


@contextmanager
def driver_errors(dialect: Dialect, sql: str) -> Iterator[None]:
    """Translate the driver's exceptions into SQLAlchemy's."""
    driver = dialect.loaded_dbapi
    try:
        yield
    except driver.Error as error:
        raise DBAPIError.instance(
            sql, None, error, driver.Error, hide_parameters=True, dialect=dialect
        ) from error


Insert = postgresql.Insert | sqlite.Insert


def insert_with_conflict(db_session: Session, model: type[Base]) -> Insert:
    """Make an INSERT that supports ON CONFLICT, for the session's dialect."""
    return _insert(db_session.get_bind().dialect, model)


def _insert(dialect: Dialect, model: type[Base]) -> Insert:
    return sqlite.insert(model) if dialect.name == "sqlite" else postgresql.insert(model)


class Prepared:
    """A statement that is compiled once and then run on the driver's cursor directly.

    SQLAlchemy takes ten times as long to run a statement as SQLite does, so it is bypassed where
    many people may wait for the same lock. Values are converted by the columns' types. Every
    parameter needs a value each time: Python-side column defaults are not applied.
    """

    def __init__(self, statement: Executable | Callable[[Dialect], Executable]) -> None:
        self._statement = statement
        self._compiled: dict[str, _Compiled] = {}

    @classmethod
    def insert(
        cls,
        model: type[Base],
        columns: Iterable[str],
        finish: Callable[[Insert], Executable] = lambda insert: insert,
        *,
        row_count: int = 1,
    ) -> "Prepared":
        """Make an INSERT of these columns; `finish` can add ON CONFLICT and RETURNING.

        For several rows, pass the values through `numbered`.
        """
        types = {name: model.__table__.c[name].type for name in columns}
        suffixes = [f"_{i}" for i in range(row_count)] if row_count > 1 else [""]
        parameters: Any = [
            {name: bindparam(f"{name}{suffix}", type_=type_) for name, type_ in types.items()}
            for suffix in suffixes
        ]
        values = parameters if row_count > 1 else parameters[0]
        return cls(lambda dialect: finish(_insert(dialect, model).values(values)))

    def rows(self, db_session: Session, **values: object) -> list[Any]:
        """Run the statement in the session's transaction; return named tuples."""
        compiled = self._compiled_for(db_session)
        with _cursor(db_session, compiled.sql) as cursor:
            cursor.execute(compiled.sql, compiled.parameters(values))
            return [compiled.row(row) for row in cursor.fetchall()]

    def run(self, db_session: Session, rows: Iterable[Mapping[str, object]]) -> None:
        """Run the statement once per row of values, without returning rows."""
        compiled = self._compiled_for(db_session)
        with _cursor(db_session, compiled.sql) as cursor:
            cursor.executemany(compiled.sql, [compiled.parameters(row) for row in rows])

    def _compiled_for(self, db_session: Session) -> "_Compiled":
        dialect = db_session.get_bind().dialect
        if dialect.name not in self._compiled:
            statement = self._statement(dialect) if callable(self._statement) else self._statement
            self._compiled[dialect.name] = _Compiled(statement, dialect)
        return self._compiled[dialect.name]


def numbered(rows: list[dict[str, Any]]) -> dict[str, Any]:
    """Number the parameters of several rows, as `Prepared.insert` names them."""
    if len(rows) == 1:
        return rows[0]
    return {f"{name}_{i}": value for i, row in enumerate(rows) for name, value in row.items()}


class _Compiled:
    """A statement compiled for one dialect, with the converters of its values."""

    def __init__(self, statement: Executable, dialect: Dialect) -> None:
        compiled = cast("SQLCompiler", cast("ClauseElement", statement).compile(dialect=dialect))
        if compiled.insert_prefetch or compiled.update_prefetch:
            raise TypeError(f"Defaults in Python are not filled in here: {compiled}")
        self.sql = str(compiled)
        self._positional_names = compiled.positiontup  # None if the driver takes named parameters
        binds = [(name, bind) for bind, name in compiled.bind_names.items()]
        # The literals of the statement; callers give the values of all others.
        self._fixed_values = {name: bind.value for name, bind in binds if not bind.required}
        self._bind_converters = {
            name: bind.type.dialect_impl(dialect).bind_processor(dialect) for name, bind in binds
        }
        columns = _result_columns(statement)
        self._result_converters = [
            column.type.dialect_impl(dialect).result_processor(dialect, None) for column in columns
        ]
        names = [column.name for column in columns]
        self._row_class: Callable[..., Any] = namedtuple("Row", names)  # type: ignore[misc]  # noqa: PYI024

    def parameters(self, values: Mapping[str, object]) -> Any:
        """Convert the values for the driver: a list or a dict, by its parameter style."""
        all_values = {**self._fixed_values, **values}
        bound = {
            name: convert(all_values[name]) if convert else all_values[name]
            for name, convert in self._bind_converters.items()
        }
        names = self._positional_names
        return bound if names is None else [bound[name] for name in names]

    def row(self, row: Iterable[Any]) -> Any:
        """Convert a row from the driver to a named tuple."""
        pairs = zip(row, self._result_converters, strict=True)
        return self._row_class(*[convert(value) if convert else value for value, convert in pairs])


def _result_columns(statement: Any) -> Iterable[Any]:
    return statement.exported_columns if statement.is_select or statement._returning else ()


@contextmanager
def _cursor(db_session: Session, sql: str) -> Iterator[DBAPICursor]:
    """Open a driver cursor in the transaction, with SQLAlchemy's exceptions."""
    db_session.flush()  # so that the statement sees pending changes
    connection = db_session.info.get(CACHED_CONNECTION) or db_session.connection()
    with driver_errors(connection.dialect, sql), closing(connection.connection.cursor()) as cursor:
        yield cursor
