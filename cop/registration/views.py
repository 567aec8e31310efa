"""Public pages: registration form, confirmation, hint about a mistyped address."""

from flask import Response, redirect, request
from flask.typing import ResponseReturnValue

from cop import email_addresses
from cop.db.engine import read_tx, write_tx
from cop.errors import InvalidLink, Refused
from cop.meetings.schedule import Schedule
from cop.meetings.views_common import read_schedule
from cop.models.registration import Submission
from cop.questions import registry
from cop.registration import confirmation, forms, register
from cop.registration.answers import Answers
from cop.registration.forms import AnswersForm, EmailForm, RegistrationForm
from cop.web.blueprints import public
from cop.web.forms import tidy_email
from cop.web.i18n import refusal_text
from cop.web.rendering import language, now, public_url, render, wants_fragment, writer
from cop.web.security import limited

_REQUIRED = frozenset(question.name for question in registry.QUESTIONS if question.required)


@public.route("/register", methods=["GET", "POST"])
@limited
def form() -> ResponseReturnValue:
    registration = RegistrationForm()
    if registration.validate_on_submit():
        answers = Answers(registration.name.data, registration.email.data, language=language())
        key = registration.submission_key()
        try:
            with write_tx() as db_session:
                register.register(
                    db_session, registration.slugs, answers, writer=writer(), submission=key
                )
            return _to_confirmation(key)
        except Refused as refusal:
            registration.refuse(refusal)
    schedule = read_schedule()
    chosen = schedule.with_slugs(request.args.getlist("session"))
    if request.method != "POST":
        is_all = register.ALL_UPCOMING in request.args.getlist("session")
        slugs = [meeting.slug for meeting in chosen if meeting.can_be_chosen]
        registration.sessions.data = [register.ALL_UPCOMING] if is_all else slugs
    is_for_one = len(chosen) == 1 and chosen[0].can_be_chosen and not registration.sessions.errors
    return render(
        "registration/register.html",
        fragment="registration/_form.html",
        schedule=schedule,
        form=registration,
        only=chosen[0] if is_for_one else None,
        suggestion=email_addresses.suggest_correction(registration.email.data or ""),
    )


def _to_confirmation(key: str, *, is_saved: bool = False) -> ResponseReturnValue:
    """Redirect to the confirmation, or show it in place."""
    if wants_fragment():
        return _confirmation(*_sent_form(key), is_saved=is_saved)
    arguments = {"saved": "yes"} if is_saved else {}
    return redirect(public_url("registered", form=key, **arguments), 303)


@public.route("/registered", methods=["GET", "POST"])
@limited
def registered() -> ResponseReturnValue:
    key = request.args.get("form", "")
    submission, schedule, answers = _sent_form(key)
    if answers.validate_on_submit():
        try:
            with write_tx() as db_session:
                confirmation.save_answers(db_session, key, answers.answers, writer=writer())
            return _to_confirmation(key, is_saved=True)
        except Refused as refusal:
            answers.form_errors.append(refusal_text(refusal))
    return _confirmation(submission, schedule, answers, is_saved="saved" in request.args)


@public.post("/registered/email")
@limited
def change_email() -> ResponseReturnValue:
    key = request.args.get("form", "")
    sent, form = _sent_form(key), EmailForm()
    if form.validate_on_submit():
        email = form.email.data
        new_key = forms.corrected_key(key, email)
        try:
            with write_tx() as db_session:
                confirmation.change_email(db_session, key, email, new_key=new_key, writer=writer())
            return _to_confirmation(new_key)
        except Refused as refusal:
            form.refuse(refusal, at="email")
    return _confirmation(*sent, email_form=form)


def _sent_form(key: str) -> tuple[Submission, Schedule, AnswersForm]:
    """The form with this key, the schedule, and the optional questions to go on with.

    The preparation question is among them only if one of the form's sessions has one.
    """
    with read_tx() as db_session:
        # PostgreSQL rejects NUL in text.
        submission = None if "\0" in key else db_session.get(Submission, key)
    if submission is None:
        raise InvalidLink
    schedule = read_schedule()
    has_prep_question = bool(_selected(submission, schedule).with_prep_question)
    answers = forms.answers_form(omitted=_REQUIRED, has_prep_question=has_prep_question)
    return submission, schedule, answers


def _selected(submission: Submission, schedule: Schedule) -> Schedule:
    """The schedule of the sessions that a form was sent for."""
    return Schedule(schedule.with_slugs([*submission.held, *submission.waiting]), ())


def _confirmation(
    submission: Submission,
    schedule: Schedule,
    answers: AnswersForm,
    *,
    email_form: EmailForm | None = None,
    is_saved: bool = False,
) -> Response:
    """Show what happens next. It depends on the form, not on what its address had before."""
    email = submission.email if confirmation.is_open(submission, now=now()) else ""
    suggestion = email_addresses.suggest_correction(email)
    if email_form is None:
        email_form = EmailForm()
        email_form.email.data = suggestion or email
    return render(
        "registration/registered.html",
        fragment="registration/_registered.html",
        form=email_form if email_form.errors else answers,
        schedule=schedule,
        selected=_selected(submission, schedule),
        held=schedule.with_slugs(submission.held),
        waiting=schedule.with_slugs(submission.waiting),
        key=submission.key,
        email=email,
        can_change_email=submission.name != "",
        suggestion=suggestion,
        email_form=email_form,
        answers=answers,
        is_saved=is_saved,
    )


@public.post("/register/email-hint")
def email_hint() -> Response:
    email = tidy_email(request.form.get("email"))
    return render(
        "registration/_email_hint.html",
        fragment="registration/_email_hint.html",
        suggestion=email_addresses.suggest_correction(email),
    )
