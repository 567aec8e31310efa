"""What every refusal is."""

from cop.words import N_


class RuleBroken(Exception):  # noqa: N818 - the glossary calls these refusals
    """Something that was asked for goes against a rule of the community."""

    reason = N_("This is not possible.")
    field = "sessions"

    def __init__(self, **values: object) -> None:
        super().__init__(self.reason)
        self.values = values
