"""What a field of the registry is: one question, or one thing that is noted."""

from dataclasses import dataclass
from datetime import timedelta
from enum import Enum


class Kind(Enum):
    """How a question is put."""

    SESSIONS = "sessions"
    TEXT = "text"
    EMAIL = "email"
    LONG_TEXT = "long text"
    TICKS = "ticks"
    TICK = "tick"
    ONE_OF = "one of"


@dataclass(frozen=True)
class Choice:
    """One answer that can be picked: the value that is sent, and what people read."""

    value: str
    label: str


@dataclass(frozen=True)
class Field:
    """One question, or one thing that we note ourselves."""

    name: str
    label: str
    hint: str
    seen_by: str
    kept: timedelta | None  # after the session's end; None: until they leave the mailing list
    kind: Kind = Kind.TEXT
    required: bool = False
    limit: int = 300  # characters
    autocomplete: str | None = None
    choices: tuple[Choice, ...] = ()
    own_words: tuple["Field", ...] = ()  # belongs to this question, asked beside it
    columns: tuple[str, ...] = ()  # of the registration (or member) that hold the answer
    blank: object = ""  # what the columns hold once the answer is gone

    @property
    def can_be_switched_off(self) -> bool:
        return not self.required

    @property
    def blanks(self) -> dict[str, object]:
        """What each column holds once the answer is deleted."""
        own = {field.name: field.blank for field in self.own_words}
        return {column: own.get(column, self.blank) for column in self.columns}

    def label_of(self, value: str) -> str:
        """What people read for a value that was picked."""
        return next((choice.label for choice in self.choices if choice.value == value), value)
