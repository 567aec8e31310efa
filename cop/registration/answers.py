"""The answers of one registration form."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Text, cast, inspect

from cop.models.registration import Registration

_COLUMNS = inspect(Registration).columns
HAS_ACCESS_NEEDS = (
    (cast(_COLUMNS.access, Text) != "[]")
    | (_COLUMNS.access_language != "")
    | (_COLUMNS.access_other != "")
)


@dataclass(frozen=True)
class Answers:
    """What a person answered for the sessions they chose."""

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
    def has_access_needs(self) -> bool:
        """Whether the hosts have something to arrange for this person."""
        return bool(self.access or self.access_language or self.access_other)
