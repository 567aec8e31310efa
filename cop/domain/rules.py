"""A rule in the words that a coordinator chooses, and as RFC 5545 writes it."""

from dataclasses import dataclass

WEEKDAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
OF_MONTH = ("1", "2", "3", "4", "-1")
WEEKS = range(1, 5)
MONTHS = range(1, 13)


@dataclass(frozen=True)
class Choice:
    """A weekday: one of each month's, or one every so many weeks; and the months without any."""

    weekday: str
    of_month: str | None = None  # among OF_MONTH; without it, weeks are counted
    weeks: int = 1
    months_off: tuple[int, ...] = ()

    @property
    def months(self) -> tuple[int, ...]:
        return tuple(month for month in MONTHS if month not in self.months_off)

    @property
    def counts_weeks(self) -> bool:
        """Whether it takes a date to say which weeks are meant."""
        return self.of_month is None and self.weeks > 1

    @property
    def rule(self) -> str:
        """The rule as RFC 5545 writes it; without any month it is none that can be read."""
        how = "WEEKLY" if self.of_month is None else "MONTHLY"
        parts = [f"FREQ={how}"]
        if self.counts_weeks:
            parts.append(f"INTERVAL={self.weeks}")
        parts.append(f"BYDAY={self.of_month or ''}{self.weekday}")
        if self.months_off:
            parts.append(f"BYMONTH={','.join(map(str, self.months))}")
        return ";".join(parts)


def read(rule: str) -> Choice | None:
    """The choice that makes a rule; None for a rule that no choice makes."""
    parts = dict(part.partition("=")[::2] for part in rule.upper().split(";"))
    by_day = parts.pop("BYDAY", "")
    number, weekday = by_day[:-2].lstrip("+"), by_day[-2:]
    how, weeks = parts.pop("FREQ", ""), parts.pop("INTERVAL", "1")
    months = _months(parts.pop("BYMONTH", ",".join(map(str, MONTHS))))
    if parts or weekday not in WEEKDAYS or not months or weeks not in map(str, WEEKS):
        return None
    off = tuple(month for month in MONTHS if month not in months)
    if how == "MONTHLY" and number in OF_MONTH and weeks == "1":
        return Choice(weekday, of_month=number, months_off=off)
    if how == "WEEKLY" and not number:
        return Choice(weekday, weeks=int(weeks), months_off=off)
    return None


def _months(said: str) -> set[int]:
    months = {int(part) for part in said.split(",") if part.isascii() and part.isdigit()}
    return months if months <= set(MONTHS) and len(months) == said.count(",") + 1 else set()
