"""What a member changes about the sessions they chose: answers, places, and which sessions."""

from flask import Response, abort, request
from flask.typing import ResponseReturnValue

from cop import fields
from cop.db import erasing_tx, write_tx
from cop.domain import adding, answers, kept, leaving, members
from cop.domain.members import Place
from cop.domain.schedule import Schedule
from cop.errors import InvalidLink, Refused
from cop.web.forms import AnswersForm, answers_form
from cop.web.member import OwnPage, done, member, open_page, show
from cop.web.registration import dates_said
from cop.web.rendering import current_community, now, render, writer
from cop.web.saying import gettext

# They belong to the member, or to the choice of sessions.
_ELSEWHERE = {fields.SESSIONS.name, fields.EMAIL.name, fields.LIST_OPT_IN.name}
_PREP = {fields.PREP_ANSWER.name, fields.PREP_VISIBILITY.name}


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
        return _erase_one(own, place, request.form["erase"])
    sent = _form(place)
    if not sent.validate():
        return _show_form(own, place, sent)
    with erasing_tx() as db_session:
        members.acting(db_session, own.owner, now=now())
        answers.change(db_session, place, sent.answers, writer=writer())
    return done(token, "saved")


def _erase_one(own: OwnPage, place: Place, name: str) -> ResponseReturnValue:
    id_, voice = own.owner.member_id, writer()
    with erasing_tx() as db_session:
        members.acting(db_session, own.owner, now=now())
        is_there = answers.delete(db_session, id_, place.meeting.slug, name, writer=voice)
    if not is_there:
        abort(422)
    return done(own.token, "deleted")


def _alone(place: Place) -> Schedule:
    """The schedule as if there were this meeting only: what the questions are about."""
    meeting = (place.meeting,)
    return Schedule((), meeting) if place.meeting.is_over else Schedule(meeting, ())


def _form(place: Place, *, filled: bool = False) -> AnswersForm:
    left_out = _ELSEWHERE if _alone(place).asking else _ELSEWHERE | _PREP
    values = place.values if filled else None
    return answers_form(current_community().disabled_questions, left_out=left_out, kept=values)


def _show_form(own: OwnPage, place: Place, shown: AnswersForm) -> Response:
    return render(
        "members/answers.html",
        own=own,
        place=place,
        form=shown,
        schedule=_alone(place),
        answers=kept.answers(place, writer=writer()),
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
        members.acting(db_session, own.owner, now=now())
        leaving.cancel(db_session, place.id, writer=writer())
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
            to = members.acting(db_session, own.owner, now=now())
            adding.add(db_session, to, slugs, latest=latest, writer=voice)
    except InvalidLink:
        raise
    except Refused as refusal:
        dates = dates_said(refusal)
        return show(own, status=422, refusal=gettext(refusal.sentence, **dates))
    return done(token, "added")
