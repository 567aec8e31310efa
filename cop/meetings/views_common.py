"""Read the schedule or one session for a view, or abort with 404."""

from flask import abort, g

from cop.db.engine import read_tx
from cop.meetings import schedule
from cop.meetings.schedule import Listing
from cop.web.rendering import current_community, now


def meeting_or_404(slug: str) -> Listing:
    """Read the session of this slug."""
    with read_tx() as db_session:
        found = schedule.find(db_session, slug, now=now())
    return found or abort(404)


def open_or_404(slug: str) -> Listing:
    """Read a session that is not over."""
    found = meeting_or_404(slug)
    return found if not found.is_over else abort(404)


def over_or_404(slug: str) -> Listing:
    """Read a session that took place."""
    found = meeting_or_404(slug)
    return found if found.is_over and not found.is_cancelled else abort(404)


def read_schedule() -> schedule.Schedule:
    """Read the schedule; note in `g` until when its pages may be cached."""
    with read_tx() as db_session:
        zone, found = current_community().zone_info, schedule.read(db_session, now=now())
    g.next_change_at = found.next_change_at(now(), zone)
    return found
