"""Statements for both kinds of database: in the dialect of each, and prepared ones."""

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
from sqlalchemy.types import TypeEngine

from cop.db.types import Base

if TYPE_CHECKING:
    from sqlalchemy.sql.compiler import SQLCompiler

CONNECTION = "connection"  # in a session's info: that of its transaction, which it looks for long


@contextmanager
def driver_errors(dialect: Dialect, sql: str) -> Iterator[None]:
    """Turn what the driver raises into what everybody else knows."""
    driver = dialect.loaded_dbapi
    try:
        yield
    except driver.Error as error:
        raise DBAPIError.instance(
            sql, None, error, driver.Error, hide_parameters=True, dialect=dialect
        ) from error


Insert = postgresql.Insert | sqlite.Insert
_Convert = Callable[[Any], Any] | None


def insert_with_conflict(db_session: Session, model: type[Base]) -> Insert:
    """An INSERT that knows ON CONFLICT."""
    return _insert(db_session.get_bind().dialect, model)


def _insert(dialect: Dialect, model: type[Base]) -> Insert:
    return sqlite.insert(model) if dialect.name == "sqlite" else postgresql.insert(model)


class Prepared:
    """A statement that is compiled once, and then handed to the driver as it is.

    SQLAlchemy takes ten times as long to run a statement as SQLite does; where many people wait for
    the same lock, that is their wait. Values go in and come out as the columns' types have them.
    Each parameter that the statement names needs its value each time, also where a column has a
    default in Python.
    """

    def __init__(self, statement: Executable | Callable[[Dialect], Executable]) -> None:
        self._statement = statement
        self._compiled: dict[str, _Compiled] = {}

    @classmethod
    def insert(
        cls,
        model: type[Base],
        columns: Iterable[str],
        finish: Callable[[Insert], Executable] = lambda new: new,
        *,
        rows: int = 1,
    ) -> "Prepared":
        """An INSERT of these columns that knows ON CONFLICT, and that `finish` completes.

        Of several rows, the values are named `numbered`.
        """
        types = {name: model.__table__.c[name].type for name in columns}
        numbers = [f"_{at}" for at in range(rows)] if rows > 1 else [""]
        each: Any = [
            {name: bindparam(f"{name}{number}", type_=type_) for name, type_ in types.items()}
            for number in numbers
        ]
        values = each if rows > 1 else each[0]
        return cls(lambda dialect: finish(_insert(dialect, model).values(values)))

    def rows(self, db_session: Session, **values: object) -> list[Any]:
        """Run it in the session's transaction; return its rows, as named tuples."""
        compiled = self._for(db_session)
        with _cursor(db_session, compiled.sql) as cursor:
            cursor.execute(compiled.sql, compiled.parameters(values))
            return [compiled.row(row) for row in cursor.fetchall()]

    def run(self, db_session: Session, rows: Iterable[Mapping[str, object]]) -> None:
        """Run it once for each of some sets of values, without an answer."""
        compiled = self._for(db_session)
        with _cursor(db_session, compiled.sql) as cursor:
            cursor.executemany(compiled.sql, [compiled.parameters(row) for row in rows])

    def _for(self, db_session: Session) -> "_Compiled":
        dialect = db_session.get_bind().dialect
        if dialect.name not in self._compiled:
            made = self._statement(dialect) if callable(self._statement) else self._statement
            self._compiled[dialect.name] = _Compiled(made, dialect)
        return self._compiled[dialect.name]


def numbered(rows: list[dict[str, Any]]) -> dict[str, Any]:
    """The values of some rows as one statement takes them."""
    if len(rows) == 1:
        return rows[0]
    return {f"{name}_{at}": value for at, row in enumerate(rows) for name, value in row.items()}


class _Compiled:
    """A statement for one kind of database."""

    def __init__(self, statement: Executable, dialect: Dialect) -> None:
        compiled = cast("SQLCompiler", cast("ClauseElement", statement).compile(dialect=dialect))
        if compiled.insert_prefetch or compiled.update_prefetch:
            raise TypeError(f"Defaults in Python are not filled in here: {compiled}")
        self.sql = str(compiled)
        self._names = compiled.positiontup
        named = [(name, bind) for bind, name in compiled.bind_names.items()]
        self._fixed = {name: bind.value for name, bind in named if not bind.required}
        self._binding = {name: _binding(bind.type, dialect) for name, bind in named}
        columns = [(each.name, each.type) for each in _result_columns(statement)]
        self._reading = [_reading(type_, dialect) for _, type_ in columns]
        names = [name for name, _ in columns]
        self._row: Callable[..., Any] = namedtuple("Row", names)  # type: ignore[misc]  # noqa: PYI024

    def parameters(self, values: Mapping[str, object]) -> Any:
        """The values as the driver takes them: by position, or by name."""
        given = {**self._fixed, **values}
        bound = {
            name: convert(given[name]) if convert else given[name]
            for name, convert in self._binding.items()
        }
        return bound if self._names is None else [bound[name] for name in self._names]

    def row(self, row: Iterable[Any]) -> Any:
        """A row of the driver's, as the columns' types have it."""
        pairs = zip(row, self._reading, strict=True)
        return self._row(*[convert(value) if convert else value for value, convert in pairs])


def _result_columns(statement: Any) -> Iterable[Any]:
    return statement.exported_columns if statement.is_select or statement._returning else ()


def _binding(type_: TypeEngine[Any], dialect: Dialect) -> _Convert:
    return type_.dialect_impl(dialect).bind_processor(dialect)


def _reading(type_: TypeEngine[Any], dialect: Dialect) -> _Convert:
    return type_.dialect_impl(dialect).result_processor(dialect, None)


@contextmanager
def _cursor(db_session: Session, sql: str) -> Iterator[DBAPICursor]:
    """A cursor of the session's transaction, whose faults are SQLAlchemy's."""
    db_session.flush()  # what the session knows and the database does not yet
    connection = db_session.info.get(CONNECTION) or db_session.connection()
    with driver_errors(connection.dialect, sql), closing(connection.connection.cursor()) as cursor:
        yield cursor
