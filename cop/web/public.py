"""The public blueprint: what anybody can read, and the form.

Every address in it is said relative to where it is registered, so that it can stand at `/` and at
`/embed`. It never touches a cookie.
"""

from flask import Blueprint, g

from cop.db import read_tx
from cop.domain import community, schedule
from cop.web.rendering import now

public = Blueprint("public", "cop")


def look() -> tuple[community.Facts, schedule.Schedule]:
    """The community and its schedule, as one moment saw them."""
    with read_tx() as db_session:
        facts, listed = community.facts(db_session), schedule.read(db_session, now=now())
    g.community = facts  # for the page that says so if this address does not exist
    g.changes_at = listed.changes_at(now(), facts.zone_info)
    return facts, listed


from cop.web import about, my_link, registration  # noqa: E402, F401 - they add their views
from cop.web import schedule as _schedule  # noqa: E402, F401
