"""Forms made from the question registry."""

import hashlib
import hmac
from collections.abc import Iterable
from collections.abc import Set as AbstractSet
from functools import cached_property, lru_cache
from typing import Any, cast

import wtforms
from flask import current_app, request
from wtforms.validators import ValidationError

from cop.models.registration import Registration
from cop.questions import registry
from cop.questions.field import Field, Kind
from cop.registration.answers import Answers
from cop.web import forms
from cop.web.i18n import gettext
from cop.web.rendering import current_community, language


class PublicForm(forms.BaseForm):
    """A form filled with the values of a POST, else with those of a stored object."""

    def __init__(self, stored: object = None) -> None:
        if request.method == "POST":
            # Flask-WTF's default also reads request.files, so a file could replace a text value.
            super().__init__(formdata=request.form)  # type: ignore[no-untyped-call]
        else:
            super().__init__(formdata=None, obj=stored)  # type: ignore[no-untyped-call]


def _form_field(question: Field) -> wtforms.Field:
    validators = [forms.Required(question.missing)] if question.required else []
    choices = [choice.value for choice in question.choices]
    match question.kind:
        case Kind.SESSIONS:
            return wtforms.SelectMultipleField(validators=validators, validate_choice=False)
        case Kind.SEVERAL:
            return wtforms.SelectMultipleField(
                validators=[*validators, forms.Among(choices)], validate_choice=False
            )
        case Kind.ONE_OF:
            return wtforms.RadioField(
                validators=[*validators, forms.Among([*choices, str(question.blank)])],
                validate_choice=False,
                default=question.blank,
                filters=[lambda value: value or question.blank],
            )
        case Kind.CHECKBOX:
            return wtforms.BooleanField(false_values=("", "no"))
        case Kind.EMAIL:
            return wtforms.StringField(
                filters=[forms.tidy_email],
                validators=[
                    *validators,
                    forms.MaxLength(question.limit, question.label),
                    forms.email_address,
                ],
            )
    text_field = forms.area if question.kind is Kind.LONG_TEXT else forms.line
    return text_field(question.limit, *validators, label=question.label)


class AnswersForm(PublicForm):
    """Questions of the registry, and the answers to them."""

    questions: tuple[Field, ...]

    @property
    def answers(self) -> dict[str, object]:
        """The answers by name."""
        return {field.name: self[field.name].data for field in _fields_of(self.questions)}

    def registration_answers(self) -> Answers:
        """The answers of a form that asks for name and email too."""
        answers = self.answers
        values = {column: answers[column] for column in registry.BLANKS if column in answers}
        return Answers(self["name"].data, self["email"].data, values, language())


class RegistrationForm(PublicForm):
    """The required questions, the form's token and its honeypot."""

    questions = (registry.SESSIONS, registry.NAME, registry.EMAIL)
    sessions = _form_field(registry.SESSIONS)
    name = _form_field(registry.NAME)
    email = _form_field(registry.EMAIL)
    token = wtforms.StringField()
    leave_blank = wtforms.StringField(filters=[forms.strip_to_one_line])

    def __init__(self) -> None:
        super().__init__()
        if request.method != "POST":
            self.token.data = forms.new_token()

    def validate_leave_blank(self, field: wtforms.Field) -> None:
        if field.data:
            raise ValidationError(
                gettext(
                    "Leave this field blank. It catches spam programs, which fill in every field."
                )
            )

    def validate(self, extra_validators: Any = None) -> bool:
        """Validate the fields; give an expired form a new token, to be sent again with."""
        is_valid = bool(super().validate(extra_validators))
        if self._nonce is None:
            self.token.data = forms.new_token()
            self.form_errors.append(
                gettext("This page was open for a long time. Please send the form again.")
            )
        return is_valid and self._nonce is not None

    @cached_property
    def _nonce(self) -> str | None:
        return forms.nonce_of(self.token.data or "")

    @property
    def slugs(self) -> list[str]:
        return list(dict.fromkeys(self.sessions.data or []))

    def submission_key(self) -> str:
        """Return a key of this form and its answers; sent again, they give the same key.

        Going back in the browser and typing another address gives another key.
        """
        pairs = (pair for pair in request.form.items(multi=True) if pair[0] != "token")
        # Sorted by their repr: a multipart field may lack a name, and None cannot be compared.
        return _sign(self._nonce, sorted(pairs, key=repr))


def corrected_key(key: str, email: str) -> str:
    """Return the key of a form whose email was corrected to this one."""
    return _sign(key, email)


def _sign(*parts: object) -> str:
    key = cast("str", current_app.secret_key).encode()
    return hmac.new(key, repr(parts).encode(), hashlib.sha256).hexdigest()


class EmailForm(PublicForm):
    """One email address."""

    email = _form_field(registry.EMAIL)


def _fields_of(questions: Iterable[Field]) -> list[Field]:
    """The fields of questions, each followed by the text fields that belong to it."""
    return [field for question in questions for field in (question, *question.other_texts)]


@lru_cache(maxsize=16)
def _form_class(disabled: frozenset[str], omitted: frozenset[str]) -> Any:
    """Make the form class for one set of questions; only the class is cached."""
    questions = tuple(q for q in registry.enabled_questions(disabled) if q.name not in omitted)
    attributes: dict[str, Any] = {f.name: _form_field(f) for f in _fields_of(questions)}
    return type("QuestionsForm", (AnswersForm,), attributes | {"questions": questions})


def answers_form(
    *, omitted: AbstractSet[str], has_prep_question: bool, stored: Registration | None = None
) -> AnswersForm:
    """A form with the answers of a POST, else with the stored ones."""
    names = omitted if has_prep_question else omitted | registry.SESSION_QUESTIONS
    form_class = _form_class(frozenset(current_community().disabled_questions), frozenset(names))
    return cast("AnswersForm", form_class(stored))
