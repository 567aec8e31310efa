"""Public pages: registration form, confirmation, hint about a mistyped address."""

from flask import Response, abort, redirect, request
from flask.typing import ResponseReturnValue

from cop import email_addresses
from cop.db.engine import write_tx
from cop.errors import Refused
from cop.meetings.views_common import read_schedule
from cop.registration import forms, register
from cop.web.blueprints import public
from cop.web.forms import tidy_email
from cop.web.rendering import current_community, public_url, render, wants_fragment, writer
from cop.web.security import limited


@public.route("/register", methods=["GET", "POST"])
@limited
def form() -> ResponseReturnValue:
    answers_form = forms.registration_form(current_community().disabled_questions)
    if answers_form.validate_on_submit():
        try:
            with write_tx() as db_session:
                outcome = register.register(
                    db_session,
                    answers_form.slugs,
                    answers_form.registration_answers(),
                    submission=answers_form.submission_key(),
                    writer=writer(),
                )
            return _registered(outcome)
        except Refused as refusal:
            answers_form.refuse(refusal)
    schedule = read_schedule()
    if request.method != "POST":
        slugs = {register.ALL_UPCOMING, *(meeting.slug for meeting in schedule.open)}
        answers_form["sessions"].data = [s for s in request.args.getlist("session") if s in slugs]
    return render(
        "registration/register.html",
        fragment="registration/_form.html",
        schedule=schedule,
        form=answers_form,
        suggestion=email_addresses.suggest_correction(answers_form["email"].data or ""),
    )


def _registered(outcome: register.Outcome) -> ResponseReturnValue:
    if wants_fragment():
        return _confirmation({*outcome.held, *outcome.waiting}, set(outcome.waiting))
    selected = ",".join(sorted((*outcome.held, *outcome.waiting)))
    arguments = {"waiting": ",".join(outcome.waiting)} if outcome.waiting else {}
    return redirect(public_url("registered", sessions=selected, **arguments), 303)


@public.get("/registered")
def registered() -> Response:
    selected = set(request.args.get("sessions", "").split(","))
    return _confirmation(selected, set(request.args.get("waiting", "").split(",")))


def _confirmation(slugs: set[str], waiting: set[str]) -> Response:
    """Show what happens next. It depends only on the URL, which anybody can change."""
    schedule = read_schedule()
    selected = schedule.with_slugs(slugs) or abort(404)
    return render(
        "registration/registered.html",
        fragment="registration/_registered.html",
        schedule=schedule,
        held=[meeting for meeting in selected if meeting.slug not in waiting],
        waiting=[meeting for meeting in selected if meeting.slug in waiting],
        selected=selected,
    )


@public.post("/register/email-hint")
def email_hint() -> Response:
    email = tidy_email(request.form.get("email"))
    return render(
        "registration/_email_hint.html",
        fragment="registration/_email_hint.html",
        suggestion=email_addresses.suggest_correction(email),
    )
