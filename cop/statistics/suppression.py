"""Small-count suppression: publish a count, or only that it is few or nearly all.

The rule depends on one count and its base alone, not on other rows. So no other published count
narrows a suppressed one by subtraction.
"""

from collections.abc import Collection, Iterable, Sequence

MIN_COUNT = 6  # people in smaller groups could be identified
SUPPRESSED = "few"
NEARLY_ALL_SUPPRESSED = "nearly-all"
ASKED, ANSWERED = "offered", "base"  # keys beside the values: how many were asked, and answered


def suppress(count: int, base: int) -> str | None:
    """Suppress one count where needed; None: the base is too small to publish anything."""
    if base < 2 * MIN_COUNT:
        return None
    if count < MIN_COUNT:
        return SUPPRESSED
    return NEARLY_ALL_SUPPRESSED if count > base - MIN_COUNT else str(count)


def suppressed_counts(
    answers: Iterable[tuple[Collection[str], str]], values: Sequence[str]
) -> dict[str, str]:
    """Count how many gave each value, from their choices and other text; small counts suppressed.

    Values that nobody gave are included, since a missing row would reveal a zero.
    """
    everyone = list(answers)
    given = [choices for choices, other_text in everyone if choices or other_text]
    counts = {ASKED: str(len(everyone)), ANSWERED: str(len(given))}
    for value in values:
        if count := suppress(sum(value in choices for choices in given), len(given)):
            counts[value] = count
    return counts
