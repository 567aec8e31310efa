"""Compute the geometry of SVG bar charts, shown beside a table of numbers."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil

WIDTH, HEIGHT = 320, 150
TOP_MARGIN, BOTTOM_MARGIN = 16, 20  # for a number above the highest bar, and for the labels
MAX_LABELS = 12  # as many as fit beside each other
MIN_COLUMNS = 8  # fewer columns are as wide as if there were this many, and left-aligned
BAR_WIDTH = 0.64  # as a part of the column's width


@dataclass(frozen=True)
class Group:
    """The numbers of one column: a whole, and a part (None: unknown)."""

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
    """Compute the chart of groups; return None if every number is zero."""
    highest = max((max(group.whole, group.part or 0) for group in groups), default=0)
    if not highest:
        return None
    column_width = WIDTH / max(len(groups), MIN_COLUMNS)
    scale = (HEIGHT - TOP_MARGIN - BOTTOM_MARGIN) / highest
    label_interval = ceil(len(groups) / MAX_LABELS)  # every n-th column has a label

    def bar(center_x: float, number: int) -> Bar:
        width, height = column_width * BAR_WIDTH, number * scale
        coordinates = (center_x - width / 2, HEIGHT - BOTTOM_MARGIN - height, width, height)
        return Bar(*(round(each, 1) for each in coordinates))

    def column(index: int, group: Group) -> Column:
        center_x, is_labeled = (index + 0.5) * column_width, index % label_interval == 0
        return Column(
            center_x=round(center_x, 1),
            whole=bar(center_x, group.whole),
            part=None if group.part is None else bar(center_x, group.part),
            number=str(group.whole) if is_labeled else "",
            label=group.label if is_labeled else "",
        )

    return Chart(tuple(column(index, group) for index, group in enumerate(groups)))
