"""The answers of one registration form."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from sqlalchemy import Text, cast, inspect

from cop.models.registration import Registration
from cop.questions import registry

_COLUMNS = inspect(Registration).columns
# Compare JSON as text, since PostgreSQL cannot compare it; an empty list is stored as `[]`.
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
    values: Mapping[str, object] = field(default_factory=dict)  # by column of the registration
    language: str = "en"

    @property
    def has_access_needs(self) -> bool:
        """Whether the hosts have something to arrange for this person."""
        return any(self.values.get(column) for column in registry.ACCESS.columns)
