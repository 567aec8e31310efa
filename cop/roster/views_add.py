"""Adding a person to a session by hand."""

from flask import Response, flash, redirect, request, url_for
from flask.typing import ResponseReturnValue

from cop.audit.audit_log import Action
from cop.audit.views import note_action
from cop.db.engine import write_tx
from cop.errors import Refused
from cop.meetings.schedule import Listing, Schedule
from cop.meetings.views_common import open_or_404
from cop.models.registration import RegistrationStatus
from cop.questions import registry
from cop.registration.answers import Answers
from cop.registration.forms import AnswersForm, answers_form
from cop.roster import people
from cop.web.blueprints import console
from cop.web.i18n import gettext
from cop.web.rendering import current_community, language, render, writer

# They choose the mailing list themselves, from their own mailbox.
_EXCLUDED_FIELDS = {registry.SESSIONS.name, registry.LIST_OPT_IN.name}
_PREP = {registry.PREP_ANSWER.name, registry.PREP_VISIBILITY.name}


@console.get("/sessions/<slug:slug>/add")
def add_person(slug: str) -> Response:
    found = open_or_404(slug)
    return _show(found, _form(found))


@console.post("/sessions/<slug:slug>/add")
def send_add_person(slug: str) -> ResponseReturnValue:
    found = open_or_404(slug)
    form = _form(found)
    if not form.validate():
        return _show(found, form)
    try:
        id_, said = _add(found, form)
    except Refused as refusal:
        form.refuse(refusal, at="email")
        return _show(found, form)
    flash(said)
    return redirect(url_for("console.person", slug=slug, registration_id=id_), 303)


def _form(found: Listing) -> AnswersForm:
    omitted = _EXCLUDED_FIELDS if found.prep_question else _EXCLUDED_FIELDS | _PREP
    return answers_form(current_community().disabled_questions, omitted=omitted)


def _is_by_mail() -> bool:
    return request.form.get("told") != "self"


def _add(found: Listing, form: AnswersForm) -> tuple[int, str]:
    answers = Answers(**form.answers, language=language())  # type: ignore[arg-type]
    voice, by_mail = writer(), _is_by_mail()
    with write_tx() as db_session:
        id_, status, is_told = people.add_person(
            db_session, found, answers, by_mail=by_mail, writer=voice
        )
        note_action(db_session, Action.ADDED_PERSON, meeting_id=found.id, registration_id=id_)
    return id_, _success_message(status, is_told=is_told)


def _success_message(status: RegistrationStatus, *, is_told: bool) -> str:
    added = {
        RegistrationStatus.HELD: gettext("Added: they hold a place."),
        RegistrationStatus.WAITING: gettext(
            "Added: every place is taken, so they are on the waiting list."
        ),
    }[status]
    mailed = gettext("A mail with their link is on its way.")
    return f"{added} {mailed if is_told else gettext('No mail goes out: please tell them.')}"


def _show(found: Listing, form: AnswersForm) -> Response:
    return render(
        "roster/add.html",
        meeting=found,
        form=form,
        schedule=Schedule((found,), ()),  # as if there were this one alone: the questions are of it
        by_mail=_is_by_mail(),
    )
