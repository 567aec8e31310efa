"""One of every email that the site sends, composed for the same people and sessions."""

from dataclasses import replace
from datetime import UTC, datetime, time, timedelta

from cop.accounts import emails as accounts_emails
from cop.changes import emails
from cop.community.community import CommunityFacts
from cop.links import Links
from cop.mail.recipients import Recipient, Registered
from cop.mail.writer import LetterWriter
from cop.meetings.locking import Announced, MeetingFacts
from cop.messages import emails as messages_emails
from cop.models.audit import Announcement
from cop.registration import emails as registration_emails
from cop.reminders import emails as reminders_emails
from cop.roster.roster import Counts
from tests.builders import NOW

COMMUNITY = CommunityFacts(
    name="Equity in Data Community of Practice",
    short_name="Equity in Data",
    host_name="CTData Collaborative",
    host_url="https://www.ctdata.org",
    contact_name="Sarah Eisele-Dyrli",
    contact_role="Data Engagement Specialist",
    contact_email="contact@example.org",
    location="Zoom",
    time_zone="America/New_York",
    recurrence_rule="FREQ=MONTHLY;BYDAY=3TU",
    recurrence_from=None,
    start_time=time(11, 30),
    duration_minutes=90,
    planned_ahead=6,
    about=None,
    disabled_questions=[],
    observances=[],
    reminder_days=[7, 1],
    notice_minutes=2,
    revision=0,
)
WRITER = LetterWriter(COMMUNITY, Links("https://cop.example.org", "k" * 40), NOW)
MEETING = MeetingFacts(
    id=1,
    slug="2026-12-15",
    uid="one@cop",
    sequence=0,
    revised_at=NOW,
    status="planned",
    starts_at=datetime(2026, 12, 15, 16, 30, tzinfo=UTC),
    ends_at=datetime(2026, 12, 15, 18, 0, tzinfo=UTC),
    moved_from=None,
    reason=None,
    topic="Who disappears when we disaggregate?",
    summary="Members show how they broke their data down.",
    guests="Two members who did it last year",
    reading_title="One chapter on small groups in large tables",
    reading_url="https://example.org/small-groups",
    reading_minutes=20,
    prep_question="Which group in your own data can nobody see?",
    capacity=32,
    join_url="https://zoom.example.org/j/secret",
    takeaways="## Three things\n\n- Ask who *decided* the categories\n- Publish the size of every group",
    recording_url="https://video.example.org/1",
    published_at=NOW,
    edited_at=NOW,
    cancelled_at=None,
)
JANUARY = replace(
    MEETING, id=2, slug="2027-01-19", uid="two@cop", topic=None, guests=None, reading_title=None,
    prep_question=None, starts_at=MEETING.starts_at + timedelta(days=35),
    ends_at=MEETING.ends_at + timedelta(days=35),
)  # fmt: skip
MOVED = replace(
    MEETING, starts_at=MEETING.starts_at + timedelta(days=2),
    ends_at=MEETING.ends_at + timedelta(days=2), sequence=1, reason="A storm is coming.",
)  # fmt: skip
CANCELLED = replace(MEETING, status="cancelled", sequence=1, reason="The hosts are ill.")
ADA = Recipient(
    member_id=1,
    email="ada@example.org",
    token_version=0,
    verified_at=NOW,
    undeliverable_at=None,
    opt_outs=(),
    list_requested_at=NOW,
    list_confirmed_at=None,
    name="Ada Example",
    language="en",
)
SOMEBODY = replace(ADA, verified_at=None)
ANNOUNCED = MEETING.snapshot
OTHER_JOIN_URL = Announced(ANNOUNCED.starts_at, ANNOUNCED.ends_at, ANNOUNCED.status, "0" * 16)
WAS_CANCELLED = Announced(
    ANNOUNCED.starts_at, ANNOUNCED.ends_at, "cancelled", ANNOUNCED.join_url_hash
)
COUNTS = Counts(held=28, waiting=2, first_time=6, access=1)


