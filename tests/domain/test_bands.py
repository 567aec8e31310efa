"""Bands: what is said of how many wear a hat, and that nothing hidden can be worked out."""

from collections import defaultdict
from itertools import product

import pytest

from cop.domain import bands
from cop.domain.bands import BASE, FEW, NEARLY_ALL, OFFERED, K

HATS = ("analyst", "evaluator", "researcher")


def published(counts, base):
    return tuple(bands.band(count, base) for count in counts)


def naive(counts, base):
    """What many publish: small counts hidden, the others and their sum shown."""
    return (*(count if count >= K else FEW for count in counts), sum(counts))


def narrowed(publish, base):
    """The rows that are hidden and of which what is published still leaves fewer counts."""
    tables = defaultdict(list)
    for counts in product(range(base + 1), repeat=len(HATS)):
        tables[publish(counts, base)].append(counts)
    hidden = {FEW: set(range(K)), NEARLY_ALL: set(range(base - K + 1, base + 1))}
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
        (0, 12, FEW),
        (5, 12, FEW),
        (6, 12, "6"),
        (7, 12, NEARLY_ALL),
        (12, 12, NEARLY_ALL),
        (5, 40, FEW),
        (6, 40, "6"),
        (34, 40, "34"),
        (35, 40, NEARLY_ALL),
    ],
)
def test_a_count_is_said_only_where_six_or_more_did_and_did_not(count, base, said):
    found = bands.band(count, base)

    assert found == said


@pytest.mark.parametrize("base", range(2 * K, 2 * K + 4))
def test_no_subtraction_narrows_a_hidden_row(base):
    rows = narrowed(published, base)

    assert rows == []


def test_hiding_small_counts_beside_their_sum_does_narrow_some():
    rows = narrowed(naive, 2 * K)

    assert rows


def test_every_hat_is_listed_in_the_order_of_the_form_whether_worn_or_not():
    given = [(["analyst"], "")] * 7 + [([], "beekeeper")] * 6 + [([], "")] * 3

    said = bands.banded(given, HATS)

    assert list(said.items()) == [
        (OFFERED, "16"), (BASE, "13"), ("analyst", "7"), ("evaluator", FEW), ("researcher", FEW),
    ]  # fmt: skip


def test_where_few_answered_nothing_is_said_yet():
    given = [(["analyst"], "")] * 11 + [([], "")] * 30

    said = bands.banded(given, HATS)

    assert said == {OFFERED: "41", BASE: "11"}
