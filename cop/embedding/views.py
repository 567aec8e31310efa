"""The public pages inside other sites' pages: a second time, below `/embed`, and a script for them.

What only makes sense in a frame is here; everything else is the public blueprint's.
"""

from flask import Blueprint, Flask, Response, current_app

from cop.meetings.views_common import read_schedule
from cop.web.blueprints import public
from cop.web.page_cache import cached
from cop.web.rendering import EMBED, render

embedding = Blueprint("embedding", "cop")


def install(app: Flask) -> None:
    """Show the public pages below `/embed`, too."""
    app.register_blueprint(public, url_prefix=EMBED, name="embed")
    app.register_blueprint(embedding)


@embedding.get("/embed/next")
@cached
def card() -> Response:
    """The next session alone, for a corner of another site's page."""
    listed = read_schedule()
    return render("pages/card.html", same_for_all=True, schedule=listed)


@embedding.get("/embed.js")
def script() -> Response:
    """What another site's page loads so that the frame in it is as high as what it shows."""
    response = current_app.send_static_file("embed.js")
    response.headers["Cache-Control"] = "public, max-age=300"
    return response
