"""The fixed cast and the builders of the tests."""

from datetime import UTC, datetime, timedelta
from functools import cache
from uuid import uuid4

from cop.domain import passwords
from cop.domain.details import Details
from cop.models import Meeting, Member, Registration, RegistrationStatus

ADA = Details("Ada Example", "ada@example.org")
GRACE = Details("Grace Sample", "grace@example.org")
KATHERINE = Details("Katherine Placeholder", "katherine@example.org")
MALLORY = Details("Mallory Nobody", "mallory@example.org")
CORIN = "corin@example.org"
PASSWORD = "four purple otters sing"

# A Sunday; the next third Tuesday is December 15.
NOW = datetime(2026, 11, 22, 15, 0, tzinfo=UTC)


def a_meeting(db_session, *, starts_at=None, minutes=90, **values):
    """A planned meeting, three weeks from now unless said otherwise."""
    starts_at = starts_at or NOW + timedelta(days=21)
    values = {"slug": starts_at.date().isoformat(), "uid": str(uuid4()), "revised_at": NOW} | values
    meeting = Meeting(starts_at=starts_at, ends_at=starts_at + timedelta(minutes=minutes), **values)
    db_session.add(meeting)
    db_session.flush()
    return meeting


def a_registration(db_session, meeting, email, status=RegistrationStatus.HELD, **values):
    """A registration as it stands in the database, without the rules that lead to it."""
    member = db_session.query(Member).filter_by(email_key=email).one_or_none()
    if member is None:
        member = Member(email=email, email_key=email, token_version=0, calendar_version=0)
        db_session.add(member)
        db_session.flush()
    values = {"name": email.split("@")[0].title(), "registered_at": NOW, "language": "en"} | values
    registration = Registration(member_id=member.id, meeting_id=meeting.id, status=status, **values)
    db_session.add(registration)
    db_session.flush()
    return registration


@cache
def kept_password():
    """What is kept of the password; made once, since that is slow on purpose."""
    return passwords.hashed(PASSWORD, about=())
