"""The session that an address of the console names."""

from flask import abort, g

from cop.db.engine import read_tx
from cop.meetings import schedule
from cop.meetings.schedule import Listing
from cop.web.rendering import current_community, now


def meeting_or_404(slug: str) -> Listing:
    """The community, and its session of this name."""
    with read_tx() as db_session:
        found = schedule.find(db_session, slug, now=now())
    return found or abort(404)


def open_or_404(slug: str) -> Listing:
    """The same, for a session whose fate can still be changed."""
    found = meeting_or_404(slug)
    return found if not found.is_over else abort(404)


def over_or_404(slug: str) -> Listing:
    """The same, for a session that took place."""
    found = meeting_or_404(slug)
    return found if found.is_over and not found.is_cancelled else abort(404)


def read_schedule() -> schedule.Schedule:
    """The schedule, with the community as the same moment saw it."""
    with read_tx() as db_session:
        community, listed = current_community(), schedule.read(db_session, now=now())
    g.next_change_at = listed.next_change_at(now(), community.zone_info)
    return listed
