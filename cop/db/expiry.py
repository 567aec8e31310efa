"""Expired rows: found without a lock, and erased in batches."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import ColumnElement, delete, select, update
from sqlalchemy.orm import InstrumentedAttribute, Session

# Rows per transaction: it holds SQLite's write lock, which registrations wait for.
BATCH = 500


@dataclass(frozen=True)
class Expiry:
    """Rows of one table that are due to be cleared or deleted.

    `values` is written into them; without it they are deleted. `counter` names the total that
    their number is added to.
    """

    key: InstrumentedAttribute[Any]
    is_due: ColumnElement[bool]
    values: Mapping[str, object] = field(default_factory=dict)
    counter: str = ""

    def find(self, db_session: Session) -> list[Sequence[Any]]:
        """Read the keys of the rows that are due, in batches."""
        keys = db_session.scalars(select(self.key).where(self.is_due).order_by(self.key)).all()
        return [keys[start : start + BATCH] for start in range(0, len(keys), BATCH)]

    def erase(self, db_session: Session, keys: Sequence[Any]) -> int:
        """Erase those of a batch that are still due; return how many.

        They are locked first, in order: a row that another transaction is changing is
        checked again once that has committed, and two workers at once cannot deadlock.
        """
        are_due = self.key.in_(keys) & self.is_due
        locked = select(self.key).where(are_due).order_by(self.key).with_for_update()
        keys = db_session.scalars(locked).all()
        are_due = self.key.in_(keys) & self.is_due
        table = self.key.class_
        rows = update(table).values(**self.values) if self.values else delete(table)
        statement = rows.where(are_due)
        return db_session.execute(statement).rowcount  # type: ignore[attr-defined,no-any-return]

    def erase_all(self, db_session: Session) -> int:
        """Erase everything that is due in one transaction; return how many."""
        return sum(self.erase(db_session, keys) for keys in self.find(db_session))