def _changed(meeting, announced, *, status="held"):
    person = _registered(ADA, status=status, announced=str(announced))
    return emails.session_changed(WRITER, person, meeting)


def _registered(to, *, status="held", announced=""):
    return Registered(1, MEETING.id, status, announced, NOW, None, to)


def _confirmed(to, held, waiting):
    return registration_emails.confirmation(
        WRITER,
        to,
        held=held,
        waiting=waiting,
        positions={1: 1, 2: 1},
        registration_ids={1: 1, 2: 2},
    )


def _cancelled(to, *, status="held", by_coordinator=False):
    person = _registered(to, status=status)
    return registration_emails.cancelled(WRITER, person, MEETING, by_coordinator=by_coordinator)


WRITTEN = (
    "Dear {name},\n\nplease bring **one chart** to *{session}*:\n{link to the session}\n\n"
    "- It can be ugly\n- It should be yours\n\nCannot come? Say so on {link to their page}"
)


def _written(to):
    message = Announcement(subject="Bring a chart: {date}", text=WRITTEN)
    return messages_emails.letter(WRITER, to, MEETING, message)


TO_MEMBERS = {
    "confirmation": lambda: _confirmed(ADA, [MEETING], []),
    "confirmation to an unverified address": lambda: _confirmed(SOMEBODY, [MEETING, JANUARY], []),
    "confirmation with a waiting list": lambda: _confirmed(ADA, [JANUARY], [MEETING]),
    "waiting list only": lambda: _confirmed(SOMEBODY, [], [MEETING]),
    "a place for you": lambda: registration_emails.promoted(WRITER, _registered(SOMEBODY), MEETING),
    "moved to the waiting list": lambda: registration_emails.moved_to_waiting_list(
        WRITER, ADA, MEETING
    ),
    "your registration canceled": lambda: _cancelled(ADA),
    "your registration canceled by a coordinator": lambda: _cancelled(
        SOMEBODY, by_coordinator=True
    ),
    "waiting list left": lambda: _cancelled(ADA, status="waiting"),
    "off the waiting list by a coordinator": lambda: _cancelled(
        SOMEBODY, status="waiting", by_coordinator=True
    ),
    "moved": lambda: _changed(MOVED, ANNOUNCED),
    "moved, on the waiting list": lambda: _changed(MOVED, ANNOUNCED, status="waiting"),
    "cancelled": lambda: _changed(CANCELLED, ANNOUNCED),
    "after all": lambda: _changed(MEETING, WAS_CANCELLED),
    "another join address": lambda: _changed(MEETING, OTHER_JOIN_URL),
    "reminder to prepare": lambda: reminders_emails.preparation_reminder(
        WRITER, _registered(ADA), MEETING
    ),
    "reminder to join": lambda: reminders_emails.join_reminder(
        WRITER, _registered(SOMEBODY), MEETING
    ),
    "takeaways": lambda: emails.takeaways(WRITER, ADA, MEETING),
    "written by a coordinator": lambda: _written(ADA),
    "written to an unverified address": lambda: _written(SOMEBODY),
    "your link": lambda: registration_emails.my_link(WRITER, ADA, [MEETING], posted_again=False),
    "posted again": lambda: registration_emails.my_link(
        WRITER, SOMEBODY, [MEETING], posted_again=True
    ),
    "mailing list": lambda: registration_emails.confirm_list(WRITER, SOMEBODY),
}
TO_COORDINATORS = {
    "access need": lambda: registration_emails.access_need(WRITER, MEETING),
    "day before": lambda: reminders_emails.day_before(
        WRITER, replace(MEETING, join_url=None), COUNTS
    ),
    "first failure": lambda: accounts_emails.first_failure(WRITER),
    "new password": lambda: accounts_emails.password_reset(
        WRITER, "https://cop.example.org/coordinator/x"
    ),
    "invitation": lambda: accounts_emails.invitation(
        WRITER, "https://cop.example.org/coordinator/x", by="Corin"
    ),
}
EVERY = TO_MEMBERS | TO_COORDINATORS
