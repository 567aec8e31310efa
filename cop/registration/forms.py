"""The registration form, made from the field registry."""

import hashlib
import hmac
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any, cast

from flask import current_app, request
from flask_wtf import FlaskForm
from werkzeug.datastructures import MultiDict
from wtforms import BooleanField, RadioField, SelectMultipleField, StringField
from wtforms import Field as FormField
from wtforms.validators import ValidationError

from cop import email_addresses
from cop.i18n import N_
from cop.questions import field, registry
from cop.registration.answers import Answers
from cop.web import forms
from cop.web.forms import BaseForm, MaxLength, Required
from cop.web.i18n import gettext
from cop.web.rendering import language

HONEYPOT = "website"


class _AnyOf:
    """Refuses a value that was not offered."""

    def __init__(self, field: field.Field) -> None:
        self.values = {choice.value for choice in field.choices}

    def __call__(self, _form: FlaskForm, field: FormField) -> None:
        picked = field.data if isinstance(field.data, list) else [field.data]
        if not self.values.issuperset(picked):
            raise ValidationError(gettext("Choose among the answers listed here."))


_NEEDED = {
    "sessions": N_("Tick at least one session."),
    "name": N_("Write the name that we should call you by."),
    "email": email_addresses.INVALID,
}


class AnswersForm(BaseForm):
    """Questions of the registry, and the answers to them."""

    questions: tuple[field.Field, ...]

    @property
    def answers(self) -> dict[str, object]:
        """What was typed and ticked, by name."""
        asked = (each for question in self.questions for each in (question, *question.own_words))
        return {each.name: self[each.name].data for each in asked}


class RegistrationForm(AnswersForm):
    """What every registration form has, whichever questions are asked."""

    token = StringField()
    website = StringField(filters=[forms.strip_to_one_line])

    def validate_website(self, field: FormField) -> None:
        if field.data:
            raise ValidationError(
                gettext(
                    "Leave this field empty: it is there to catch programs that fill every field."
                )
            )

    @property
    def slugs(self) -> list[str]:
        return list(dict.fromkeys(self["sessions"].data or []))

    def registration_answers(self) -> Answers:
        """What was typed, as the domain wants it."""
        said = {name: self[name].data for name in Answers.__dataclass_fields__ if name in self}
        return Answers(**said, language=language())


def _form_fields(question: field.Field) -> FormField:
    needed = [Required(_NEEDED[question.name])] if question.required else []
    match question.kind:
        case field.Kind.SESSIONS:
            return SelectMultipleField(validators=needed, validate_choice=False)
        case field.Kind.TICKS:
            return SelectMultipleField(validators=[_AnyOf(question)], validate_choice=False)
        case field.Kind.ONE_OF:
            return RadioField(
                validators=[_AnyOf(question)],
                validate_choice=False,
                default=question.blank,
                filters=[lambda value: value or question.blank],
            )
        case field.Kind.TICK:
            return BooleanField(false_values=("", "no"))
        case field.Kind.EMAIL:
            checks = [*needed, MaxLength(question.limit), forms.email_address]
            return StringField(filters=[forms.strip_to_one_line], validators=checks)
    tidy: forms.Filter = (
        forms.normalize_newlines
        if question.kind is field.Kind.LONG_TEXT
        else forms.strip_to_one_line
    )
    return StringField(filters=[tidy], validators=[*needed, MaxLength(question.limit)])


class LinkForm(BaseForm):
    """An address to which a lost link is sent."""

    email = _form_fields(registry.EMAIL)


def link_form(*, is_sent: bool) -> LinkForm:
    """The address that was sent, or an empty form."""
    formdata = request.form if is_sent else None
    return LinkForm(formdata=formdata)  # type: ignore[no-untyped-call]


@lru_cache(maxsize=16)
def _form_class(
    base: type[AnswersForm], switched_off: frozenset[str], left_out: frozenset[str] = frozenset()
) -> Any:
    """The form for one choice of questions; the class is shared, an instance never is."""
    questions = tuple(q for q in registry.enabled_questions(switched_off) if q.name not in left_out)
    parts: dict[str, Any] = {"questions": questions}
    for question in questions:
        for asked in (question, *question.own_words):
            parts[asked.name] = _form_fields(asked)
    return type("AskedForm", (base,), parts)


def registration_form(
    switched_off: Iterable[str], *, ticked: Sequence[str] | None = None
) -> RegistrationForm:
    """The form that was sent, or a new one with some sessions ticked."""
    form_class = _form_class(RegistrationForm, frozenset(switched_off))
    if ticked is None:
        return cast("RegistrationForm", form_class(formdata=request.form))
    form: RegistrationForm = form_class(formdata=MultiDict([("sessions", slug) for slug in ticked]))
    form.token.data = forms.new_token()
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


def submission_key(nonce: str) -> str:
    """A name for the form that was sent: the same form and the same answers have the same name.

    Another address typed into the same form, after Back, is another name, and so a new post.
    """
    pairs = (pair for pair in request.form.items(multi=True) if pair[0] != "token")
    body = repr((nonce, sorted(pairs, key=repr))).encode()  # a part may have no name at all
    return hmac.new((current_app.secret_key or "").encode(), body, hashlib.sha256).hexdigest()  # type: ignore[union-attr]
