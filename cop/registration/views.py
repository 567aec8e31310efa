"""Registering: the form, its answer, and the hint at a slip in an address."""

from flask import Response, abort, redirect, request
from flask.typing import ResponseReturnValue

from cop import email_addresses
from cop.db.engine import write_tx
from cop.errors import Refused
from cop.meetings.views_common import read_schedule
from cop.registration import register
from cop.registration.forms import RegistrationForm, registration_form, submission_key
from cop.registration.register import ALL_UPCOMING, Outcome
from cop.web.blueprints import public
from cop.web.forms import new_token, nonce_of, strip_to_one_line
from cop.web.i18n import gettext
from cop.web.rendering import current_community, public_url, render, wants_fragment, writer
from cop.web.security import limited


@public.get("/register")
def form() -> Response:
    schedule = read_schedule()
    known = {ALL_UPCOMING, *(meeting.slug for meeting in schedule.open)}
    ticked = [slug for slug in request.args.getlist("session") if slug in known]
    return render(
        "registration/register.html",
        fragment="registration/_form.html",
        schedule=schedule,
        form=registration_form(current_community().disabled_questions, ticked=ticked),
    )


@public.post("/register")
@limited
def submit() -> ResponseReturnValue:
    sent = registration_form(current_community().disabled_questions)
    nonce = nonce_of(sent.token.data or "")
    if not sent.validate() or nonce is None:
        return _refused(sent, is_stale=nonce is None)
    try:
        with write_tx() as db_session:
            outcome = register.register(
                db_session,
                sent.slugs,
                sent.registration_answers(),
                submission=submission_key(nonce),
                writer=writer(),
            )
    except Refused as refusal:
        sent.refuse(refusal)
        return _refused(sent)
    return _registered(outcome)


def _refused(sent: RegistrationForm, *, is_stale: bool = False) -> Response:
    """The form again, with everything that was typed, and what to do about it."""
    schedule = read_schedule()
    if is_stale:
        sent.token.data = new_token()
        sent.form_errors.append(
            gettext("This page had been open for a long time. Please send it once more.")
        )
    return render(
        "registration/register.html",
        fragment="registration/_form.html",
        schedule=schedule,
        form=sent,
        meant=email_addresses.suggest_correction(sent["email"].data or ""),
    )


def _registered(outcome: Outcome) -> ResponseReturnValue:
    if wants_fragment():
        return _confirmation(set(outcome.held) | set(outcome.waiting), set(outcome.waiting))
    chosen = ",".join(sorted((*outcome.held, *outcome.waiting)))
    waiting = {"waiting": ",".join(outcome.waiting)} if outcome.waiting else {}
    return redirect(public_url("registered", sessions=chosen, **waiting), 303)


@public.get("/registered")
def registered() -> Response:
    chosen = set(request.args.get("sessions", "").split(","))
    return _confirmation(chosen, set(request.args.get("waiting", "").split(",")))


def _confirmation(slugs: set[str], waiting: set[str]) -> Response:
    """What happens next; it says nothing about who has registered."""
    schedule = read_schedule()
    chosen = schedule.among(slugs) or abort(404)
    return render(
        "registration/registered.html",
        fragment="registration/_registered.html",
        schedule=schedule,
        held=[meeting for meeting in chosen if meeting.slug not in waiting],
        waiting=[meeting for meeting in chosen if meeting.slug in waiting],
        chosen=chosen,
    )


@public.post("/register/email-hint")
def email_hint() -> Response:
    meant = email_addresses.suggest_correction(strip_to_one_line(request.form.get("email", "")))
    return render(
        "registration/_email_hint.html", fragment="registration/_email_hint.html", meant=meant
    )
