"""How to measure on a machine that is never quite idle: alternating rounds, medians and ratios."""

import json
import platform
from collections.abc import Callable
from dataclasses import asdict, dataclass
from statistics import median

MANY = 15  # rounds, among which single ones that something held up do not count
NOISY = 0.25  # a spread of the rounds' ratios beyond which nothing can be judged


@dataclass(frozen=True)
class Figure:
    """One line of the table: what was measured, against what, and whether that is enough."""

    what: str
    value: float | None
    unit: str
    target: str = ""
    is_met: bool | None = None
    reference: float | None = None
    ratio: float | None = None
    spread: float | None = None
    is_noisy: bool = False  # what was measured cannot tell whether the target is met
    left_out: str = ""  # why nothing was measured

    @property
    def verdict(self):
        if self.is_met is None:
            return self.left_out
        if self.is_noisy:
            return "too noisy to judge"
        return "met" if self.is_met else "missed"


def left_out(what, why):
    """The line of what cannot be measured here."""
    return Figure(what, None, "", left_out=why)


def alternate(*acts: Callable[[], object], rounds: int):
    """Run these in turn, `rounds` times; return what each has measured, round by round."""
    found = [[act() for act in acts] for _ in range(rounds)]
    return [list(of_one) for of_one in zip(*found, strict=True)]


def compared(what, unit, values, references, *, at_least=None, at_most=None):
    """The figure of values against their reference: the median of the rounds' ratios is judged."""
    ratios = sorted(ours / theirs for ours, theirs in zip(values, references, strict=True))
    ratio, (low, high) = median(ratios), _range(ratios)
    is_met, target = None, ""
    if at_least is not None:
        is_met, target = [each >= at_least for each in (low, ratio, high)], f"at least {at_least}"
    if at_most is not None:
        is_met, target = [each <= at_most for each in (low, ratio, high)], f"at most {at_most}"
    spread, is_divided = (high - low) / ratio, len(set(is_met or [])) > 1
    return Figure(
        what=what,
        value=median(values),
        unit=unit,
        target=f"{target} of it" if target else "",
        is_met=is_met and is_met[1],
        reference=median(references),
        ratio=ratio,
        spread=spread,
        is_noisy=is_divided and spread > NOISY,
    )


def _range(ranked):
    """From where to where values go: all of few, the middle half of many."""
    if len(ranked) < MANY:
        return ranked[0], ranked[-1]
    return ranked[len(ranked) // 4], ranked[3 * len(ranked) // 4]


def by_clock_and_cpu(what, measured, *, at_least):
    """Two figures of pairs of rates: by the clock, and by the CPU time that the server took.

    The second holds also where other programs keep the machine busy.
    """
    names = (what, "a second"), ("the same", "a second of the server's CPU time")
    for (name, unit), at in zip(names, (0, 1), strict=True):
        rates = [[pair[at] for pair in of_one] for of_one in measured]
        yield compared(name, unit, *rates, at_least=at_least)


def percentile(values, share):
    """The value below which this share of the values lies."""
    ranked = sorted(values)
    return ranked[min(len(ranked) - 1, int(len(ranked) * share))]


def printed(figures):
    """The table, as README shows it."""
    lines = [
        "| what | figure | reference | ratio | target | verdict |",
        "|---|---|---|---|---|---|",
    ]
    for figure in figures:
        value = "" if figure.value is None else f"{figure.value:.4g} {figure.unit}".strip()
        reference = "" if figure.reference is None else f"{figure.reference:.4g}"
        ratio = "" if figure.ratio is None else f"{figure.ratio:.2f} (± {figure.spread / 2:.0%})"
        cells = (figure.what, value, reference, ratio, figure.target)
        lines.append(f"| {' | '.join((*cells, figure.verdict))} |")
    return "\n".join(lines)


def written(figures, file):
    """Write the figures as JSON, with what they were measured on."""
    machine = {"python": platform.python_version(), "system": platform.platform()}
    rows = [asdict(figure) | {"verdict": figure.verdict} for figure in figures]
    file.write_text(json.dumps({"machine": machine, "figures": rows}, indent=1) + "\n")
