"""What the forms of the console have in common."""

from collections.abc import Mapping
from typing import Any

from flask_wtf import FlaskForm
from wtforms import StringField
from wtforms.validators import ValidationError

from cop.errors import Refused
from cop.links import is_https
from cop.web.forms import AtMost, lines, one_line
from cop.web.saying import gettext
from cop.words import N_


class ConsoleForm(FlaskForm):
    """A form of the console, filled with what was sent, or else with what is there."""

    class Meta:
        csrf = False  # the console's door has looked at it already

    def __init__(self, there: Mapping[str, object] | None = None) -> None:
        super().__init__(data=there)  # type: ignore[no-untyped-call]

    def validate_on_submit(self, extra_validators: Any = None) -> bool:
        """Whether the form was sent and is valid."""
        return bool(super().validate_on_submit(extra_validators))  # type: ignore[no-untyped-call]

    def refuse(self, refusal: Refused, *, at: str = "") -> None:
        """Show a refusal of the domain at its field, or at another one."""
        self[at or refusal.field].errors = [gettext(refusal.sentence, **refusal.values)]


class Https:
    """Refuses what is no address to send people to; a reading may be on the old, open web."""

    def __init__(self, *, or_http: bool = False) -> None:
        self.or_http = or_http

    def __call__(self, _form: FlaskForm, field: StringField) -> None:
        address = field.data or ""
        if self.or_http and address.startswith("http://"):
            address = address.replace("http://", "https://", 1)
        if address and not is_https(address):
            said = N_("Write the whole address, beginning with https://.")
            raise ValidationError(gettext(said))


class Whole:
    """Refuses what is no whole number above nought; nothing at all is fine."""

    def __init__(self, sentence: str) -> None:
        self.sentence = sentence

    def __call__(self, _form: FlaskForm, field: StringField) -> None:
        if field.data and number(field.data) is None:
            raise ValidationError(gettext(self.sentence))


def number(typed: str) -> int | None:
    """The number that was typed, if it is one that somebody can mean."""
    return int(typed) if typed.isascii() and typed.isdigit() and len(typed) < 6 else None


def line(limit: int, *checks: object) -> StringField:
    """One line to type into."""
    return StringField(filters=[one_line], validators=[*checks, AtMost(limit)])


def area(limit: int, *checks: object) -> StringField:
    """Several lines to type into."""
    return StringField(filters=[lines], validators=[*checks, AtMost(limit)])
