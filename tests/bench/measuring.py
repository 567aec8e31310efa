"""How to measure on a machine that is never quite idle: alternating rounds, medians and ratios."""

import json
import platform
from collections.abc import Callable
from dataclasses import asdict, dataclass
from statistics import median

NOISY = 0.25  # a spread of the rounds' ratios beyond which nothing can be judged


@dataclass(frozen=True)
class Figure:
    """One line of the table: what was measured, against what, and whether that is enough."""

    what: str
    value: float
    unit: str
    target: str = ""
    is_met: bool | None = None
    reference: float | None = None
    ratio: float | None = None
    spread: float | None = None

    @property
    def verdict(self):
        if self.is_met is None:
            return ""
        if self.spread is not None and self.spread > NOISY and not self.is_met:
            return "too noisy to judge"
        return "met" if self.is_met else "missed"


def alternate(ours: Callable[[], float], theirs: Callable[[], float], *, rounds: int):
    """Run both in turn, `rounds` times; return the rates of each, round by round."""
    pairs = [(ours(), theirs()) for _ in range(rounds)]
    return [pair[0] for pair in pairs], [pair[1] for pair in pairs]


def compared(what, unit, rates, references, *, at_least=None):
    """The figure of rates against their reference: the median of the rounds' ratios is judged."""
    ratios = sorted(ours / theirs for ours, theirs in zip(rates, references, strict=True))
    ratio = median(ratios)
    return Figure(
        what=what,
        value=median(rates),
        unit=unit,
        target=f"at least {at_least} of it" if at_least else "",
        is_met=None if at_least is None else ratio >= at_least,
        reference=median(references),
        ratio=ratio,
        spread=(ratios[-1] - ratios[0]) / ratio,
    )


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
        reference = "" if figure.reference is None else f"{figure.reference:.4g}"
        ratio = "" if figure.ratio is None else f"{figure.ratio:.2f} (± {figure.spread / 2:.0%})"
        cells = (figure.what, f"{figure.value:.4g} {figure.unit}", reference, ratio, figure.target)
        lines.append(f"| {' | '.join((*cells, figure.verdict))} |")
    return "\n".join(lines)


def written(figures, file):
    """Write the figures as JSON, with what they were measured on."""
    machine = {"python": platform.python_version(), "system": platform.platform()}
    rows = [asdict(figure) | {"verdict": figure.verdict} for figure in figures]
    file.write_text(json.dumps({"machine": machine, "figures": rows}, indent=1) + "\n")
