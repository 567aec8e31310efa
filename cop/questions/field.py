"""One entry of the registry: a question on the form, or a fact that is recorded about a person."""

from dataclasses import dataclass
from datetime import timedelta
from enum import Enum


class Kind(Enum):
    """The form control of a question, and with it the type of its column."""

    SESSIONS = "sessions"
    TEXT = "text"
    EMAIL = "email"
    LONG_TEXT = "long text"
    SEVERAL = "several"
    CHECKBOX = "checkbox"
    ONE_OF = "one of"


class Export(Enum):
    """Whether the attendee CSV has a column of a question's answers."""

    USUAL = "usual"
    ON_REQUEST = "on request"
    NEVER = "never"


@dataclass(frozen=True)
class Choice:
    """One answer that can be picked: the stored value, and its label."""

    value: str
    label: str


@dataclass(frozen=True)
class Field:
    """One question, or one recorded fact."""

    name: str
    label: str
    hint: str
    seen_by: str
    retention: timedelta | None  # after the session's end; None: until they leave the mailing list
    kind: Kind = Kind.TEXT
    missing: str = ""  # the error where there is no answer; without it, the question is optional
    limit: int = 300  # characters
    autocomplete: str | None = None
    choices: tuple[Choice, ...] = ()
    other_texts: tuple["Field", ...] = ()  # text inputs below the choices
    stored: tuple[str, ...] | None = None  # the columns, unless named like the field and its texts
    blank: object = ""  # what the columns hold without an answer
    export: Export = Export.USUAL
    export_prefix: str = ""  # of a text among others in one column
    is_about_session: bool = False  # asked only where a session has a question of its own
    asked_with: str = ""  # the name of the question whose part of the form it belongs to

    @property
    def required(self) -> bool:
        return bool(self.missing)

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns of the registration, or of the member, that hold the answer."""
        named_alike = (self.name, *(text.name for text in self.other_texts))
        return named_alike if self.stored is None else self.stored

    @property
    def blanks(self) -> dict[str, object]:
        """What each column holds without an answer."""
        texts = {text.name: text.blank for text in self.other_texts}
        return {column: texts.get(column, self.blank) for column in self.columns}

    def is_answered_in(self, row: object) -> bool:
        """Whether any of its columns holds more than without an answer."""
        return any(getattr(row, column) != blank for column, blank in self.blanks.items())

    def label_of(self, value: str) -> str:
        """The label of a stored value."""
        return next((choice.label for choice in self.choices if choice.value == value), value)
