"""What search engines, browsers and other programs look for at fixed addresses."""

from flask import Response, current_app, render_template, url_for

from cop.meetings.views_common import read_schedule
from cop.web.blueprints import search
from cop.web.rendering import links

ROBOTS = """User-agent: *
Disallow: /coordinator
Disallow: /registered
Sitemap: {sitemap}
"""


@search.get("/robots.txt")
def robots() -> Response:
    text = ROBOTS.format(sitemap=links().page(url_for("search.sitemap")))
    return Response(text, mimetype="text/plain")


@search.get("/sitemap.xml")
def sitemap() -> Response:
    schedule = read_schedule()
    pages = [url_for(f"public.{page}") for page in ("about", "schedule", "form", "your_data")]
    slugs = [meeting.slug for meeting in (*schedule.upcoming, *schedule.past)]
    pages += [url_for("public.meeting", slug=slug) for slug in slugs]
    xml = render_template("pages/sitemap.xml", addresses=[links().page(page) for page in pages])
    return Response(xml, mimetype="application/xml")


@search.get("/favicon.ico")
def favicon() -> Response:
    response = current_app.send_static_file("favicon.ico")
    response.headers["Cache-Control"] = "public, max-age=86400"
    return response
