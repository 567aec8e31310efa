"""The public blueprint: what anybody can read, and the form.

Every address in it is said relative to where it is registered, so that it can stand at `/` and at
`/embed`. It never touches a cookie.
"""

from flask import Blueprint, g

from cop.db import read_tx
from cop.domain import schedule
from cop.web.rendering import current_community, now

public = Blueprint("public", "cop")


def look() -> schedule.Schedule:
    """The schedule, with the community as the same moment saw it."""
    with read_tx() as db_session:
        community, listed = current_community(), schedule.read(db_session, now=now())
    g.changes_at = listed.changes_at(now(), community.zone_info)
    return listed


from cop.web import about, my_link, registration  # noqa: E402, F401 - they add their views
from cop.web import schedule as _schedule  # noqa: E402, F401
