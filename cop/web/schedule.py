"""The schedule, and a page for each session."""

from flask import Response, abort
from werkzeug.routing import BaseConverter

from cop.web.forms import registration_form
from cop.web.kept_pages import kept
from cop.web.public import look, public
from cop.web.rendering import current_community, render


class Slug(BaseConverter):
    """A session's name in addresses: its date, and a number where a day has several."""

    regex = r"\d{4}-\d{2}-\d{2}(?:-\d{1,3})?"


public.record_once(lambda state: state.app.url_map.converters.update(slug=Slug))


@public.get("/schedule")
@kept
def schedule() -> Response:
    listed = look()
    return render("pages/schedule.html", same_for_all=True, schedule=listed)


@public.get("/schedule/<slug:slug>")
@kept
def meeting(slug: str) -> Response:
    listed = look()
    found = listed.find(slug) or abort(404)
    form = (
        registration_form(current_community().disabled_questions, ticked=[slug])
        if found.can_be_chosen
        else None
    )
    return render(
        "pages/meeting.html",
        same_for_all=form is None,
        schedule=listed,
        meeting=found,
        form=form,
    )
