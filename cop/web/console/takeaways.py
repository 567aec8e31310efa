"""Publishing what was taken away from a session."""

from flask import Response, flash, redirect, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext, ngettext

from cop.db import read_tx, write_tx
from cop.domain import changes
from cop.domain.community import Facts
from cop.domain.errors import RuleBroken
from cop.domain.schedule import Listing
from cop.web.console import console
from cop.web.console.finding import over_or_404
from cop.web.console.forms import ConsoleForm, Https, area, line
from cop.web.rendering import render, writer


class TakeawaysForm(ConsoleForm):
    """What was taken away from a session, and where its recording is."""

    takeaways = area(20_000)
    recording_url = line(2000, Https())

    def __init__(self, meeting: Listing) -> None:
        super().__init__(
            {
                "takeaways": meeting.takeaways or "",
                "recording_url": meeting.recording_url or "",
            }
        )


@console.get("/sessions/<slug:slug>/takeaways")
def takeaways(slug: str) -> Response:
    facts, found = over_or_404(slug)
    return _show(facts, found, TakeawaysForm(found))


@console.post("/sessions/<slug:slug>/takeaways")
def send_takeaways(slug: str) -> ResponseReturnValue:
    facts, found = over_or_404(slug)
    form = TakeawaysForm(found)
    if not form.validate():
        return _show(facts, found, form, status=422)
    if "preview" in request.form:
        return _show(facts, found, form, preview=form.takeaways.data)
    try:
        mails = _publish(facts, found, form)
    except RuleBroken as refusal:
        form.refuse(refusal)
        return _show(facts, found, form, status=422)
    flash(_published(mails))
    return redirect(url_for("console.meeting", slug=slug), 303)


def _show(
    facts: Facts, found: Listing, form: TakeawaysForm, *, status: int = 200,
    preview: str | None = None,
) -> Response:  # fmt: skip
    with read_tx() as db_session:
        people = len(changes.wanting_takeaways(db_session, found.id))
    return render(
        "console/takeaways.html",
        status=status,
        community=facts,
        meeting=found,
        form=form,
        people=people,
        preview=preview,
    )


def _publish(facts: Facts, found: Listing, form: TakeawaysForm) -> int:
    with write_tx() as db_session:
        return changes.publish(
            db_session,
            found.id,
            takeaways=form.takeaways.data or "",
            recording_url=form.recording_url.data or "",
            writer=writer(facts),
        )


def _published(mails: int) -> str:
    if not mails:
        return gettext("Published on the session's page.")
    return ngettext(
        "Published on the session's page, and mailed to %(num)s person.",
        "Published on the session's page, and mailed to %(num)s people.",
        mails,
    )
