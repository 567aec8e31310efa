"""Saying that a session does not take place, or that it does after all."""

from dataclasses import replace

from flask import Response, abort, flash, g, redirect, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from cop.db import read_tx, write_tx
from cop.domain import changes, effects, meetings, record
from cop.domain.meetings import LockedMeeting
from cop.domain.record import Action
from cop.domain.schedule import Listing
from cop.errors import Refused
from cop.models import MeetingStatus
from cop.web.console import consequences, console
from cop.web.console.finding import meeting_or_404, open_or_404
from cop.web.console.forms import ConsoleForm, line
from cop.web.forms import Needed
from cop.web.rendering import now, render, writer
from cop.web.saying import gettext
from cop.words import N_


class CancelForm(ConsoleForm):
    """Why a session does not take place."""

    reason = line(300, Needed(N_("Write why: people see it on the schedule and in their mail.")))


@console.get("/sessions/<slug:slug>/cancel")
def cancel(slug: str) -> Response:
    return _ask(open_or_404(slug), CancelForm())


@console.post("/sessions/<slug:slug>/cancel")
def send_cancel(slug: str) -> ResponseReturnValue:
    found = open_or_404(slug)
    form = CancelForm()
    if not form.validate():
        return _ask(found, form)
    try:
        with write_tx() as db_session:
            told = _told(db_session, _locked(db_session, found), MeetingStatus.CANCELLED)
            reason = form.reason.data or ""
            changes.cancel(db_session, found.id, reason=reason, writer=writer())
            _note(db_session, Action.CANCELLED_MEETING, found)
    except Refused as refusal:
        form.refuse(refusal)
        return _ask(meeting_or_404(slug), form)
    return _done(found, gettext("The session is cancelled."), told)


@console.get("/sessions/<slug:slug>/restore")
def restore(slug: str) -> Response:
    return _offer(_found_or_404(slug))


@console.post("/sessions/<slug:slug>/restore")
def send_restore(slug: str) -> ResponseReturnValue:
    found = _found_or_404(slug)
    try:
        with write_tx() as db_session:
            told = _told(db_session, _locked(db_session, found), MeetingStatus.PLANNED)
            changes.restore(db_session, found.id, writer=writer())
            _note(db_session, Action.RESTORED_MEETING, found)
    except Refused:
        return _offer(_found_or_404(slug), status=422)
    return _done(found, gettext("The session takes place after all."), told)


def _found_or_404(slug: str) -> Listing:
    """A session that is cancelled, or that could be; of one that took place there is nothing."""
    found = meeting_or_404(slug)
    return found if found.is_cancelled or not found.is_over else abort(404)


def _locked(db_session: Session, found: Listing) -> LockedMeeting:
    [inside] = meetings.lock(db_session, [found.id])  # who registers meanwhile is counted, or waits
    return inside


def _look(db_session: Session, found: Listing) -> LockedMeeting:
    [inside] = meetings.look(db_session, [found.id])
    return inside


def _told(db_session: Session, meeting: LockedMeeting, fate: MeetingStatus) -> list[str]:
    """Whom it mails when a session has this fate."""
    would = effects.of(db_session, replace(meeting, status=fate), now=now())
    return consequences.mails(would, about=consequences.FATE)


def _note(db_session: Session, action: Action, found: Listing) -> None:
    record.note(db_session, g.coordinator.id, action, now=now(), meeting_id=found.id)


def _ask(found: Listing, form: CancelForm) -> Response:
    with read_tx() as db_session:
        told = _told(db_session, _look(db_session, found), MeetingStatus.CANCELLED)
    return render("changes/cancel.html", meeting=found, form=form, told=told)


def _offer(found: Listing, *, status: int = 200) -> Response:
    """Ask whether to restore a session, or say why that cannot be."""
    refused = ""
    with read_tx() as db_session:
        inside = _look(db_session, found)
        told = _told(db_session, inside, MeetingStatus.PLANNED)
    try:
        changes.check_restorable(inside, now=now())
    except Refused as refusal:
        refused = gettext(refusal.sentence, **refusal.values)
    return render(
        "changes/restore.html",
        status=status,
        meeting=found,
        told=told,
        refused=refused,
        days=changes.RESTORABLE.days,
    )


def _done(found: Listing, sentence: str, told: list[str]) -> ResponseReturnValue:
    for said in (sentence, *told):
        flash(said)
    return redirect(url_for("console.meeting", slug=found.slug), 303)
