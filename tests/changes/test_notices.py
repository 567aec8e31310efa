"""Notices: who was told what does not hold any more is told once, a short while after the last edit."""

from datetime import timedelta

import pytest
from sqlalchemy import update

from cop.changes import notices
from cop.db.engine import write_tx
from cop.models.community import Community
from cop.models.meeting import Meeting
from cop.outbox.outbox import EmailKind
from cop.registration import cancellation
from tests.builders import (
    ADA,
    GRACE,
    KATHERINE,
    NOW,
    a_meeting,
    a_writer,
    cancel_meeting,
    edit,
    forget_mails,
    mails,
    register,
    registrations,
    restore_meeting,
    told,
)
from tests.concurrency import at_once

pytestmark = pytest.mark.both

SLUG = "2026-12-13"
MINUTES = timedelta(minutes=1)
SETTLED = NOW + 2 * MINUTES
ZOOM = "https://zoom.example.org/j/1"


@pytest.fixture
def meeting(db_session):
    """Ada holds the only place, Grace waits; Katherine is at another meeting."""
    meeting = a_meeting(db_session, capacity=1)
    a_meeting(db_session, slug="other")
    register(db_session, SLUG, ADA)
    register(db_session, SLUG, GRACE)
    register(db_session, "other", KATHERINE)
    forget_mails(db_session)
    return meeting


def move(db_session, meeting, *, days=7, now=NOW, back=False):
    by = timedelta(days=0 if back else days)
    start = NOW + timedelta(days=21) + by
    edit(
        db_session,
        meeting,
        starts_at=start,
        ends_at=start + 90 * MINUTES,
        reason="A storm",
        now=now,
    )


def join_at(db_session, meeting, url, *, now=NOW):
    edit(db_session, meeting, join_url=url, now=now)


def announce(db_session, *, now=SETTLED):
    return notices.queue_notices(db_session, writer=a_writer(db_session, now=now))


def test_a_moved_meeting_is_told_once_two_minutes_after_the_edit(db_session, meeting):
    move(db_session, meeting)

    counts = [announce(db_session, now=now) for now in (SETTLED - MINUTES, SETTLED, SETTLED)]

    subject = "Moved: the session is on December 20"
    assert counts == [0, 2, 0]
    assert told(db_session) == [("ada@example.org", subject), ("grace@example.org", subject)]


def test_it_says_when_it_was_when_it_is_and_why_and_brings_the_calendar_up_to_date(
    db_session, meeting
):
    move(db_session, meeting)
    announce(db_session)

    held, waiting = mails(db_session)
    assert "planned for Sunday, December 13" in held.text
    assert "Sunday, December 20" in held.text
    assert "A storm" in held.text
    assert "SEQUENCE:1" in held.calendar
    assert "STATUS:CONFIRMED" in held.calendar
    assert waiting.calendar is None


def test_several_edits_are_told_once_after_the_last_one(db_session, meeting):
    move(db_session, meeting)
    move(db_session, meeting, days=14, now=NOW + MINUTES)

    too_early = announce(db_session, now=SETTLED)
    in_time = announce(db_session, now=SETTLED + MINUTES)

    assert (too_early, in_time) == (0, 2)
    assert "December 27" in mails(db_session)[0].subject


def test_an_edit_that_was_undone_is_not_told(db_session, meeting):
    move(db_session, meeting)
    move(db_session, meeting, back=True, now=NOW + MINUTES)

    assert announce(db_session, now=SETTLED + MINUTES) == 0
    assert meeting_now(db_session, meeting).moved_from is None
    assert meeting_now(db_session, meeting).edited_at is None


def meeting_now(db_session, meeting):
    db_session.refresh(meeting)
    return meeting


def test_who_registered_between_an_edit_and_its_undoing_is_told_what_holds(db_session, meeting):
    move(db_session, meeting)
    register(db_session, SLUG, KATHERINE, now=NOW)
    move(db_session, meeting, back=True, now=NOW + MINUTES)
    forget_mails(db_session)

    announce(db_session, now=SETTLED + MINUTES)

    subject = "Moved: the session is on December 13"
    assert told(db_session) == [("katherine@example.org", subject)]


def test_who_registered_after_the_last_edit_knows_already(db_session, meeting):
    move(db_session, meeting)
    register(db_session, SLUG, KATHERINE, now=NOW + MINUTES)
    forget_mails(db_session)

    announce(db_session)

    assert "katherine@example.org" not in {address for address, _ in told(db_session)}


def test_who_gave_up_the_place_is_told_nothing(db_session, meeting):
    ada = registrations(db_session, SLUG)[0]
    cancellation.cancel_registration(db_session, ada.id, writer=a_writer(db_session))
    forget_mails(db_session)
    move(db_session, meeting)

    announce(db_session)

    assert [address for address, _ in told(db_session)] == ["grace@example.org"]


