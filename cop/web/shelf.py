"""A shelf for what is costly to make and often wanted as it was."""

from collections import OrderedDict
from collections.abc import Hashable
from threading import Lock
from typing import Generic, TypeVar

MOST = 200  # things on one shelf
T = TypeVar("T")


class Shelf(Generic[T]):
    """What one process keeps, by what it depends on; of too much, what was made first goes."""

    def __init__(self) -> None:
        self._kept: OrderedDict[Hashable, T] = OrderedDict()
        self._lock = Lock()

    def __len__(self) -> int:
        return len(self._kept)

    def get(self, key: Hashable) -> T | None:
        """What was put there, right or not."""
        return self._kept.get(key)

    def put(self, key: Hashable, made: T) -> None:
        """Keep it."""
        with self._lock:
            self._kept[key] = made
            self._kept.move_to_end(key)
            if len(self._kept) > MOST:
                self._kept.popitem(last=False)
