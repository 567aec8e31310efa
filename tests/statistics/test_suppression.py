"""Bands: what is said of how many wear a hat, and that nothing hidden can be worked out."""

from collections import defaultdict
from itertools import product

import pytest

from cop.statistics import suppression
from cop.statistics.suppression import (
    BASE,
    CHOICE_BANDS,
    MIN_COUNT,
    NEARLY_ALL_SUPPRESSED,
    SUPPRESSED,
)

HATS = ("analyst", "evaluator", "researcher")


def published(counts, base):
    return tuple(suppression.suppress(count, base) for count in counts)


def naive(counts, base):
    """What many publish: small counts hidden, the others and their sum shown."""
    return (*(count if count >= MIN_COUNT else SUPPRESSED for count in counts), sum(counts))


def narrowed(publish, base):
    """The rows that are hidden and of which what is published still leaves fewer counts."""
    tables = defaultdict(list)
    for counts in product(range(base + 1), repeat=len(HATS)):
        tables[publish(counts, base)].append(counts)
    hidden = {
        SUPPRESSED: set(range(MIN_COUNT)),
        NEARLY_ALL_SUPPRESSED: set(range(base - MIN_COUNT + 1, base + 1)),
    }
    return [
        (said, row)
        for said, possible in tables.items()
        for row in range(len(HATS))
        if said[row] in hidden and {counts[row] for counts in possible} != hidden[said[row]]
    ]


@pytest.mark.parametrize(
    ("count", "base", "said"),
    [
        (0, 11, None),
        (11, 11, None),
        (0, 12, SUPPRESSED),
        (5, 12, SUPPRESSED),
        (6, 12, "6"),
        (7, 12, NEARLY_ALL_SUPPRESSED),
        (12, 12, NEARLY_ALL_SUPPRESSED),
        (5, 40, SUPPRESSED),
        (6, 40, "6"),
        (34, 40, "34"),
        (35, 40, NEARLY_ALL_SUPPRESSED),
    ],
)
def test_a_count_is_said_only_where_six_or_more_did_and_did_not(count, base, said):
    found = suppression.suppress(count, base)

    assert found == said


@pytest.mark.parametrize("base", range(2 * MIN_COUNT, 2 * MIN_COUNT + 4))
def test_no_subtraction_narrows_a_hidden_row(base):
    rows = narrowed(published, base)

    assert rows == []


def test_hiding_small_counts_beside_their_sum_does_narrow_some():
    rows = narrowed(naive, 2 * MIN_COUNT)

    assert rows


def test_every_hat_is_listed_in_the_order_of_the_form_whether_worn_or_not():
    given = [(["analyst"], "")] * 7 + [([], "beekeeper")] * 6 + [([], "")] * 3

    said = suppression.suppressed_counts(given, HATS)

    assert list(said.items()) == [
        (CHOICE_BANDS, "16"), (BASE, "13"), ("analyst", "7"), ("evaluator", SUPPRESSED), ("researcher", SUPPRESSED),
    ]  # fmt: skip


def test_where_few_answered_nothing_is_said_yet():
    given = [(["analyst"], "")] * 11 + [([], "")] * 30

    said = suppression.suppressed_counts(given, HATS)

    assert said == {CHOICE_BANDS: "41", BASE: "11"}
