"""The session that an address of the console names."""

from flask import abort

from cop.db import read_tx
from cop.domain import schedule
from cop.domain.schedule import Listing
from cop.web.rendering import now


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
