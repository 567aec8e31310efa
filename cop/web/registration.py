"""Registering: the form, its answer, and the hint at a slip in an address."""

from datetime import date

from flask import Response, abort, redirect, request
from flask.typing import ResponseReturnValue

from cop.db import read_tx, write_tx
from cop.domain import addresses, community, registration
from cop.domain.errors import RuleBroken
from cop.domain.registration import ALL, Outcome
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
from cop.web.rendering import public_url, render, wants_fragment, writer
from cop.web.saying import gettext


@public.get("/register")
def form() -> Response:
    facts, schedule = look()
    known = {ALL, *(meeting.slug for meeting in schedule.open)}
    ticked = [slug for slug in request.args.getlist("session") if slug in known]
    return render(
        "registration/register.html",
        fragment="registration/_form.html",
        community=facts,
        schedule=schedule,
        form=registration_form(facts.questions_off, ticked=ticked),
    )


@public.post("/register")
def submit() -> ResponseReturnValue:
    with read_tx() as db_session:
        facts = community.facts(db_session)
    sent = registration_form(facts.questions_off)
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
                writer=writer(facts),
            )
    except RuleBroken as refusal:
        sent.refuse(refusal, **dates_said(refusal, facts))
        return _refused(sent)
    return _registered(outcome)


def dates_said(refusal: RuleBroken, facts: community.Facts) -> dict[str, str]:
    """The dates in a refusal as people say them."""
    values = refusal.values.items()
    return {name: filters.on(value, facts) for name, value in values if isinstance(value, date)}


def _refused(sent: RegistrationForm, *, is_stale: bool = False) -> Response:
    """The form again, with everything that was typed, and what to do about it."""
    facts, schedule = look()
    if is_stale:
        sent.token.data = new_token()
        sent.form_errors.append(
            gettext("This page had been open for a long time. Please send it once more.")
        )
    return render(
        "registration/register.html",
        fragment="registration/_form.html",
        status=422,
        community=facts,
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
    facts, schedule = look()
    chosen = schedule.among(slugs) or abort(404)
    return render(
        "registration/registered.html",
        fragment="registration/_registered.html",
        community=facts,
        schedule=schedule,
        held=[meeting for meeting in chosen if meeting.slug not in waiting],
        waiting=[meeting for meeting in chosen if meeting.slug in waiting],
        chosen=chosen,
    )


@public.post("/register/email-hint")
def email_hint() -> Response:
    meant = addresses.likely_meant(one_line(request.form.get("email", "")))
    fragment = "registration/_email_hint.html"
    return render(fragment, fragment=fragment, meant=meant)