def test_cancelled_and_after_all(db_session, meeting):
    cancel_meeting(db_session, meeting, reason="No power")
    announce(db_session)
    later = SETTLED + 10 * MINUTES
    restore_meeting(db_session, meeting, now=later)
    announce(db_session, now=later + 2 * MINUTES)

    cancelled, _, restored, _ = mails(db_session)
    assert cancelled.subject == "Cancelled: the session on December 13"
    assert "No power" in cancelled.text
    assert "STATUS:CANCELLED" in cancelled.calendar
    assert restored.subject == "It takes place after all: the session on December 13"
    assert ("SEQUENCE:1" in cancelled.calendar, "SEQUENCE:2" in restored.calendar) == (True, True)


def test_the_first_join_address_is_no_news_and_another_one_is_for_those_with_a_place(
    db_session, meeting
):
    join_at(db_session, meeting, ZOOM)
    first = announce(db_session)
    later = SETTLED + 10 * MINUTES
    join_at(db_session, meeting, f"{ZOOM}2", now=later)
    announce(db_session, now=later + 2 * MINUTES)

    subject = "Another way in: the session on December 13"
    assert first == 0
    assert told(db_session) == [("ada@example.org", subject)]


def test_an_address_that_was_taken_away_is_no_news_and_the_next_one_is(db_session, meeting):
    join_at(db_session, meeting, ZOOM)
    announce(db_session)
    counts, now = [], SETTLED

    for url in (None, f"{ZOOM}2"):
        now += 10 * MINUTES
        join_at(db_session, meeting, url, now=now)
        counts.append(announce(db_session, now=now + 2 * MINUTES))

    assert counts == [0, 1]


def test_a_cancelled_meeting_that_is_moved_is_not_cancelled_twice(db_session, meeting):
    cancel_meeting(db_session, meeting)
    announce(db_session)
    later = SETTLED + 10 * MINUTES
    move(db_session, meeting, now=later)
    moved = announce(db_session, now=later + 2 * MINUTES)
    restore_meeting(db_session, meeting, now=later + 5 * MINUTES)
    announce(db_session, now=later + 7 * MINUTES)

    assert moved == 0
    subject = "It takes place after all: the session on December 20"
    assert told(db_session)[-1] == ("grace@example.org", subject)


def test_no_mail_shows_the_join_address(db_session, meeting):
    join_at(db_session, meeting, ZOOM)
    announce(db_session)
    later = SETTLED + 10 * MINUTES
    join_at(db_session, meeting, f"{ZOOM}2", now=later)
    move(db_session, meeting, now=later)
    register(db_session, SLUG, KATHERINE, now=later)
    announce(db_session, now=later + 2 * MINUTES)

    assert len(mails(db_session)) == 3
    assert not [
        mail for mail in mails(db_session) if ZOOM in f"{mail.text}{mail.html}{mail.calendar}"
    ]


def test_how_long_to_wait_is_a_setting(db_session, meeting):
    db_session.execute(update(Community).values(notice_minutes=30))
    move(db_session, meeting)

    counts = [announce(db_session, now=NOW + minutes * MINUTES) for minutes in (29, 30)]

    assert counts == [0, 2]


def test_nothing_is_told_of_a_meeting_that_is_over(db_session, meeting):
    move(db_session, meeting)

    assert announce(db_session, now=NOW + timedelta(days=40)) == 0


def test_two_workers_at_once_tell_it_once(app):
    with write_tx() as db_session:
        meeting = a_meeting(db_session)
        register(db_session, SLUG, ADA)
        move(db_session, meeting)

    def act():
        with write_tx() as db_session:
            return announce(db_session)

    counts = at_once(app, *[act] * 4)

    with write_tx() as db_session:
        assert len(mails(db_session, EmailKind.CHANGED)) == 1
    assert sorted(counts) == [0, 0, 0, 1]


def test_whom_an_older_release_registered_is_told_nothing_until_something_changes_again(
    db_session, meeting
):
    for registration in registrations(db_session, SLUG):
        registration.announced = ""
    db_session.flush()
    move(db_session, meeting)

    first = announce(db_session)
    later = SETTLED + 10 * MINUTES
    move(db_session, meeting, days=14, now=later)
    second = announce(db_session, now=later + 2 * MINUTES)

    assert (first, second) == (0, 2)


def test_a_meeting_is_looked_at_only_once_it_was_edited(db_session, meeting):
    writer = a_writer(db_session, now=SETTLED)
    before = notices.is_due(db_session, writer=writer)
    db_session.execute(update(Meeting).where(Meeting.id == meeting.id).values(edited_at=NOW))

    assert (before, notices.is_due(db_session, writer=writer)) == (False, True)
