"""Registering: the form, its answer, and the hint at a slip in an address."""

from datetime import date

from flask import Response, abort, redirect, request
from flask.typing import ResponseReturnValue

from cop.db import write_tx
from cop.domain import addresses, registration
from cop.domain.registration import ALL, Outcome
from cop.errors import Refused
from cop.web import filters
from cop.web.forms import (
    RegistrationForm,
    new_token,
    nonce_of,
    one_line,
    registration_form,
    submission_key,
)
from cop.web.public import look, public
from cop.web.rendering import current_community, public_url, render, wants_fragment, writer
from cop.web.saying import gettext


@public.get("/register")
def form() -> Response:
    schedule = look()
    known = {ALL, *(meeting.slug for meeting in schedule.open)}
    ticked = [slug for slug in request.args.getlist("session") if slug in known]
    return render(
        "registration/register.html",
        fragment="registration/_form.html",
        schedule=schedule,
        form=registration_form(current_community().disabled_questions, ticked=ticked),
    )


@public.post("/register")
def submit() -> ResponseReturnValue:
    sent = registration_form(current_community().disabled_questions)
    nonce = nonce_of(sent.token.data or "")
    if not sent.validate() or nonce is None:
        return _refused(sent, is_stale=nonce is None)
    try:
        with write_tx() as db_session:
            outcome = registration.register(
                db_session,
                sent.slugs,
                sent.details(),
                submission=submission_key(nonce),
                writer=writer(),
            )
    except Refused as refusal:
        sent.refuse(refusal, **dates_said(refusal))
        return _refused(sent)
    return _registered(outcome)


def dates_said(refusal: Refused) -> dict[str, str]:
    """The dates in a refusal as people say them."""
    values = refusal.values.items()
    return {name: filters.on(value) for name, value in values if isinstance(value, date)}


def _refused(sent: RegistrationForm, *, is_stale: bool = False) -> Response:
    """The form again, with everything that was typed, and what to do about it."""
    schedule = look()
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
        meant=addresses.likely_meant(sent["email"].data or ""),
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
    schedule = look()
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
    meant = addresses.likely_meant(one_line(request.form.get("email", "")))
    return render(
        "registration/_email_hint.html", fragment="registration/_email_hint.html", meant=meant
    )
