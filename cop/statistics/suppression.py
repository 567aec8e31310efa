"""Small-count suppression: publish a count, or only that it is few or nearly all.

The rule depends only on one count and its base, not on other rows, so that a suppressed count
cannot be found by subtracting published ones.
"""

from collections.abc import Collection, Iterable, Sequence

MIN_COUNT = 6  # people in smaller groups could be identified
SUPPRESSED = "few"
NEARLY_ALL_SUPPRESSED = "nearly-all"
ASKED, ANSWERED = "offered", "base"  # keys beside the values: how many were asked, and answered


def suppress(count: int, base: int) -> str | None:
    """Suppress a count where needed; None if the base is too small to publish any."""
    if base < 2 * MIN_COUNT:
        return None
    if count < MIN_COUNT:
        return SUPPRESSED
    return NEARLY_ALL_SUPPRESSED if count > base - MIN_COUNT else str(count)


def suppressed_counts(
    answers: Iterable[tuple[Collection[str], str]], values: Sequence[str]
) -> dict[str, str]:
    """Count how many people chose each value, with small counts suppressed.

    Each answer is a pair of choices and other text.

    Values that nobody gave are included, since a missing row would reveal a zero.
    """
    everyone = list(answers)
    given = [choices for choices, other_text in everyone if choices or other_text]
    counts = {ASKED: str(len(everyone)), ANSWERED: str(len(given))}
    for value in values:
        if count := suppress(sum(value in choices for choices in given), len(given)):
            counts[value] = count
    return counts
