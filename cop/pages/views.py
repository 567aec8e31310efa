"""The public pages, and what search engines and browsers fetch beside them."""

from datetime import timedelta

from flask import Response, abort, current_app, render_template, request, url_for

from cop.meetings.views_common import read_schedule
from cop.questions import registry
from cop.registration.forms import RegistrationForm
from cop.web.blueprints import public, search
from cop.web.forms import strip_to_one_line
from cop.web.page_cache import cached
from cop.web.rendering import current_community, links, now, render

SHOWN_FOR = timedelta(days=365)  # past sessions on the schedule; all are at /schedule/past
MAX_QUERY = 100  # characters
ROBOTS = """User-agent: *
Disallow: /coordinator
Disallow: /registered
Sitemap: {sitemap}
"""


@public.get("/")
@cached
def about() -> Response:
    schedule = read_schedule()
    return render("pages/about.html", is_cacheable=True, schedule=schedule)


@public.get("/your-data")
@cached
def your_data() -> Response:
    read_schedule()  # sets until when the page may be cached
    return render(
        "pages/your_data.html",
        is_cacheable=True,
        questions=registry.enabled_questions(current_community().disabled_questions),
        noted=registry.RECORDED,
    )


@public.get("/accessibility")
@cached
def accessibility() -> Response:
    read_schedule()
    return render("pages/accessibility.html", is_cacheable=True)


@public.get("/schedule")
@cached
def schedule() -> Response:
    listed, zone = read_schedule(), current_community().zone_info
    since = now().astimezone(zone).date() - SHOWN_FOR
    recent = [past for past in listed.past if past.starts_at.astimezone(zone).date() > since]
    return render("pages/schedule.html", is_cacheable=True, schedule=listed, recent=recent)


@public.get("/schedule/past")
@cached
def past() -> Response:
    """List all past sessions, or those that mention the words of `q`."""
    listed, query = read_schedule(), strip_to_one_line(request.args.get("q"))[:MAX_QUERY]
    return render(
        "pages/past.html",
        is_cacheable=True,
        schedule=listed,
        query=query,
        max_query=MAX_QUERY,
        meetings=listed.search_past(query) if query else listed.past,
    )


@public.get("/schedule/<slug:slug>")
@cached
def meeting(slug: str) -> Response:
    listed = read_schedule()
    found = listed.find(slug) or abort(404)
    form = None
    if found.can_be_chosen:
        form = RegistrationForm()
        form.sessions.data = [slug]
    return render(
        "pages/meeting.html",
        is_cacheable=form is None,
        schedule=listed,
        meeting=found,
        only=found,
        form=form,
    )


@search.get("/robots.txt")
def robots() -> Response:
    text = ROBOTS.format(sitemap=links().page(url_for("search.sitemap")))
    return Response(text, mimetype="text/plain")


@search.get("/sitemap.xml")
def sitemap() -> Response:
    schedule = read_schedule()
    names = ("about", "schedule", "past", "form", "your_data", "accessibility")
    pages = [url_for(f"public.{name}") for name in names]
    pages += [url_for("public.meeting", slug=meeting.slug) for meeting in schedule.all]
    xml = render_template("pages/sitemap.xml", addresses=[links().page(page) for page in pages])
    return Response(xml, mimetype="application/xml")


@search.get("/favicon.ico")
def favicon() -> Response:
    response = current_app.send_static_file("favicon.ico")
    response.headers["Cache-Control"] = "public, max-age=86400"
    return response
