"""Saying that a session does not take place, or that it does after all."""

from flask import Response, flash, redirect, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext

from cop.db import write_tx
from cop.domain import changes
from cop.domain.community import Facts
from cop.domain.schedule import Listing
from cop.web.console import console
from cop.web.console.editing import told_soon
from cop.web.console.finding import open_or_404
from cop.web.console.forms import ConsoleForm, line
from cop.web.forms import Needed
from cop.web.rendering import render, writer
from cop.words import N_


class CancelForm(ConsoleForm):
    """Why a session does not take place."""

    reason = line(300, Needed(N_("Write why: people see it on the schedule and in their mail.")))


@console.get("/sessions/<slug:slug>/cancel")
def cancel(slug: str) -> Response:
    return _ask(*open_or_404(slug), CancelForm())


@console.post("/sessions/<slug:slug>/cancel")
def send_cancel(slug: str) -> ResponseReturnValue:
    facts, found = open_or_404(slug)
    form = CancelForm()
    if not form.validate():
        return _ask(facts, found, form, status=422)
    with write_tx() as db_session:
        changes.cancel(db_session, found.id, reason=form.reason.data or "", writer=writer(facts))
    return _done(facts, found, gettext("The session is cancelled."))


@console.get("/sessions/<slug:slug>/restore")
def restore(slug: str) -> Response:
    facts, found = open_or_404(slug)
    return render("console/restore.html", community=facts, meeting=found)


@console.post("/sessions/<slug:slug>/restore")
def send_restore(slug: str) -> ResponseReturnValue:
    facts, found = open_or_404(slug)
    with write_tx() as db_session:
        changes.restore(db_session, found.id, writer=writer(facts))
    return _done(facts, found, gettext("The session takes place after all."))


def _ask(facts: Facts, found: Listing, form: CancelForm, *, status: int = 200) -> Response:
    return render("console/cancel.html", status=status, community=facts, meeting=found, form=form)


def _done(facts: Facts, found: Listing, sentence: str) -> ResponseReturnValue:
    flash(sentence)
    if found.held + found.waiting:
        flash(told_soon(facts))
    return redirect(url_for("console.meeting", slug=found.slug), 303)
