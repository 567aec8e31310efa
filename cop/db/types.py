"""The models' common ground: moments in UTC, one metadata, and names for constraints."""

from datetime import UTC, datetime
from secrets import randbits

from sqlalchemy import JSON, DateTime, MetaData, Text
from sqlalchemy.engine import Dialect
from sqlalchemy.orm import DeclarativeBase, registry
from sqlalchemy.types import TypeDecorator

# SQLite would give the number of a deleted row out again, and old links would open the new one.
AUTOINCREMENT = {"sqlite_autoincrement": True}


def random_first_version() -> int:
    """Where somebody's links begin to count: those from before a restore fit nobody new."""
    return randbits(30)


class UtcDateTime(TypeDecorator[datetime]):
    """A moment, stored in UTC; a datetime without a zone is refused."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"A time without a zone cannot be stored: {value}")
        value = value.astimezone(UTC)
        return value.replace(tzinfo=None) if dialect.name == "sqlite" else value

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class Base(DeclarativeBase):
    """The models' common ground: one metadata, and names for constraints."""

    # A registry of our own, since Flask-SQLAlchemy makes a subclass of this class.
    registry = registry(
        metadata=MetaData(
            naming_convention={
                "ix": "ix_%(column_0_label)s",
                "uq": "uq_%(table_name)s_%(column_0_name)s",
                "ck": "ck_%(table_name)s_%(constraint_name)s",
                "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
                "pk": "pk_%(table_name)s",
            }
        ),
        type_annotation_map={datetime: UtcDateTime, list[str]: JSON, str: Text},
    )
