"""One entry of the registry: a question of the form, or a recorded fact."""

from dataclasses import dataclass
from datetime import timedelta
from enum import Enum

from cop.i18n import N_


class Kind(Enum):
    """The form control of a question, which also determines the type of its column."""

    SESSIONS = "sessions"
    TEXT = "text"
    EMAIL = "email"
    LONG_TEXT = "long text"
    SEVERAL = "several"
    CHECKBOX = "checkbox"
    ONE_OF = "one of"


class Export(Enum):
    """Whether the attendee CSV has a column with the answers to a question."""

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
    # Time after the session's end; None if it is stored until the member leaves the mailing list.
    retention: timedelta | None
    seen_by: str = N_("Seen by coordinators.")
    kind: Kind = Kind.TEXT
    missing: str = ""  # the error if there is no answer; if empty, the question is optional
    limit: int = 300  # characters
    autocomplete: str | None = None
    choices: tuple[Choice, ...] = ()
    other_texts: tuple["Field", ...] = ()  # text inputs below the choices
    stored: tuple[str, ...] | None = None  # the columns; None: named like the field and its texts
    blank: object = ""  # the value of the columns if there is no answer
    export: Export = Export.USUAL
    export_prefix: str = ""  # before this text in a CSV column that has several texts
    is_about_session: bool = False  # asked only for sessions that have a preparation question
    asked_with: str = ""  # the name of the question that it is shown and disabled with

    @property
    def required(self) -> bool:
        return bool(self.missing)

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns of the registration, or of the member, that hold the answer."""
        if self.stored is not None:
            return self.stored
        return (self.name, *(text.name for text in self.other_texts))

    @property
    def blanks(self) -> dict[str, object]:
        """The value of each column if there is no answer."""
        texts = {text.name: text.blank for text in self.other_texts}
        return {column: texts.get(column, self.blank) for column in self.columns}

    def is_answered_in(self, row: object) -> bool:
        """Whether any of its columns differs from its blank value in this row."""
        return any(getattr(row, column) != blank for column, blank in self.blanks.items())

    def label_of(self, value: str) -> str:
        """Return the label of a stored value; the value if it is no choice anymore."""
        return next((choice.label for choice in self.choices if choice.value == value), value)
