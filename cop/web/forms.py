"""The registration form, made from the field registry."""

import hashlib
import hmac
import re
import secrets
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any, cast

from flask import current_app, request
from flask_wtf import FlaskForm
from itsdangerous import BadData, URLSafeTimedSerializer
from werkzeug.datastructures import MultiDict
from wtforms import BooleanField, RadioField, SelectMultipleField, StringField
from wtforms import Field as FormField
from wtforms.validators import StopValidation, ValidationError

from cop import fields
from cop.domain import addresses
from cop.domain.details import Details
from cop.errors import InvalidAddress, Refused
from cop.web.rendering import language
from cop.web.saying import gettext
from cop.words import N_

TOKEN_AGE = 12 * 3600  # seconds
HONEYPOT = "website"
# What no keyboard types: C0 without tab and line ends, delete, C1; line ends are one kind.
_CONTROLS = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")
_SPACES = re.compile(r"\s+")
_Filter = Callable[[str | None], str]


def one_line(text: str | None) -> str:
    """What was typed into one line: without control characters, its spaces made one."""
    return _SPACES.sub(" ", _CONTROLS.sub("", text or "")).strip()


def lines(text: str | None) -> str:
    """What was typed into several lines: without control characters."""
    return _CONTROLS.sub("", (text or "").replace("\r\n", "\n").replace("\r", "\n")).strip()


class AtMost:
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


class Needed:
    """Refuses an empty answer with a sentence of its own."""

    def __init__(self, sentence: str) -> None:
        self.sentence = sentence

    def __call__(self, _form: FlaskForm, field: FormField) -> None:
        if not field.data:
            raise StopValidation(gettext(self.sentence))


class _Among:
    """Refuses a value that was not offered."""

    def __init__(self, field: fields.Field) -> None:
        self.values = {choice.value for choice in field.choices}

    def __call__(self, _form: FlaskForm, field: FormField) -> None:
        picked = field.data if isinstance(field.data, list) else [field.data]
        if not self.values.issuperset(picked):
            raise ValidationError(gettext("Choose among the answers listed here."))


def _an_address(_form: FlaskForm, field: FormField) -> None:
    try:
        addresses.key(field.data)
    except InvalidAddress as refusal:
        raise ValidationError(gettext(refusal.sentence)) from refusal


_NEEDED = {
    "sessions": N_("Tick at least one session."),
    "name": N_("Write the name that we should call you by."),
    "email": addresses.INVALID,
}


class AnswersForm(FlaskForm):
    """Questions of the registry, and the answers to them."""

    class Meta:
        csrf = False  # public pages have no cookie; security.py looks at where a post comes from

    questions: tuple[fields.Field, ...]

    @property
    def answers(self) -> dict[str, object]:
        """What was typed and ticked, by name."""
        asked = (each for question in self.questions for each in (question, *question.own_words))
        return {each.name: self[each.name].data for each in asked}


class RegistrationForm(AnswersForm):
    """What every registration form has, whichever questions are asked."""

    token = StringField()
    website = StringField(filters=[one_line])

    def validate_website(self, field: FormField) -> None:
        if field.data:
            raise ValidationError(
                gettext(
                    "Leave this field empty: it is there to catch programs that fill every field."
                )
            )

    def refuse(self, refusal: Refused, **said: str) -> None:
        """Show a refusal of the domain at its field."""
        sentence = gettext(refusal.sentence, **(refusal.values | said))
        self[refusal.field].errors = [*self[refusal.field].errors, sentence]

    @property
    def slugs(self) -> list[str]:
        return list(dict.fromkeys(self["sessions"].data or []))

    def details(self) -> Details:
        """What was typed, as the domain wants it."""
        said = {name: self[name].data for name in Details.__dataclass_fields__ if name in self}
        return Details(**said, language=language())


def _built(question: fields.Field) -> FormField:
    needed = [Needed(_NEEDED[question.name])] if question.required else []
    match question.kind:
        case fields.Kind.SESSIONS:
            return SelectMultipleField(validators=needed, validate_choice=False)
        case fields.Kind.TICKS:
            return SelectMultipleField(validators=[_Among(question)], validate_choice=False)
        case fields.Kind.ONE_OF:
            return RadioField(
                validators=[_Among(question)],
                validate_choice=False,
                default=question.blank,
                filters=[lambda value: value or question.blank],
            )
        case fields.Kind.TICK:
            return BooleanField(false_values=("", "no"))
        case fields.Kind.EMAIL:
            checks = [*needed, AtMost(question.limit), _an_address]
            return StringField(filters=[one_line], validators=checks)
    tidy: _Filter = lines if question.kind is fields.Kind.LONG_TEXT else one_line
    return StringField(filters=[tidy], validators=[*needed, AtMost(question.limit)])


class LinkForm(FlaskForm):
    """An address to which a lost link is sent."""

    class Meta:
        csrf = False  # harmless to repeat, and the answer tells nothing

    email = _built(fields.EMAIL)


def link_form(*, is_sent: bool) -> LinkForm:
    """The address that was sent, or an empty form."""
    formdata = request.form if is_sent else None
    return LinkForm(formdata=formdata)  # type: ignore[no-untyped-call]


@lru_cache(maxsize=16)
def _form_class(
    base: type[AnswersForm], switched_off: frozenset[str], left_out: frozenset[str] = frozenset()
) -> Any:
    """The form for one choice of questions; the class is shared, an instance never is."""
    questions = tuple(q for q in fields.asked(switched_off) if q.name not in left_out)
    parts: dict[str, Any] = {"questions": questions}
    for question in questions:
        for asked in (question, *question.own_words):
            parts[asked.name] = _built(asked)
    return type("AskedForm", (base,), parts)


def registration_form(
    switched_off: Iterable[str], *, ticked: Sequence[str] | None = None
) -> RegistrationForm:
    """The form that was sent, or a new one with some sessions ticked."""
    form_class = _form_class(RegistrationForm, frozenset(switched_off))
    if ticked is None:
        return cast("RegistrationForm", form_class(formdata=request.form))
    form: RegistrationForm = form_class(formdata=MultiDict([("sessions", slug) for slug in ticked]))
    form.token.data = new_token()
    return form


def answers_form(
    switched_off: Iterable[str],
    *,
    left_out: Iterable[str],
    kept: Mapping[str, object] | None = None,
) -> AnswersForm:
    """The answers that were sent, or those that are kept; without some of the questions."""
    form_class = _form_class(AnswersForm, frozenset(switched_off), frozenset(left_out))
    if kept is None:
        return cast("AnswersForm", form_class(formdata=request.form))
    return cast("AnswersForm", form_class(formdata=None, data=kept))


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


def submission_key(nonce: str) -> str:
    """A name for the form that was sent: the same form and the same answers have the same name.

    Another address typed into the same form, after Back, is another name, and so a new post.
    """
    pairs = (pair for pair in request.form.items(multi=True) if pair[0] != "token")
    body = repr((nonce, sorted(pairs, key=repr))).encode()  # a part may have no name at all
    return hmac.new((current_app.secret_key or "").encode(), body, hashlib.sha256).hexdigest()  # type: ignore[union-attr]
