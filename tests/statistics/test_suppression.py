"""Small counts are suppressed, and nothing suppressed can be worked out."""

from collections import defaultdict
from itertools import product

import pytest

from cop.statistics import suppression
from cop.statistics.suppression import MIN_COUNT, NEARLY_ALL_SUPPRESSED, SUPPRESSED

HATS = ("analyst", "evaluator", "researcher")


def published(counts, base):
    return tuple(suppression.suppress(count, base) for count in counts)


def naive(counts, base):
    """What many publish: small counts suppressed, the others and their sum shown."""
    return (*(count if count >= MIN_COUNT else SUPPRESSED for count in counts), sum(counts))


def narrowed(publish, base):
    """The suppressed rows whose possible counts are fewer, given all that is published."""
    tables = defaultdict(list)
    for counts in product(range(base + 1), repeat=len(HATS)):
        tables[publish(counts, base)].append(counts)
    hidden = {
        SUPPRESSED: set(range(MIN_COUNT)),
        NEARLY_ALL_SUPPRESSED: set(range(base - MIN_COUNT + 1, base + 1)),
    }
    return [
        (table, row)
        for table, possible in tables.items()
        for row in range(len(HATS))
        if table[row] in hidden and {counts[row] for counts in possible} != hidden[table[row]]
    ]


@pytest.mark.parametrize(
    ("count", "base", "expected"),
    [
        (11, 11, None),
        (5, 12, SUPPRESSED),
        (6, 12, "6"),
        (7, 12, NEARLY_ALL_SUPPRESSED),
        (34, 40, "34"),
        (35, 40, NEARLY_ALL_SUPPRESSED),
    ],
)
def test_a_count_is_published_only_where_six_or_more_did_and_did_not(count, base, expected):
    assert suppression.suppress(count, base) == expected


@pytest.mark.parametrize("base", [2 * MIN_COUNT, 2 * MIN_COUNT + 3])
def test_no_subtraction_narrows_a_suppressed_row(base):
    assert narrowed(published, base) == []
    assert narrowed(naive, base)


def test_every_value_is_listed_in_order_and_other_text_counts_as_an_answer():
    answers = [(["analyst"], "")] * 7 + [([], "beekeeper")] * 6 + [([], "")] * 3

    counts = suppression.suppressed_counts(answers, HATS)

    assert list(counts.items()) == [
        (suppression.ASKED, "16"),
        (suppression.ANSWERED, "13"),
        ("analyst", "7"),
        ("evaluator", SUPPRESSED),
        ("researcher", SUPPRESSED),
    ]
