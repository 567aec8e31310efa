"""What may be said of how many gave an answer: a count of its own, or a band that hides it.

The rule sees one count and the base, and no other row. So whatever else is published, by
subtraction nobody learns more about a hidden row than its band says.
"""

from collections.abc import Collection, Iterable, Sequence

MIN_COUNT = 6  # fewer than this could be told apart
SUPPRESSED = "few"
NEARLY_ALL_SUPPRESSED = "nearly-all"
CHOICE_BANDS, BASE = "offered", "base"  # how many were asked, and how many answered at all


def suppress(count: int, base: int) -> str | None:
    """The band of one answer: its count, or that it is few or nearly all; None: nothing yet."""
    if base < 2 * MIN_COUNT:
        return None
    if count < MIN_COUNT:
        return SUPPRESSED
    return NEARLY_ALL_SUPPRESSED if count > base - MIN_COUNT else str(count)


def suppressed_counts(
    given: Iterable[tuple[Collection[str], str]], values: Sequence[str]
) -> dict[str, str]:
    """The bands of all values, in their order, of the picks (and own words) that people gave.

    Every value is listed, also one that nobody gave: a row that is missing would tell that.
    """
    people = list(given)
    picks = [picked for picked, own_words in people if picked or own_words]
    said = {CHOICE_BANDS: str(len(people)), BASE: str(len(picks))}
    for value in values:
        if found := suppress(sum(value in picked for picked in picks), len(picks)):
            said[value] = found
    return said
