"""A member's registrations: change answers, cancel, add sessions."""

from flask import abort, request
from flask.typing import ResponseReturnValue

from cop.db.engine import erasing_tx
from cop.errors import Refused
from cop.meetings.schedule import Schedule
from cop.members import held_data, members, registrations
from cop.members.views import member_tx, open_page, redirect_to_page, render_page
from cop.models.registration import Registration
from cop.questions import registry
from cop.registration import cancellation, confirmation
from cop.registration.forms import answers_form
from cop.web.blueprints import member
from cop.web.i18n import gettext, refusal_text
from cop.web.rendering import now, render, writer

# Questions about the member or the choice of sessions, not about one registration.
_NOT_EDITABLE = {q.name for q in registry.QUESTIONS if q not in registry.ANSWERS}


@member.route("/r/<token>/sessions/<slug:slug>", methods=["GET", "POST"])
def answers(token: str, slug: str) -> ResponseReturnValue:
    page = open_page(token)
    registration = page.member.registration_for(slug) or abort(404)
    schedule = Schedule((registration.meeting,), ())  # the form is only about this session
    form = answers_form(
        omitted=_NOT_EDITABLE,
        has_prep_question=bool(schedule.with_prep_question),
        stored=registration.row,
    )
    if form.validate_on_submit():
        with erasing_tx() as db_session:
            members.verify_and_lock(db_session, page.owner, now=now())
            row = db_session.get_one(Registration, registration.row.id)
            meeting, values = registration.meeting, form.answers
            confirmation.change_answers(db_session, row, meeting, values, writer=writer())
        return redirect_to_page(token, "saved")
    return render(
        "members/answers.html",
        page=page,
        registration=registration,
        form=form,
        schedule=schedule,
        answers=held_data.optional_answers(registration, writer=writer()),
    )


@member.route("/r/<token>/sessions/<slug:slug>/delete/<name>", methods=["GET", "POST"])
def delete_answer(token: str, slug: str, name: str) -> ResponseReturnValue:
    page = open_page(token)
    registration = page.member.registration_for(slug) or abort(404)
    if request.method == "POST":
        with erasing_tx() as db_session:
            to = members.verify_and_lock(db_session, page.owner, now=now())
            registrations.delete_answer(
                db_session, to.member_id, slug, name, writer=writer()
            ) or abort(404)
        return redirect_to_page(token, "deleted")
    answers = held_data.optional_answers(registration, writer=writer())
    answer = next((each for each in answers if each.field.name == name), None) or abort(404)
    return render("members/delete_answer.html", page=page, registration=registration, answer=answer)


@member.route("/r/<token>/sessions/<slug:slug>/cancel", methods=["GET", "POST"])
def cancel(token: str, slug: str) -> ResponseReturnValue:
    page = open_page(token)
    registration = page.member.registration_for(slug) or abort(404)
    if request.method == "POST" and registration.meeting.is_open:
        try:
            with member_tx(token) as (db_session, _):
                cancellation.cancel_registration(db_session, registration.row.id, writer=writer())
        except Refused as refusal:  # it has just ended
            return render_page(page, refusal=refusal_text(refusal))
        done = "left" if registration.row.is_waiting else "canceled"
        return redirect_to_page(token, done, slug=slug)
    return render("members/cancel.html", page=page, registration=registration)


@member.post("/r/<token>/sessions")
def add(token: str) -> ResponseReturnValue:
    page = open_page(token)
    slugs, latest = request.form.getlist("sessions"), page.member.latest
    if not slugs or latest is None:
        return render_page(page, refusal=gettext(registry.SESSIONS.missing))
    try:
        with member_tx(token) as (db_session, to):
            registrations.add_sessions(db_session, to, slugs, latest=latest.row, writer=writer())
    except Refused as refusal:
        return render_page(page, refusal=refusal_text(refusal))
    return redirect_to_page(token, "added")
