"""What somebody says about themselves when they register."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Details:
    """What somebody said about themselves for the meetings they chose."""

    name: str
    email: str
    organization: str = ""
    pronouns: str = ""
    hats: Sequence[str] = ()
    hats_other: str = ""
    access: Sequence[str] = ()
    access_language: str = ""
    access_other: str = ""
    taking_part: Sequence[str] = ()
    first_time: bool = False
    prep_answer: str = ""
    prep_visibility: str = "hosts"
    list_opt_in: bool = False
    language: str = "en"

    @property
    def asks_for_access(self) -> bool:
        """Whether something is to be arranged for them."""
        return bool(self.access or self.access_language or self.access_other)
