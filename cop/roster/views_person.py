"""The console's page of one person on a roster, and adding a person by hand."""

from collections.abc import Callable
from functools import partial

from flask import Response, abort, flash, redirect, request, url_for
from flask.typing import ResponseReturnValue

from cop.audit.audit_log import Action
from cop.audit.views import note_action, note_viewing
from cop.db.engine import empty_log, read_tx, write_tx
from cop.errors import Refused
from cop.mail.transport import folder_transport
from cop.meetings.schedule import Schedule
from cop.meetings.views_common import meeting_or_404, open_or_404
from cop.members import held_data, preferences
from cop.questions import registry
from cop.registration.forms import answers_form
from cop.roster import address_correction, places, roster
from cop.roster.places import PlaceChange
from cop.roster.views import STATUSES
from cop.web.blueprints import console
from cop.web.forms import tidy_email
from cop.web.i18n import gettext, ngettext, refusal_text
from cop.web.rendering import now, render, settings, writer

PERSON_PATH = "/sessions/<slug:slug>/people/<int(max=2147483647):registration_id>"
# Not for coordinators to fill in: people join the mailing list from their own mailbox.
_OMITTED = {registry.SESSIONS.name, registry.LIST_OPT_IN.name, registry.LIVED_EXPERIENCE.name}
# Access needs have a page of their own; lived experience stands beside no name.
_NOT_SHOWN = (registry.ACCESS, registry.LIVED_EXPERIENCE)


@console.get(PERSON_PATH)
def person(slug: str, registration_id: int) -> Response:
    return _page(slug, registration_id)


def _page(slug: str, registration_id: int, refusal: Refused | None = None) -> Response:
    meeting = meeting_or_404(slug)
    with read_tx() as db_session:
        details = roster.find_person(db_session, registration_id, meeting) or abort(404)
    note_viewing("person", meeting.id)
    answers = held_data.optional_answers(details.place, writer=writer())
    return render(
        "roster/person.html",
        status=422 if refusal else 200,
        meeting=meeting,
        person=details,
        answers=[each for each in answers if each.field not in _NOT_SHOWN],
        has_access_needs=any(each.field is registry.ACCESS for each in answers),
        can_wait=places.can_wait(meeting.capacity, held=meeting.held, waiting=meeting.waiting),
        exceeds_capacity=meeting.places_left == 0,
        restorable_until=places.restorable_until(details.place.row.cancelled_at, now=now()),
        statuses=STATUSES,
        refusal=refusal and refusal_text(refusal),
        refused_field=refusal and refusal.field,
        typed=request.form.get("email", ""),
    )


@console.post(f"{PERSON_PATH}/place")
def give_place(slug: str, registration_id: int) -> ResponseReturnValue:
    change = partial(places.give_place, exceed_capacity="beyond" in request.form)
    return _change_place(slug, registration_id, Action.MOVED_PERSON, change)


@console.post(f"{PERSON_PATH}/wait")
def move_to_waiting_list(slug: str, registration_id: int) -> ResponseReturnValue:
    return _change_place(slug, registration_id, Action.MOVED_PERSON, places.move_to_waiting_list)


@console.post(f"{PERSON_PATH}/cancel")
def cancel_place(slug: str, registration_id: int) -> ResponseReturnValue:
    change = partial(places.cancel, by_email="silent" not in request.form)
    return _change_place(slug, registration_id, Action.CANCELLED_PLACE, change)


@console.post(f"{PERSON_PATH}/restore")
def restore_place(slug: str, registration_id: int) -> ResponseReturnValue:
    return _change_place(slug, registration_id, Action.RESTORED_PLACE, places.restore)


def _change_place(
    slug: str, registration_id: int, action: Action, change: Callable[..., PlaceChange]
) -> ResponseReturnValue:
    """Change a spot, and redirect to the page of the resulting registration."""
    meeting = meeting_or_404(slug)
    try:
        with write_tx() as db_session:
            roster.member_of(db_session, registration_id, meeting_id=meeting.id) or abort(404)
            result = change(db_session, registration_id, writer=writer())
            id_ = result.registration_id
            note_action(db_session, action, meeting_id=meeting.id, registration_id=id_)
    except Refused as refusal:
        return _page(slug, registration_id, refusal)
    flash(_place_message(result))
    return redirect(url_for("console.person", slug=slug, registration_id=id_), 303)


