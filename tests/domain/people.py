"""Registering in the tests as the fixed cast, and looking at what became of it."""

from uuid import uuid4
from zoneinfo import ZoneInfo

from sqlalchemy import select

from cop.domain import changes, meetings, registration
from cop.domain.community import load_community
from cop.links import Links
from cop.mail.writer import Writer
from cop.models import Meeting, Member, Registration
from tests.world import NOW

EASTERN = ZoneInfo("America/New_York")
LINKS = Links("https://cop.example.org", "k" * 40)


def a_writer(db_session, *, now=NOW):
    """Who writes the mails of a test."""
    return Writer(load_community(db_session), LINKS, now)


def edit(db_session, meeting, *, now=NOW, **values):
    """Edit a meeting as a coordinator does; return who came off the waiting list."""
    locked = meetings.lock_one(db_session, meeting.id)
    return changes.edit(db_session, locked, values, writer=a_writer(db_session, now=now))


def cancel_meeting(db_session, meeting, *, reason="Snow", now=NOW):
    """Cancel a meeting as a coordinator does."""
    locked = meetings.lock_one(db_session, meeting.id)
    changes.cancel(db_session, locked, reason=reason, writer=a_writer(db_session, now=now))


def restore_meeting(db_session, meeting, *, now=NOW):
    """Restore a canceled meeting as a coordinator does."""
    locked = meetings.lock_one(db_session, meeting.id)
    return changes.restore(db_session, locked, writer=a_writer(db_session, now=now))


def register(db_session, slugs, details, *, now=NOW, submission=None):
    """Register somebody for one meeting, or several, by a form that was not sent before."""
    slugs = [slugs] if isinstance(slugs, str) else slugs
    submission = submission or uuid4().hex
    return registration.register(
        db_session, slugs, details, submission=submission, writer=a_writer(db_session, now=now)
    )


def registrations(db_session, slug=None):
    """Every registration, or those of one meeting, in the order in which they were made."""
    query = select(Registration).join(Meeting).order_by(Registration.id)
    query = query if slug is None else query.where(Meeting.slug == slug)
    return list(db_session.scalars(query.execution_options(populate_existing=True)))


def roll(db_session, slug):
    """Who has what at a meeting: "Ada held, Grace waiting"."""
    rows = registrations(db_session, slug)
    return ", ".join(f"{row.name.split()[0]} {row.status}" for row in rows)


def member(db_session, email_key):
    """The member with this address, if there is one."""
    query = select(Member).where(Member.email_key == email_key)
    return db_session.scalars(query.execution_options(populate_existing=True)).one_or_none()
