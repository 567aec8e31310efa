"""Publishing what was taken away from a session."""

from flask import Response, flash, g, redirect, request, url_for
from flask.typing import ResponseReturnValue

from cop.db import read_tx, write_tx
from cop.domain import changes, meetings, record
from cop.domain.meetings import LockedMeeting
from cop.domain.record import Action
from cop.domain.schedule import Listing
from cop.errors import EditConflict, Refused
from cop.web.console import console
from cop.web.console.finding import over_or_404
from cop.web.console.forms import Https, area, line
from cop.web.console.merging import MergedForm
from cop.web.rendering import now, render, writer
from cop.web.saying import gettext, ngettext


class TakeawaysForm(MergedForm):
    """What was taken away from a session, and where its recording is."""

    takeaways = area(20_000)
    recording_url = line(2000, Https())

    def __init__(self, meeting: LockedMeeting) -> None:
        super().__init__(
            {
                "takeaways": meeting.takeaways or "",
                "recording_url": meeting.recording_url or "",
            },
            version=meeting.edit_version,
        )


@console.get("/sessions/<slug:slug>/takeaways")
def takeaways(slug: str) -> Response:
    found = over_or_404(slug)
    return _show(found, _form(found))


@console.post("/sessions/<slug:slug>/takeaways")
def send_takeaways(slug: str) -> ResponseReturnValue:
    found = over_or_404(slug)
    form = _form(found)
    if not form.validate():
        return _show(found, form)
    if "preview" in request.form:
        return _show(found, form, preview=form.takeaways.data)
    if form.shows_clash(meeting_id=found.id):
        return _show(found, form)
    try:
        mails = _publish(found, form)
    except EditConflict:  # between our look and our lock: look again
        return send_takeaways(slug)
    except Refused as refusal:
        form.refuse(refusal)
        return _show(found, form)
    flash(_published(mails))
    return redirect(url_for("console.meeting", slug=slug), 303)


def _form(found: Listing) -> TakeawaysForm:
    with read_tx() as db_session:
        [inside] = meetings.look(db_session, [found.id])
    return TakeawaysForm(inside)


def _show(found: Listing, form: TakeawaysForm, *, preview: str | None = None) -> Response:
    with read_tx() as db_session:
        people = len(changes.wanting_takeaways(db_session, found.id))
    return render(
        "changes/takeaways.html",
        meeting=found,
        form=form,
        people=people,
        preview=preview,
    )


def _publish(found: Listing, form: TakeawaysForm) -> int:
    with write_tx() as db_session:
        changes.expect(db_session, found.id, version=form.latest)
        mails = changes.publish(
            db_session,
            found.id,
            takeaways=form.said("takeaways"),
            recording_url=form.said("recording_url"),
            writer=writer(),
        )
        record.note(
            db_session, g.coordinator.id, Action.PUBLISHED, now=now(), meeting_id=found.id,
            item_count=mails,
        )  # fmt: skip
    return mails


def _published(mails: int) -> str:
    if not mails:
        return gettext("Published on the session's page.")
    return ngettext(
        "Published on the session's page, and mailed to %(num)s person.",
        "Published on the session's page, and mailed to %(num)s people.",
        mails,
    )
