"""Small charts: where each bar of one stands. What it shows stands beside it as a table, too."""

from collections.abc import Sequence
from dataclasses import dataclass

WIDTH, HEIGHT = 320, 150
HEAD, FOOT = 16, 20  # room for a number above the highest bar, and for the labels
LABELS = 12  # as many fit beside each other
MIN_COLUMNS = 8  # fewer columns are no wider, and stand on the left


@dataclass(frozen=True)
class Group:
    """What one column shows: a number, and how many of these; None where that is not known."""

    label: str
    whole: int
    part: int | None


@dataclass(frozen=True)
class Bar:
    """A rectangle."""

    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True)
class Column:
    """One group, drawn."""

    middle: float
    whole: Bar
    part: Bar | None
    number: str
    label: str


@dataclass(frozen=True)
class Chart:
    """All columns, from left to right, on one ground."""

    columns: tuple[Column, ...]
    width: int = WIDTH
    height: int = HEIGHT
    ground: int = HEIGHT - FOOT


def draw(groups: Sequence[Group]) -> Chart | None:
    """Draw groups as columns; nothing where there is nothing to see."""
    highest = max((max(group.whole, group.part or 0) for group in groups), default=0)
    if not highest:
        return None
    step, scale = WIDTH / max(len(groups), MIN_COLUMNS), (HEIGHT - HEAD - FOOT) / highest
    every = -(-len(groups) // LABELS)
    columns = [
        _column(group, (number + 0.5) * step, step, scale, is_named=number % every == 0)
        for number, group in enumerate(groups)
    ]
    return Chart(tuple(columns))


def _column(group: Group, middle: float, step: float, scale: float, *, is_named: bool) -> Column:
    whole = _bar(middle, step * 0.64, group.whole * scale)
    part = None if group.part is None else _bar(middle, step * 0.64, group.part * scale)
    return Column(
        middle=round(middle, 1),
        whole=whole,
        part=part,
        number=str(group.whole) if is_named else "",
        label=group.label if is_named else "",
    )


def _bar(middle: float, width: float, height: float) -> Bar:
    sizes = (middle - width / 2, HEIGHT - FOOT - height, width, height)
    return Bar(*(round(size, 1) for size in sizes))