def _place_message(result: PlaceChange) -> str:
    place = {
        "held": gettext("They're registered now."),
        "waiting": gettext("They're at the end of the waiting list now."),
        "cancelled": gettext("Their registration is canceled."),
    }[result.status]
    emailed, silent = gettext("They'll get an email."), gettext("They won't get an email.")
    promoted = ngettext(
        "%(num)s person from the waiting list got a spot, and we're emailing them.",
        "%(num)s people from the waiting list got a spot, and we're emailing them.",
        result.promoted,
    )
    email = emailed if result.is_notified else silent
    return " ".join([place, email, *([promoted] if result.promoted else [])])


@console.post(f"{PERSON_PATH}/address")
def correct_address(slug: str, registration_id: int) -> ResponseReturnValue:
    meeting, email = meeting_or_404(slug), tidy_email(request.form.get("email"))
    try:
        with write_tx() as db_session:
            roster.member_of(db_session, registration_id, meeting_id=meeting.id) or abort(404)
            sessions, deleted_emails = address_correction.correct_address(
                db_session, registration_id, email, writer=writer()
            )
            note_action(
                db_session,
                Action.CORRECTED_ADDRESS,
                meeting_id=meeting.id,
                registration_id=registration_id,
            )
    except Refused as refusal:
        return _page(slug, registration_id, refusal)
    empty_log()  # SQLite's log may still contain the misspelled address
    folder_transport(settings()).delete_copies(deleted_emails)
    message = ngettext(
        "The email is corrected. We're sending them a new link for %(num)s session.",
        "The email is corrected. We're sending them a new link for %(num)s sessions.",
        sessions,
    )
    no_email = gettext(
        "The email is corrected. We're not sending anything, because they have no upcoming "
        "session or this email doesn't work."
    )
    flash(message if sessions else no_email)
    return redirect(url_for("console.person", slug=slug, registration_id=registration_id), 303)


@console.post(f"{PERSON_PATH}/undeliverable")
def mark_undeliverable(slug: str, registration_id: int) -> ResponseReturnValue:
    """Record that email to an address bounces, or works again."""
    meeting, works = meeting_or_404(slug), "works" in request.form
    mark = preferences.opt_in_to_all if works else preferences.opt_out_of_all
    with write_tx() as db_session:
        member_id = roster.member_of(db_session, registration_id, meeting_id=meeting.id)
        mark(db_session, member_id or abort(404), writer=writer())
        note_action(
            db_session, Action.MARKED_MAIL, meeting_id=meeting.id, registration_id=registration_id
        )
    flash(
        gettext("We'll email this address again.")
        if works
        else gettext("We won't email this address anymore. Their registrations stay.")
    )
    return redirect(url_for("console.person", slug=slug, registration_id=registration_id), 303)


@console.route("/sessions/<slug:slug>/add", methods=["GET", "POST"])
def add_person(slug: str) -> ResponseReturnValue:
    meeting, by_email = open_or_404(slug), request.form.get("told") != "self"
    form = answers_form(omitted=_OMITTED, has_prep_question=bool(meeting.prep_question))
    if form.validate_on_submit():
        answers = form.registration_answers()
        try:
            with write_tx() as db_session:
                added = places.add_person(
                    db_session, meeting, answers, by_email=by_email, writer=writer()
                )
                id_ = added.registration_id
                note_action(
                    db_session, Action.ADDED_PERSON, meeting_id=meeting.id, registration_id=id_
                )
        except Refused as refusal:
            form.refuse(refusal, at="email")
        else:
            flash(_added_message(added))
            return redirect(url_for("console.person", slug=slug, registration_id=id_), 303)
    schedule = Schedule((meeting,), ())  # the form is only about this session
    return render(
        "roster/add.html", meeting=meeting, form=form, schedule=schedule, by_email=by_email
    )


def _added_message(added: PlaceChange) -> str:
    place = {
        "held": gettext("Added. They're registered."),
        "waiting": gettext("Added. The session is full, so they're on the waiting list."),
    }[added.status]
    emailed = gettext("We're emailing them their link.")
    silent = gettext("They won't get an email, so please tell them.")
    return f"{place} {emailed if added.is_notified else silent}"
