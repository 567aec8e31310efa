"""The card and the script for other sites; `/embed` has the public pages, too."""

from flask import Response, current_app

from cop.meetings.views_common import read_schedule
from cop.web.blueprints import embedding
from cop.web.page_cache import cached
from cop.web.rendering import render


@embedding.get("/embed/next")
@cached
def card() -> Response:
    """Show the next session alone, for a corner of another site's page."""
    return render("pages/card.html", is_cacheable=True, schedule=read_schedule())


@embedding.get("/embed.js")
def script() -> Response:
    """Send the script that makes another site's frame as high as what it shows."""
    response = current_app.send_static_file("embed.js")
    response.headers["Cache-Control"] = "public, max-age=300"
    return response
