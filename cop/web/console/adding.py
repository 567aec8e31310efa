"""Adding a session that the rhythm does not give."""

from flask import Response, flash, g, redirect, url_for
from flask.typing import ResponseReturnValue

from cop.db import write_tx
from cop.domain import planning, record
from cop.domain.record import Action
from cop.errors import Refused
from cop.web.console import console
from cop.web.console.clocks import ClockForm, cautions
from cop.web.console.forms import line
from cop.web.public import look
from cop.web.rendering import current_community, now, render
from cop.web.saying import gettext


class NewForm(ClockForm):
    """When an extra session takes place, and what it is about."""

    topic = line(200)

    def __init__(self) -> None:
        community = current_community()
        self.zone = community.zone_info
        usual = community.rhythm.on(now().date())
        super().__init__(
            {
                "starts": f"{usual.starts_at.astimezone(self.zone):%H:%M}",
                "ends": f"{usual.ends_at.astimezone(self.zone):%H:%M}",
            }
        )


@console.get("/sessions/new")
def new() -> Response:
    return _show(NewForm())


@console.post("/sessions/new/preview")
def preview_new() -> Response:
    """Say what to know of the date; nothing is added."""
    form = NewForm()
    if not form.validate():
        return _show(form)
    return _show(form, warned=_cautions(form) or [gettext("Nothing is known against "
                 "this date.")])  # fmt: skip


@console.post("/sessions/new")
def send_new() -> ResponseReturnValue:
    form = NewForm()
    if not form.validate():
        return _show(form)
    warned = _cautions(form)
    try:
        slug = _add(form)
    except Refused as refusal:
        form.refuse(refusal)
        return _show(form)
    for sentence in (gettext("The session is added, and on the schedule."), *warned):
        flash(sentence)
    return redirect(url_for("console.edit", slug=slug), 303)


def _add(form: NewForm) -> str:
    """Add the session; return its slug."""
    with write_tx() as db_session:
        meeting = planning.add(
            db_session,
            starts_at=form.moment("starts"),
            ends_at=form.moment("ends"),
            topic=form.topic.data or "",
            now=now(),
        )
        action, id_ = Action.ADDED_MEETING, meeting.id
        record.note(db_session, g.coordinator.id, action, now=now(), meeting_id=id_)
        return meeting.slug


def _cautions(form: NewForm) -> list[str]:
    listed = look()
    starts_at, ends_at = form.moment("starts"), form.moment("ends")
    warned = cautions(starts_at, (*listed.upcoming, *listed.past))
    if starts_at < ends_at <= now():
        passed = gettext("This time has passed: it goes among the past sessions, nobody can "
                         "register for it, and nobody gets a mail.")  # fmt: skip
        warned.append(passed)
    return warned


def _show(form: NewForm, *, warned: list[str] | None = None) -> Response:
    return render(
        "meetings/new.html",
        fragment="meetings/_warnings.html",
        form=form,
        cautions=warned or [],
    )
