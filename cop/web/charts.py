"""Compute the geometry of SVG bar charts, shown beside a table of numbers."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil

WIDTH, HEIGHT = 320, 164
TOP_MARGIN, BOTTOM_MARGIN = 16, 34  # for a number above the highest bar, and for two lines below
MAX_LABELS = 12  # as many months or years as fit beside each other
MIN_COLUMNS = 8  # fewer columns are as wide as if there were this many, and left-aligned
BAR_WIDTH = 0.64  # as a part of the column's width


@dataclass(frozen=True)
class Group:
    """The numbers of one column: a whole, and a part (None: unknown)."""

    month: str
    year: str
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
    month: str
    year: str  # empty where it is that of the last label


@dataclass(frozen=True)
class Chart:
    """All columns, from left to right, on one baseline."""

    columns: tuple[Column, ...]
    width: int = WIDTH
    height: int = HEIGHT
    baseline_y: int = HEIGHT - BOTTOM_MARGIN


def draw(groups: Sequence[Group]) -> Chart | None:
    """Compute the chart of groups, oldest first; return None if every number is zero."""
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
        labeled_before = groups[index - label_interval] if index else None
        is_new_year = labeled_before is None or labeled_before.year != group.year
        return Column(
            center_x=round(center_x, 1),
            whole=bar(center_x, group.whole),
            part=None if group.part is None else bar(center_x, group.part),
            number=str(group.whole) if is_labeled else "",
            month=group.month if is_labeled else "",
            year=group.year if is_labeled and is_new_year else "",
        )

    return Chart(tuple(column(index, group) for index, group in enumerate(groups)))
