"""Console: add a session beside those of the recurrence rule."""

from flask import flash, redirect, request, url_for
from flask.typing import ResponseReturnValue

from cop.audit.audit_log import Action
from cop.audit.views import note_action
from cop.db.engine import write_tx
from cop.errors import Refused
from cop.meetings import planning
from cop.meetings.forms import DateTimeForm, date_warnings
from cop.meetings.schedule import Schedule
from cop.meetings.views_common import read_schedule
from cop.web.blueprints import console
from cop.web.forms import line
from cop.web.i18n import gettext
from cop.web.rendering import current_community, now, render


class NewForm(DateTimeForm):
    """Time and topic of an extra session, with the usual hours filled in."""

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


@console.route("/sessions/new", methods=["GET", "POST"])
@console.post("/sessions/new/preview", endpoint="preview_new")
def new() -> ResponseReturnValue:
    schedule = read_schedule()
    form = NewForm()
    warnings: list[str] = []
    if form.validate_on_submit():
        warnings = _warnings(form, schedule)
        if request.endpoint == "console.preview_new":
            warnings = warnings or [gettext("We found no problem with this date.")]
        elif slug := _add(form):
            for sentence in (gettext("The session is on the schedule."), *warnings):
                flash(sentence)
            return redirect(url_for("console.edit", slug=slug), 303)
    return render(
        "meetings/new.html",
        fragment="meetings/_warnings.html",
        form=form,
        warnings=[] if form.errors else warnings,
    )


def _add(form: NewForm) -> str | None:
    """Add the session and return its slug; a refusal is shown in the form instead."""
    try:
        with write_tx() as db_session:
            meeting = planning.add_session(
                db_session,
                starts_at=form.moment("starts"),
                ends_at=form.moment("ends"),
                topic=form.topic.data or "",
                now=now(),
            )
            note_action(db_session, Action.ADDED_MEETING, meeting_id=meeting.id)
            return meeting.slug
    except Refused as refusal:
        form.refuse(refusal)
        return None


def _warnings(form: NewForm, schedule: Schedule) -> list[str]:
    starts_at, ends_at = form.moment("starts"), form.moment("ends")
    warnings = date_warnings(starts_at, schedule.all)
    if starts_at < ends_at <= now():
        warnings.append(
            gettext(
                "This time has passed. The session goes under past sessions, and nobody can "
                "register for it."
            )
        )
    return warnings
