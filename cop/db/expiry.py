"""Expired rows: found without a lock, and erased in batches."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import ColumnElement, delete, select, update
from sqlalchemy.orm import InstrumentedAttribute, Session

# Rows per batch. A batch can be a transaction, whose write lock on SQLite registrations wait for.
BATCH = 500


@dataclass(frozen=True)
class Expiry:
    """Rows of one table that are due to be cleared or deleted.

    `key` is the table's primary key. `values` is written into the rows; without it they are
    deleted. `counter` names the total of a report that the number of rows is added to.
    """

    key: InstrumentedAttribute[Any]
    is_due: ColumnElement[bool]
    values: Mapping[str, object] = field(default_factory=dict)
    counter: str = ""

    def find(self, db_session: Session) -> list[Sequence[Any]]:
        """Read the keys of the rows that are due, in batches."""
        due_query = select(self.key).where(self.is_due).order_by(self.key)
        keys = db_session.scalars(due_query).all()
        return [keys[start : start + BATCH] for start in range(0, len(keys), BATCH)]

    def erase(self, db_session: Session, keys: Sequence[Any]) -> int:
        """Erase the rows of a batch that are still due; return how many.

        The rows are locked first. If another transaction is changing one of them, this waits until
        it has committed, and then checks whether the row is still due. All workers lock in the same
        order, so none can deadlock.
        """
        is_selected = self.key.in_(keys) & self.is_due
        lock_query = select(self.key).where(is_selected).order_by(self.key).with_for_update()
        locked_keys = db_session.scalars(lock_query).all()
        model = self.key.class_
        erasure = update(model).values(**self.values) if self.values else delete(model)
        # SQLite ignores FOR UPDATE, so there the statement itself checks once more.
        statement = erasure.where(self.key.in_(locked_keys) & self.is_due)
        return db_session.execute(statement).rowcount  # type: ignore[attr-defined,no-any-return]

    def erase_all(self, db_session: Session) -> int:
        """Erase all rows that are due, in the current transaction; return how many."""
        return sum(self.erase(db_session, keys) for keys in self.find(db_session))
