"""One statement that SQLite and PostgreSQL both have, each in its own dialect of SQLAlchemy."""

from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from cop.base import Base


def insert_with_conflict(
    db_session: Session, model: type[Base]
) -> postgresql.Insert | sqlite.Insert:
    """An INSERT that knows ON CONFLICT."""
    is_sqlite = db_session.get_bind().dialect.name == "sqlite"
    return sqlite.insert(model) if is_sqlite else postgresql.insert(model)
