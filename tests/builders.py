"""Registering in the tests as the fixed cast, and looking at what became of it."""

from datetime import UTC, datetime, timedelta
from functools import cache
from uuid import uuid4
from zoneinfo import ZoneInfo

from argon2 import PasswordHasher
from sqlalchemy import select

from cop.changes import changes
from cop.community.community import load_community
from cop.links import Links
from cop.mail.letter import Letter
from cop.mail.writer import LetterWriter
from cop.meetings import locking
from cop.models.audit import Viewing
from cop.models.coordinator import Coordinator
from cop.models.email import OutboxEmail
from cop.models.meeting import Meeting
from cop.models.registration import Member, Registration, RegistrationStatus, Submission
from cop.outbox import outbox
from cop.outbox.outbox import EmailKind, QueuedEmail
from cop.registration import register as registration_register
from cop.registration.answers import Answers

ADA = Answers("Ada Example", "ada@example.org")
GRACE = Answers("Grace Sample", "grace@example.org")
KATHERINE = Answers("Katherine Placeholder", "katherine@example.org")
MALLORY = Answers("Mallory Nobody", "mallory@example.org")
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
def password_hash():
    """A hash of `PASSWORD` that verifies fast, unlike those that the site makes."""
    return PasswordHasher(time_cost=1, memory_cost=8, parallelism=1).hash(PASSWORD)


def a_coordinator(db_session, name="Corin", **values):
    """An account with the password `PASSWORD`, without the rules that lead to it."""
    email = f"{name.lower()}@example.org"
    values = {"email": email, "email_key": email, "password_hash": password_hash()} | values
    coordinator = Coordinator(name=name, **values)
    db_session.add(coordinator)
    db_session.flush()
    return coordinator


def a_viewing(db_session, coordinator_id, resource, *, now=NOW, **values):
    """Record that a coordinator viewed personal data."""
    row = Viewing(coordinator_id=coordinator_id, resource=resource, viewed_at=now, **values)
    db_session.add(row)
    db_session.flush()


LETTER = Letter("Hello", "Hello there.\n", "<p>Hello there.</p>")


def an_email(db_session, to="ada@example.org", *, kind=EmailKind.LINK, now=NOW, **values):
    """Queue a mail, of which nothing matters but what is said."""
    values = {"dedup_key": uuid4().hex} | values
    outbox.queue(db_session, [QueuedEmail(LETTER, to, kind, **values)], now=now)
    return outbox_emails(db_session)[-1]


def outbox_emails(db_session, *kinds):
    """Every mail in the outbox, or those of some kinds, in the order of being queued."""
    query = select(OutboxEmail).order_by(OutboxEmail.id)
    query = query.where(OutboxEmail.kind.in_(kinds)) if kinds else query
    return list(db_session.scalars(query.execution_options(populate_existing=True)))


def recipients_and_subjects(db_session, *kinds):
    """Who is told what: `(address, subject)` of each mail."""
    return [(mail.to_address, mail.subject) for mail in outbox_emails(db_session, *kinds)]


def clear_outbox(db_session):
    """Empty the outbox, so that a test sees only what comes next."""
    for mail in outbox_emails(db_session):
        db_session.delete(mail)
    db_session.flush()


EASTERN = ZoneInfo("America/New_York")
LINKS = Links("https://cop.example.org", "k" * 40)


def a_writer(db_session, *, now=NOW):
    """Who writes the mails of a test."""
    return LetterWriter(load_community(db_session), LINKS, now)


def edit(db_session, meeting, *, now=NOW, **values):
    """Edit a meeting as a coordinator does; return who came off the waiting list."""
    locked = locking.lock_one(db_session, meeting.id)
    return changes.edit(db_session, locked, values, writer=a_writer(db_session, now=now))


def cancel_meeting(db_session, meeting, *, reason="Snow", now=NOW):
    """Cancel a meeting as a coordinator does."""
    locked = locking.lock_one(db_session, meeting.id)
    changes.cancel(db_session, locked, reason=reason, writer=a_writer(db_session, now=now))


def restore_meeting(db_session, meeting, *, now=NOW):
    """Restore a canceled meeting as a coordinator does."""
    locked = locking.lock_one(db_session, meeting.id)
    return changes.restore(db_session, locked, writer=a_writer(db_session, now=now))


def register(db_session, slugs, details, *, now=NOW, submission=None):
    """Register somebody for one meeting or several, by a new form; return what is stored of it."""
    slugs = [slugs] if isinstance(slugs, str) else slugs
    submission = submission or uuid4().hex
    registration_register.register(
        db_session, slugs, details, submission=submission, writer=a_writer(db_session, now=now)
    )
    return db_session.get_one(Submission, submission, populate_existing=True)


def a_full_meeting(db_session):
    """A meeting with one place: Ada holds it, Grace and Katherine wait; Mallory waits elsewhere."""
    meeting = a_meeting(db_session, capacity=1)
    for person in (ADA, GRACE, KATHERINE):
        register(db_session, meeting.slug, person)
    other = a_meeting(db_session, slug="other", capacity=1)
    a_registration(db_session, other, MALLORY.email, RegistrationStatus.WAITING)
    clear_outbox(db_session)
    return meeting


def registrations(db_session, slug=None):
    """Every registration, or those of one meeting, in the order in which they were made."""
    query = select(Registration).join(Meeting).order_by(Registration.id)
    query = query if slug is None else query.where(Meeting.slug == slug)
    return list(db_session.scalars(query.execution_options(populate_existing=True)))


def status_summary(db_session, slug):
    """Who has what at a meeting: "Ada held, Grace waiting"."""
    rows = registrations(db_session, slug)
    return ", ".join(f"{row.name.split()[0]} {row.status}" for row in rows)


def find_member(db_session, email_key):
    """The member with this address, if there is one."""
    query = select(Member).where(Member.email_key == email_key)
    return db_session.scalars(query.execution_options(populate_existing=True)).one_or_none()
