"""What other sites embed: the card and the script.

`app.py` also registers all public pages a second time, below `/embed`.
"""

from flask import Response, current_app

from cop.meetings.views_common import read_schedule
from cop.web.blueprints import embedding
from cop.web.page_cache import cached
from cop.web.rendering import render


@embedding.get("/embed/next")
@cached
def card() -> Response:
    """Show only the next session, for a small frame on another site's page."""
    return render("pages/card.html", is_cacheable=True, schedule=read_schedule())


@embedding.get("/embed.js")
def script() -> Response:
    """Send the script that fits the height of a frame to its content."""
    response = current_app.send_static_file("embed.js")
    response.headers["Cache-Control"] = "public, max-age=300"
    response.access_control_allow_origin = "*"  # for a `crossorigin` or `integrity` attribute
    return response
