"""What the forms of the console have in common."""

import re
import secrets
from collections.abc import Callable, Mapping
from typing import Any

from flask import current_app
from flask_wtf import FlaskForm
from itsdangerous import BadData, URLSafeTimedSerializer
from wtforms import Field as FormField
from wtforms import StringField
from wtforms.validators import StopValidation, ValidationError

from cop import email_addresses
from cop.errors import InvalidAddress, Refused
from cop.i18n import N_
from cop.links import is_https
from cop.web.i18n import gettext, refusal_text

TOKEN_AGE = 12 * 3600  # seconds
# What no keyboard types: C0 without tab and line ends, delete, C1; line ends are one kind.
_CONTROLS = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")
_SPACES = re.compile(r"\s+")
Filter = Callable[[str | None], str]


def strip_to_one_line(text: str | None) -> str:
    """What was typed into one line: without control characters, its spaces made one."""
    return _SPACES.sub(" ", _CONTROLS.sub("", text or "")).strip()


def normalize_newlines(text: str | None) -> str:
    """What was typed into several lines: without control characters."""
    return _CONTROLS.sub("", (text or "").replace("\r\n", "\n").replace("\r", "\n")).strip()


class MaxLength:
    """Refuses a text that is too long, by its number of characters."""

    def __init__(self, limit: int) -> None:
        self.limit = limit

    def __call__(self, _form: FlaskForm, field: FormField) -> None:
        if len(field.data or "") > self.limit:
            raise ValidationError(
                gettext(
                    "Shorten this to %(limit)s characters; it has %(length)s.",
                    limit=self.limit,
                    length=len(field.data),
                )
            )


class Required:
    """Refuses an empty answer with a sentence of its own."""

    def __init__(self, sentence: str) -> None:
        self.sentence = sentence

    def __call__(self, _form: FlaskForm, field: FormField) -> None:
        if not field.data:
            raise StopValidation(gettext(self.sentence))


def email_address(_form: FlaskForm, field: FormField) -> None:
    try:
        email_addresses.normalize(field.data)
    except InvalidAddress as refusal:
        raise ValidationError(refusal_text(refusal)) from refusal


def _serializer() -> URLSafeTimedSerializer:
    return URLSafeTimedSerializer(current_app.secret_key or "", salt="registration form")


def new_token() -> str:
    """A signed token for one form: what it is for, since when, and a nonce."""
    return _serializer().dumps(secrets.token_urlsafe(12))


def nonce_of(token: str) -> str | None:
    """The nonce of a token that is ours and not too old."""
    try:
        nonce = _serializer().loads(token, max_age=TOKEN_AGE)
    except BadData:
        return None
    return nonce if isinstance(nonce, str) else None


class BaseForm(FlaskForm):
    """A form that shows refusals at its fields."""

    class Meta:
        csrf = False  # security.py checks public posts, access_control.py those of the console

    def validate_on_submit(self, extra_validators: Any = None) -> bool:
        """Whether the form was sent and is valid."""
        return bool(super().validate_on_submit(extra_validators))  # type: ignore[no-untyped-call]

    def refuse(self, refusal: Refused, *, at: str = "") -> None:
        """Show a refusal at its field, or at another one."""
        self[at or refusal.field].errors = [refusal_text(refusal)]


class ConsoleForm(BaseForm):
    """A form of the console, filled with what was sent, or else with the stored values."""

    def __init__(self, stored: Mapping[str, object] | None = None) -> None:
        super().__init__(data=stored)  # type: ignore[no-untyped-call]


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


class IntegerText:
    """Refuses what is no whole number above nought; nothing at all is fine."""

    def __init__(self, sentence: str) -> None:
        self.sentence = sentence

    def __call__(self, _form: FlaskForm, field: StringField) -> None:
        if field.data and parse_integer(field.data) is None:
            raise ValidationError(gettext(self.sentence))


def parse_integer(typed: str) -> int | None:
    """The number that was typed, if it is one that somebody can mean."""
    return int(typed) if typed.isascii() and typed.isdigit() and len(typed) < 6 else None


def line(limit: int, *checks: object) -> StringField:
    """One line to type into."""
    return StringField(filters=[strip_to_one_line], validators=[*checks, MaxLength(limit)])


def area(limit: int, *checks: object) -> StringField:
    """Several lines to type into."""
    return StringField(filters=[normalize_newlines], validators=[*checks, MaxLength(limit)])
