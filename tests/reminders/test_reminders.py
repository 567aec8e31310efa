"""Reminders: each once and in time, whatever the clock, the worker and the time zone do."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import update

from cop.accounts import accounts
from cop.changes import notices
from cop.community.rhythm import Recurrence
from cop.db.engine import write_tx
from cop.models.community import Community
from cop.models.email import MailState
from cop.models.registration import Member
from cop.outbox.outbox import EmailKind
from cop.registration import cancellation
from cop.reminders import reminders
from tests.builders import (
    ADA,
    GRACE,
    KATHERINE,
    NOW,
    PASSWORD,
    a_meeting,
    a_writer,
    cancel_meeting,
    clear_outbox,
    edit,
    outbox_emails,
    recipients_and_subjects,
    register,
    registrations,
)
from tests.concurrency import at_once
from tests.tokens import without_tokens

pytestmark = pytest.mark.both

SLUG = "2026-12-13"
START = NOW + timedelta(days=21)  # Sunday, December 13, 10:00 in Connecticut
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
WEEK_BEFORE, DAY_BEFORE = START - 7 * DAY, START - DAY


@pytest.fixture
def meeting(db_session):
    """Ada has the only spot and a verified address; Grace waits."""
    meeting = a_meeting(
        db_session, capacity=1, topic="Who is missing?", prep_question="Whom can nobody see?",
        reading_title="A chapter", reading_minutes=20,
    )  # fmt: skip
    register(db_session, SLUG, ADA)
    register(db_session, SLUG, GRACE)
    set_member(db_session, "ada@example.org")
    clear_outbox(db_session)
    return meeting


def set_member(db_session, email, **values):
    values = {"verified_at": NOW} | values
    db_session.execute(update(Member).where(Member.email_key == email).values(**values))


def remind(db_session, now):
    writer = a_writer(db_session, now=now)
    due = reminders.find_due(db_session, writer=writer)
    return reminders.queue(db_session, due, writer=writer)


def reminded(db_session):
    return recipients_and_subjects(db_session, EmailKind.REMINDER)


PREPARE = ("ada@example.org", "Coming up on December 13: Who is missing?")
JOIN = ("ada@example.org", "Your join link for Sunday, December 13: Who is missing?")


def test_one_reminder_comes_a_week_before_and_one_the_day_before(db_session, meeting):
    counts = [
        remind(db_session, now)
        for now in (
            WEEK_BEFORE - MINUTE, WEEK_BEFORE, WEEK_BEFORE + MINUTE,
            DAY_BEFORE - MINUTE, DAY_BEFORE, START - MINUTE,
        )
    ]  # fmt: skip

    assert counts == [0, 1, 0, 0, 1, 0]
    assert reminded(db_session) == [PREPARE, JOIN]


def test_reminders_have_the_preparation_and_the_links(db_session, meeting):
    remind(db_session, WEEK_BEFORE)
    remind(db_session, DAY_BEFORE)

    prepare, join = outbox_emails(db_session)
    assert "Hello Ada Example," in prepare.text
    assert "A chapter (20 minutes)" in prepare.text
    assert "Whom can nobody see?" in prepare.text
    for mail in (prepare, join):
        assert "Can't make it? Cancel my spot" in mail.text
        assert f"/sessions/{SLUG}/cancel" in mail.text
        assert "/join/" in mail.text
        assert "/unsubscribe/" in mail.unsubscribe_url
        assert mail.expires_at == START


def test_an_unverified_address_gets_the_last_reminder_only_without_typed_text(db_session, meeting):
    set_member(db_session, "ada@example.org", verified_at=None)

    remind(db_session, WEEK_BEFORE)
    remind(db_session, DAY_BEFORE)

    [mail] = outbox_emails(db_session)
    assert (mail.to_address, mail.subject) == JOIN
    assert "Ada" not in without_tokens(mail.text + mail.html)
    assert "Not you? Remove this" in mail.text


def test_no_reminder_comes_after_the_start(db_session, meeting):
    assert [remind(db_session, START + late) for late in (timedelta(), HOUR, DAY)] == [0, 0, 0]


def test_no_reminder_is_queued_if_the_meeting_starts_before_it_is_locked(db_session, meeting):
    early, late = (a_writer(db_session, now=now) for now in (START - MINUTE, START))
    due = reminders.find_due(db_session, writer=early)

    counts = [reminders.queue(db_session, due, writer=writer) for writer in (late, early)]

    assert counts == [0, 1]


def test_a_late_reminder_is_skipped_once_the_next_is_due(db_session, meeting):
    three_days_before = remind(db_session, START - 3 * DAY)
    clear_outbox(db_session)
    an_hour_before = remind(db_session, START - HOUR)

    assert (three_days_before, an_hour_before) == (1, 1)
    assert reminded(db_session) == [JOIN]


@pytest.mark.parametrize("jump", [-DAY, -HOUR, HOUR, DAY - MINUTE], ids=str)
def test_a_clock_that_jumps_reminds_nobody_twice(db_session, meeting, jump):
    for now in (WEEK_BEFORE, WEEK_BEFORE + jump, WEEK_BEFORE, DAY_BEFORE):
        remind(db_session, now)
    for now in (DAY_BEFORE + jump, DAY_BEFORE, START - MINUTE):
        remind(db_session, now)

    assert sorted(reminded(db_session)) == sorted([PREPARE, JOIN])


def test_a_registration_after_the_reminder_was_due_gets_none(db_session, meeting):
    edit(db_session, meeting, capacity=9)
    register(db_session, SLUG, KATHERINE, now=DAY_BEFORE + MINUTE)
    clear_outbox(db_session)

    remind(db_session, DAY_BEFORE + HOUR)

    assert [address for address, _ in reminded(db_session)] == [
        "ada@example.org", "grace@example.org"
    ]  # fmt: skip


def test_neither_a_cancelled_registration_nor_a_later_promotion_gets_a_reminder(
    db_session, meeting
):
    remind(db_session, DAY_BEFORE)
    before = reminded(db_session)
    ada = registrations(db_session, SLUG)[0]
    writer = a_writer(db_session, now=DAY_BEFORE + MINUTE)
    cancellation.cancel_registration(db_session, ada.id, writer=writer)

    remind(db_session, DAY_BEFORE + HOUR)

    [(promoted, _)] = recipients_and_subjects(db_session, EmailKind.PROMOTED)
    assert promoted == "grace@example.org"
    assert (before, reminded(db_session)) == ([JOIN], [])


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({"opt_outs": ["reminders"]}, []),
        ({"undeliverable_at": NOW}, []),
        ({"opt_outs": ["takeaways"]}, [JOIN]),
    ],
    ids=["reminders", "undeliverable", "something else"],
)
def test_no_meeting_is_due_for_who_opted_out_or_cannot_be_reached(
    db_session, meeting, values, expected
):
    set_member(db_session, "ada@example.org", **values)
    writer = a_writer(db_session, now=DAY_BEFORE)

    due = reminders.find_due(db_session, writer=writer)
    reminders.queue(db_session, due, writer=writer)

    assert len(due) == len(expected)
    assert reminded(db_session) == expected
    assert registrations(db_session, SLUG)[0].status == "held"


def test_a_moved_meeting_gets_a_new_reminder_instead_of_the_old(db_session, meeting):
    remind(db_session, WEEK_BEFORE)
    start = START + 7 * DAY
    edit(db_session, meeting, starts_at=start, ends_at=start + HOUR, now=WEEK_BEFORE + MINUTE)
    notices.queue_notices(db_session, writer=a_writer(db_session, now=WEEK_BEFORE + HOUR))
    after_the_move = reminded(db_session)

    remind(db_session, start - 7 * DAY)

    assert after_the_move == []
    assert reminded(db_session) == [
        ("ada@example.org", "Coming up on December 20: Who is missing?")
    ]


@pytest.mark.parametrize("state", [MailState.QUEUED, MailState.SENT])
def test_a_meeting_moved_away_and_back_is_reminded_of_once(db_session, meeting, state):
    remind(db_session, WEEK_BEFORE)
    outbox_emails(db_session)[0].state = state
    db_session.flush()
    for start in (START + DAY, START):
        edit(db_session, meeting, starts_at=start, ends_at=start + HOUR, now=WEEK_BEFORE)

    remind(db_session, WEEK_BEFORE + MINUTE)

    assert reminded(db_session) == [PREPARE]


def test_nobody_is_reminded_of_a_cancelled_meeting(db_session, meeting):
    cancel_meeting(db_session, meeting)

    assert remind(db_session, DAY_BEFORE) == 0


@pytest.mark.parametrize(
    ("days", "expected"), [([], 0), ([3], 1), ([14, 3, 1], 3)], ids=["none", "one", "three"]
)
def test_the_days_are_a_setting(db_session, meeting, days, expected):
    db_session.execute(update(Community).values(reminder_days=days))

    count = sum(remind(db_session, NOW + hours * HOUR) for hours in range(1, 21 * 24, 24))

    assert count == expected


def test_coordinators_get_one_summary_the_day_before(db_session, meeting):
    for name in ("Corin", "Dana"):
        accounts.add(db_session, f"{name}@example.org", name=name, password=PASSWORD)

    remind(db_session, WEEK_BEFORE)
    remind(db_session, DAY_BEFORE)
    remind(db_session, DAY_BEFORE + HOUR)

    to_them = outbox_emails(db_session, EmailKind.COORDINATORS)
    assert [mail.to_address for mail in to_them] == ["Corin@example.org", "Dana@example.org"]
    assert "Registered: 1" in to_them[0].text
    assert "Waiting list: 1" in to_them[0].text
    assert "The join link is missing." in to_them[0].text
    assert "Ada" not in without_tokens(to_them[0].text)


def test_concurrent_workers_remind_once(app):
    with write_tx() as db_session:
        a_meeting(db_session)
        register(db_session, SLUG, ADA)

    def act():
        with write_tx() as db_session:
            return remind(db_session, DAY_BEFORE)

    at_once(app, *[act] * 4)

    with write_tx() as db_session:
        assert len(outbox_emails(db_session, EmailKind.REMINDER)) == 1


ZONES = ["America/New_York", "America/Los_Angeles", "Europe/London", "Europe/Berlin",
         "Asia/Kolkata", "Asia/Tokyo", "Australia/Lord_Howe", "America/Sao_Paulo"]  # fmt: skip
DATES = [date(2027, month, 15) for month in range(1, 13)]


@pytest.mark.slow
@pytest.mark.parametrize("zone", ZONES)
def test_a_reminder_comes_at_the_meeting_s_local_time_of_day(db_session, zone):
    db_session.execute(update(Community).values(time_zone=zone))
    rhythm = Recurrence("FREQ=MONTHLY;BYDAY=3TU", time(11, 30), 90, ZoneInfo(zone))
    for on in DATES:
        occurrence = rhythm.on(on)
        slug = on.isoformat()
        a_meeting(db_session, slug=slug, starts_at=occurrence.starts_at)
        register(db_session, slug, ADA)
        set_member(db_session, "ada@example.org")
        clear_outbox(db_session)

        _jump_about(db_session, on, ZoneInfo(zone))

        queued = outbox_emails(db_session, EmailKind.REMINDER)
        wall = [mail.created_at.astimezone(ZoneInfo(zone)) for mail in queued]
        assert [(moment.date(), moment.time()) for moment in wall] == [
            (on - 7 * DAY, time(11, 30)), (on - DAY, time(11, 30))
        ]  # fmt: skip
        clear_outbox(db_session)


def _jump_about(db_session, on, zone):
    """Run around both reminder times with a clock that jumps, and after the start."""
    start = datetime.combine(on, time(11, 30), tzinfo=zone)
    for days in (7, 1):
        due = datetime.combine(on - days * DAY, time(11, 30), tzinfo=zone).astimezone(UTC)
        for jump in (-DAY, -HOUR, -MINUTE, timedelta(), -HOUR, HOUR, -DAY):
            remind(db_session, due + jump)
    for late in (timedelta(), HOUR, DAY):
        remind(db_session, start.astimezone(UTC) + late)
