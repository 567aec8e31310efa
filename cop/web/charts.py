"""Compute the geometry of SVG bar charts, shown beside a table of numbers."""

from collections.abc import Sequence
from dataclasses import dataclass

WIDTH, HEIGHT = 320, 150
TOP_MARGIN, BOTTOM_MARGIN = 16, 20  # for a number above the highest bar, and for the labels
MAX_LABELS = 12  # that fit beside each other
MIN_COLUMNS = 8  # fewer columns keep this width and are left-aligned
BAR_WIDTH = 0.64  # of a column


@dataclass(frozen=True)
class Group:
    """What one column shows: a number and a part of it (None: unknown)."""

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
    """A group with its coordinates."""

    center_x: float
    whole: Bar
    part: Bar | None
    number: str
    label: str


@dataclass(frozen=True)
class Chart:
    """All columns, from left to right, on one baseline."""

    columns: tuple[Column, ...]
    width: int = WIDTH
    height: int = HEIGHT
    baseline_y: int = HEIGHT - BOTTOM_MARGIN


def draw(groups: Sequence[Group]) -> Chart | None:
    """Compute the chart of groups; None where every number is zero."""
    highest = max((max(group.whole, group.part or 0) for group in groups), default=0)
    if not highest:
        return None
    step = WIDTH / max(len(groups), MIN_COLUMNS)
    scale = (HEIGHT - TOP_MARGIN - BOTTOM_MARGIN) / highest
    label_interval = -(-len(groups) // MAX_LABELS)

    def bar(center_x: float, number: int) -> Bar:
        width, height = step * BAR_WIDTH, number * scale
        sizes = (center_x - width / 2, HEIGHT - BOTTOM_MARGIN - height, width, height)
        return Bar(*(round(size, 1) for size in sizes))

    def column(index: int, group: Group) -> Column:
        center_x, is_labeled = (index + 0.5) * step, index % label_interval == 0
        return Column(
            center_x=round(center_x, 1),
            whole=bar(center_x, group.whole),
            part=None if group.part is None else bar(center_x, group.part),
            number=str(group.whole) if is_labeled else "",
            label=group.label if is_labeled else "",
        )

    return Chart(tuple(column(index, group) for index, group in enumerate(groups)))
