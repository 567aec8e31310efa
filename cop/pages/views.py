"""The schedule, and a page for each session."""

from flask import Response, abort

from cop.meetings.views_common import read_schedule
from cop.questions import registry
from cop.registration.forms import registration_form
from cop.web.blueprints import public
from cop.web.page_cache import cached
from cop.web.rendering import current_community, render


@public.get("/")
@cached
def about() -> Response:
    schedule = read_schedule()
    return render("pages/about.html", is_cacheable=True, schedule=schedule)


@public.get("/your-data")
@cached
def your_data() -> Response:
    read_schedule()
    return render(
        "pages/your_data.html",
        is_cacheable=True,
        questions=registry.enabled_questions(current_community().disabled_questions),
        noted=registry.RECORDED,
    )


@public.get("/schedule")
@cached
def schedule() -> Response:
    listed = read_schedule()
    return render("pages/schedule.html", is_cacheable=True, schedule=listed)


@public.get("/schedule/<slug:slug>")
@cached
def meeting(slug: str) -> Response:
    listed = read_schedule()
    found = listed.find(slug) or abort(404)
    form = None
    if found.can_be_chosen:
        form = registration_form(current_community().disabled_questions)
        form["sessions"].data = [slug]
    return render(
        "pages/meeting.html",
        is_cacheable=form is None,
        schedule=listed,
        meeting=found,
        form=form,
    )
