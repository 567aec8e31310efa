"""What a member changes about the sessions they chose: answers, places, and which sessions."""

from flask import Response, abort, request
from flask.typing import ResponseReturnValue

from cop.db.engine import erasing_tx, write_tx
from cop.errors import InvalidLink, Refused
from cop.meetings.schedule import Schedule
from cop.members import held_data, members, registrations
from cop.members.members import MemberRegistration
from cop.members.views import MemberPage, done, open_page, show
from cop.questions import registry
from cop.registration import cancellation
from cop.registration.forms import AnswersForm, answers_form
from cop.web.blueprints import member
from cop.web.i18n import gettext, refusal_text
from cop.web.rendering import current_community, now, render, writer

# They belong to the member, or to the choice of sessions.
_NOT_EDITABLE = {registry.SESSIONS.name, registry.EMAIL.name, registry.LIST_OPT_IN.name}
_PREP = {registry.PREP_ANSWER.name, registry.PREP_VISIBILITY.name}


@member.get("/r/<token>/sessions/<slug:slug>")
def form(token: str, slug: str) -> Response:
    own = open_page(token)
    place = own.place_or_404(slug)
    return _show_form(own, place, _form(place, filled=True))


@member.post("/r/<token>/sessions/<slug:slug>")
def save(token: str, slug: str) -> ResponseReturnValue:
    own = open_page(token)
    place = own.place_or_404(slug)
    if "erase" in request.form:
        return _delete_answer(own, place, request.form["erase"])
    sent = _form(place)
    if not sent.validate():
        return _show_form(own, place, sent)
    with erasing_tx() as db_session:
        members.verify_and_lock(db_session, own.owner, now=now())
        registrations.change(db_session, place, sent.answers, writer=writer())
    return done(token, "saved")


def _delete_answer(own: MemberPage, place: MemberRegistration, name: str) -> ResponseReturnValue:
    id_, voice = own.owner.member_id, writer()
    with erasing_tx() as db_session:
        members.verify_and_lock(db_session, own.owner, now=now())
        is_there = registrations.delete_answer(
            db_session, id_, place.meeting.slug, name, writer=voice
        )
    if not is_there:
        abort(422)
    return done(own.token, "deleted")


def _without_unasked_fields(place: MemberRegistration) -> Schedule:
    """The schedule as if there were this meeting only: what the questions are about."""
    meeting = (place.meeting,)
    return Schedule((), meeting) if place.meeting.is_over else Schedule(meeting, ())


def _form(place: MemberRegistration, *, filled: bool = False) -> AnswersForm:
    left_out = (
        _NOT_EDITABLE
        if _without_unasked_fields(place).with_prep_question
        else _NOT_EDITABLE | _PREP
    )
    values = place.values if filled else None
    return answers_form(current_community().disabled_questions, omitted=left_out, stored=values)


def _show_form(own: MemberPage, place: MemberRegistration, shown: AnswersForm) -> Response:
    return render(
        "members/answers.html",
        own=own,
        place=place,
        form=shown,
        schedule=_without_unasked_fields(place),
        answers=held_data.optional_answers(place, writer=writer()),
    )


@member.get("/r/<token>/sessions/<slug:slug>/cancel")
def ask_to_cancel(token: str, slug: str) -> Response:
    own = open_page(token)
    place = own.place_or_404(slug)
    return render("members/cancel.html", own=own, place=place)


@member.post("/r/<token>/sessions/<slug:slug>/cancel")
def cancel(token: str, slug: str) -> ResponseReturnValue:
    own = open_page(token)
    place = own.place_or_404(slug)
    if place.meeting.is_over:
        return ask_to_cancel(token, slug)
    with write_tx() as db_session:
        members.verify_and_lock(db_session, own.owner, now=now())
        cancellation.cancel_registration(db_session, place.id, writer=writer())
    return done(token, "given-up", slug=slug)


@member.post("/r/<token>/sessions")
def add(token: str) -> ResponseReturnValue:
    own = open_page(token)
    slugs, latest = request.form.getlist("sessions"), own.known.latest
    if not slugs or latest is None:
        return show(own, status=422, refusal=gettext("Tick at least one session."))
    voice = writer()
    try:
        with write_tx() as db_session:
            to = members.verify_and_lock(db_session, own.owner, now=now())
            registrations.add_sessions(db_session, to, slugs, latest=latest, writer=voice)
    except InvalidLink:
        raise
    except Refused as refusal:
        return show(own, status=422, refusal=refusal_text(refusal))
    return done(token, "added")
