"""Base forms, validators and filters, and the signed tokens of public forms."""

import re
import secrets
import unicodedata
from collections.abc import Iterable, Mapping
from typing import Any

from flask import current_app, g, request
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
# Control characters (C0 except tab, line feed and carriage return; delete; C1), characters that
# change the direction of the text around them, and invisible ones that no language needs.
_CONTROLS = re.compile(
    r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\xad\u200b\u202a-\u202e\u2060\u2066-\u2069\ufeff]"
)
_BLANK_LETTERS = "\u115f\u1160\u2800\u3164\uffa0"  # Hangul fillers, and Braille without dots
_SPACES = re.compile(r"\s+")


def strip_to_one_line(text: str | None) -> str:
    """Remove control characters and collapse white space, for a field of one line."""
    return _SPACES.sub(" ", _CONTROLS.sub("", text or "")).strip()


def normalize_newlines(text: str | None) -> str:
    """Remove control characters and normalize line breaks of a long text."""
    return _CONTROLS.sub("", (text or "").replace("\r\n", "\n").replace("\r", "\n")).strip()


def looks_empty(text: str) -> bool:
    """Return whether a text has no visible letter, digit or sign."""
    # Unicode's categories of letters, numbers, punctuation and symbols begin with these letters.
    return not any(unicodedata.category(c)[0] in "LNPS" and c not in _BLANK_LETTERS for c in text)


def tidy_email(text: str | None) -> str:
    """Clean a typed or pasted address, on one line."""
    return email_addresses.tidy(strip_to_one_line(text))


class MaxLength:
    """Validate the number of characters; the message names the field."""

    def __init__(self, limit: int, label: str = "") -> None:
        self.limit = limit
        self.label = label

    def __call__(self, _form: FlaskForm, field: FormField) -> None:
        length = len(field.data or "")
        if length <= self.limit:
            return
        sentence = N_("Use at most %(limit)s characters. You have %(length)s.")
        if self.label:
            sentence = N_("%(label)s: Use at most %(limit)s characters. You have %(length)s.")
        values = {"limit": self.limit, "length": length, "label": gettext(self.label)}
        raise ValidationError(gettext(sentence, **values))


class Required:
    """Validate that there is an answer; otherwise show this sentence."""

    def __init__(self, sentence: str) -> None:
        self.sentence = sentence

    def __call__(self, _form: FlaskForm, field: FormField) -> None:
        if not field.data or (isinstance(field.data, str) and looks_empty(field.data)):
            raise StopValidation(gettext(self.sentence))


def email_address(_form: FlaskForm, field: FormField) -> None:
    """Validate an email address."""
    try:
        email_addresses.normalize(field.data)
    except InvalidAddress as refusal:
        raise ValidationError(refusal_text(refusal)) from refusal


def serializer(purpose: str) -> URLSafeTimedSerializer:
    """Return the serializer that signs tokens for one purpose."""
    return URLSafeTimedSerializer(current_app.secret_key or "", salt=purpose)


def new_token() -> str:
    """Make a signed token with time and nonce for one public form."""
    return serializer("registration form").dumps(secrets.token_urlsafe(12))


def nonce_of(token: str) -> str | None:
    """Return the nonce of a valid token; None if it is forged or too old."""
    try:
        nonce = serializer("registration form").loads(token, max_age=TOKEN_AGE)
    except BadData:
        return None
    return nonce if isinstance(nonce, str) else None


class BaseForm(FlaskForm):
    """A form that can show refusals at its fields."""

    class Meta:
        csrf = False  # instead, security.py checks public posts, access_control.py the console's

    def process(self, formdata: Any = None, *args: Any, **kwargs: Any) -> None:
        """Fill the fields, also from a form that is shown again after signing in."""
        formdata = request.form if self.is_preserved else formdata
        super().process(formdata, *args, **kwargs)

    @property
    def is_preserved(self) -> bool:
        """Whether it was sent before signing in, and is shown again: preserved_form.py."""
        return "is_form_preserved" in g and any(field.name in request.form for field in self)

    def validate_on_submit(self, extra_validators: Any = None) -> bool:
        """Return whether the form was sent and is valid; one shown again must be sent again."""
        if self.is_preserved:
            self.validate()
            return False
        return bool(super().validate_on_submit(extra_validators))  # type: ignore[no-untyped-call]

    def refuse(self, refusal: Refused, *, at: str = "") -> None:
        """Show a refusal at its field, or at the field named `at`."""
        self[at or refusal.field].errors = [refusal_text(refusal)]


class ConsoleForm(BaseForm):
    """A form of the console, filled with submitted values, else stored ones."""

    def __init__(self, stored: Mapping[str, object] | None = None) -> None:
        super().__init__(data=stored)  # type: ignore[no-untyped-call]


class Https:
    """Validate an HTTPS URL, or with `or_http` also an HTTP one; empty is allowed."""

    def __init__(self, *, or_http: bool = False) -> None:
        self.or_http = or_http

    def __call__(self, _form: FlaskForm, field: StringField) -> None:
        address = field.data or ""
        if self.or_http and address.startswith("http://"):
            address = address.replace("http://", "https://", 1)
        if address and not is_https(address):
            raise ValidationError(gettext("Enter the full web address, starting with https://."))


class Among:
    """Validate that each value is one of the choices."""

    def __init__(self, choices: Iterable[str]) -> None:
        self.choices = frozenset(choices)

    def __call__(self, _form: FlaskForm, field: FormField) -> None:
        values = field.data if isinstance(field.data, list) else [field.data]
        if not self.choices.issuperset(values):
            raise ValidationError(gettext("Choose from the answers listed."))


class IntegerText:
    """Validate an integer that `parse_integer` can parse; empty is allowed."""

    def __init__(self, sentence: str) -> None:
        self.sentence = sentence

    def __call__(self, _form: FlaskForm, field: StringField) -> None:
        if field.data and parse_integer(field.data) is None:
            raise ValidationError(gettext(self.sentence))


def parse_integer(text: str) -> int | None:
    """Parse an integer from 0 to 99,999; return None for anything else."""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 6 else None


def numbered_fields(prefix: str) -> dict[int, str]:
    """Return the submitted fields named `prefix` and a number, by number.

    The number has up to nine digits.
    """
    pattern = re.compile(rf"{prefix}(\d{{1,9}})", re.ASCII)
    matches = ((pattern.fullmatch(name), value) for name, value in request.form.items())
    return {int(match[1]): value for match, value in matches if match}


def line(limit: int, *checks: object, label: str = "") -> StringField:
    """Make a field of one line."""
    return StringField(filters=[strip_to_one_line], validators=[*checks, MaxLength(limit, label)])


def area(limit: int, *checks: object, label: str = "") -> StringField:
    """Make a field of several lines."""
    return StringField(filters=[normalize_newlines], validators=[*checks, MaxLength(limit, label)])
