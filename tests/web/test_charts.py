"""Charts: every bar is within the frame and as high as its number."""

import pytest

from cop.web import charts
from cop.web.charts import Group


@pytest.mark.parametrize("groups", [1, 12, 13, 60])
def test_a_chart_keeps_within_its_frame(groups):
    chart = charts.draw(
        [Group("Sep", "2026", number, number // 2) for number in range(1, groups + 1)]
    )

    bars = [bar for column in chart.columns for bar in (column.whole, column.part)]
    assert len(chart.columns) == groups
    assert all(bar.x >= 0 and bar.x + bar.width <= chart.width for bar in bars)
    assert all(
        bar.y >= charts.TOP_MARGIN and bar.y + bar.height <= chart.baseline_y + 0.1 for bar in bars
    )
    assert 0 < len([column for column in chart.columns if column.month]) <= charts.MAX_LABELS


def test_a_higher_column_shows_a_higher_number():
    low, high = charts.draw([Group("", "", 5, None), Group("", "", 10, 12)]).columns

    assert high.whole.height == pytest.approx(2 * low.whole.height, abs=0.1)
    assert high.part.height > high.whole.height
    assert low.part is None


@pytest.mark.parametrize("groups", [[], [Group("", "", 0, 0)]], ids=["none", "zeros"])
def test_without_numbers_nothing_is_drawn(groups):
    assert charts.draw(groups) is None


def test_a_year_is_written_where_it_begins():
    dates = [("Nov", "2025"), ("Dec", "2025"), ("Jan", "2026"), ("Feb", "2026")]

    columns = charts.draw([Group(*each, 1, 1) for each in dates]).columns

    assert [column.month for column in columns] == ["Nov", "Dec", "Jan", "Feb"]
    assert [column.year for column in columns] == ["2025", "", "2026", ""]


def test_years_are_compared_between_labeled_columns():
    years = [Group("Jan", str(2000 + number // 5), 1, 1) for number in range(60)]

    labeled = [column for column in charts.draw(years).columns if column.month]

    assert [column.year for column in labeled] == [str(2000 + number) for number in range(12)]
