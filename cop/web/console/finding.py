"""The session that an address of the console names."""

from flask import abort

from cop.db import read_tx
from cop.domain import community, schedule
from cop.domain.community import Facts
from cop.domain.schedule import Listing
from cop.web.rendering import now


def meeting_or_404(slug: str) -> tuple[Facts, Listing]:
    """The community, and its session of this name."""
    with read_tx() as db_session:
        facts = community.facts(db_session)
        found = schedule.find(db_session, slug, now=now())
    return facts, found or abort(404)


def open_or_404(slug: str) -> tuple[Facts, Listing]:
    """The same, for a session whose fate can still be changed."""
    facts, found = meeting_or_404(slug)
    return (facts, found) if not found.is_over else abort(404)


def over_or_404(slug: str) -> tuple[Facts, Listing]:
    """The same, for a session that took place."""
    facts, found = meeting_or_404(slug)
    return (facts, found) if found.is_over and not found.is_cancelled else abort(404)
