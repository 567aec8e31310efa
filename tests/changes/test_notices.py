"""Notices: attendees whose snapshot is out of date are emailed once, after the last edit."""

from datetime import timedelta

import pytest
from sqlalchemy import update

from cop.changes import notices
from cop.db.engine import write_tx
from cop.models.community import Community
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
    clear_outbox,
    edit,
    outbox_emails,
    recipients_and_subjects,
    register,
    registrations,
    restore_meeting,
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
    clear_outbox(db_session)
    return meeting


def move(db_session, meeting, *, days=7, now=NOW):
    start = NOW + timedelta(days=21 + days)
    times = {"starts_at": start, "ends_at": start + 90 * MINUTES}
    edit(db_session, meeting, **times, reason="A storm", now=now)


def queue_notices(db_session, *, now=SETTLED):
    return notices.queue_notices(db_session, writer=a_writer(db_session, now=now))


def test_attendees_are_notified_once_two_minutes_after_an_edit(db_session, meeting):
    move(db_session, meeting)

    counts = [queue_notices(db_session, now=now) for now in (SETTLED - MINUTES, SETTLED, SETTLED)]

    subject = "New time: the session is on December 20"
    held, waiting = outbox_emails(db_session)
    assert counts == [0, 2, 0]
    assert (held.to_address, held.subject) == ("ada@example.org", subject)
    assert (waiting.to_address, waiting.subject) == ("grace@example.org", subject)
    assert "planned for Sunday, December 13" in held.text
    assert "Sunday, December 20" in held.text
    assert "A storm" in held.text
    assert "SEQUENCE:1" in held.calendar
    assert "STATUS:CONFIRMED" in held.calendar
    assert waiting.calendar is None
    still_waiting = "You're still on the waiting list."
    assert (still_waiting in held.text, still_waiting in waiting.text) == (False, True)


def test_several_edits_cause_one_notice_after_the_last(db_session, meeting):
    move(db_session, meeting)
    move(db_session, meeting, days=14, now=NOW + MINUTES)

    too_early = queue_notices(db_session, now=SETTLED)
    in_time = queue_notices(db_session, now=SETTLED + MINUTES)

    assert (too_early, in_time) == (0, 2)
    assert "December 27" in outbox_emails(db_session)[0].subject


def test_an_edit_that_was_undone_causes_no_notice(db_session, meeting):
    move(db_session, meeting)
    move(db_session, meeting, days=0, now=NOW + MINUTES)

    assert queue_notices(db_session, now=SETTLED + MINUTES) == 0
    db_session.refresh(meeting)
    assert (meeting.moved_from, meeting.edited_at) == (None, None)


def test_who_registered_between_an_edit_and_its_undoing_is_notified(db_session, meeting):
    move(db_session, meeting)
    register(db_session, SLUG, KATHERINE, now=NOW)
    move(db_session, meeting, days=0, now=NOW + MINUTES)
    clear_outbox(db_session)

    queue_notices(db_session, now=SETTLED + MINUTES)

    subject = "New time: the session is on December 13"
    assert recipients_and_subjects(db_session) == [("katherine@example.org", subject)]


def test_who_registered_after_the_last_edit_or_canceled_is_not_notified(db_session, meeting):
    ada = registrations(db_session, SLUG)[0]
    cancellation.cancel_registration(db_session, ada.id, writer=a_writer(db_session))
    move(db_session, meeting)
    register(db_session, SLUG, KATHERINE, now=NOW + MINUTES)
    clear_outbox(db_session)

    queue_notices(db_session)

    assert [address for address, _ in recipients_and_subjects(db_session)] == ["grace@example.org"]


def test_canceling_and_restoring_are_notified(db_session, meeting):
    cancel_meeting(db_session, meeting, reason="No power")
    queue_notices(db_session)
    later = SETTLED + 10 * MINUTES
    restore_meeting(db_session, meeting, now=later)
    queue_notices(db_session, now=later + 2 * MINUTES)

    cancelled, unheld, restored, waiting = outbox_emails(db_session)
    assert cancelled.subject == "Canceled: the session on December 13"
    assert "No power" in cancelled.text
    assert "STATUS:CANCELLED" in cancelled.calendar
    assert restored.subject == "Back on: the session on December 13"
    assert ("SEQUENCE:1" in cancelled.calendar, "SEQUENCE:2" in restored.calendar) == (True, True)
    still_waiting = "You're still on the waiting list."
    assert (still_waiting in unheld.text, still_waiting in waiting.text) == (False, True)


def test_only_a_changed_join_address_is_notified_and_only_to_those_with_a_spot(db_session, meeting):
    edit(db_session, meeting, join_url=ZOOM)
    first = queue_notices(db_session)
    later = SETTLED + 10 * MINUTES
    edit(db_session, meeting, join_url=f"{ZOOM}2", now=later)
    queue_notices(db_session, now=later + 2 * MINUTES)

    subject = "New meeting link: the session on December 13"
    assert first == 0
    assert recipients_and_subjects(db_session) == [("ada@example.org", subject)]


def test_a_removed_join_address_is_not_notified_but_the_next_one_is(db_session, meeting):
    edit(db_session, meeting, join_url=ZOOM)
    queue_notices(db_session)
    counts, now = [], SETTLED

    for url in (None, f"{ZOOM}2"):
        now += 10 * MINUTES
        edit(db_session, meeting, join_url=url, now=now)
        counts.append(queue_notices(db_session, now=now + 2 * MINUTES))

    assert counts == [0, 1]


def test_moving_a_canceled_meeting_causes_no_notice(db_session, meeting):
    cancel_meeting(db_session, meeting)
    queue_notices(db_session)
    later = SETTLED + 10 * MINUTES
    move(db_session, meeting, now=later)
    moved = queue_notices(db_session, now=later + 2 * MINUTES)
    restore_meeting(db_session, meeting, now=later + 5 * MINUTES)
    queue_notices(db_session, now=later + 7 * MINUTES)

    assert moved == 0
    subject = "Back on: the session on December 20"
    assert recipients_and_subjects(db_session)[-1] == ("grace@example.org", subject)


def test_notices_are_due_after_an_edit_and_a_delay_that_is_a_setting(db_session, meeting):
    db_session.execute(update(Community).values(notice_minutes=30))
    move(db_session, meeting)

    writers = [a_writer(db_session, now=NOW + minutes * MINUTES) for minutes in (29, 30, 31)]
    due, counts = [], []
    for writer in writers:
        due.append(notices.is_due(db_session, writer=writer))
        counts.append(notices.queue_notices(db_session, writer=writer))

    assert due == [False, True, False]
    assert counts == [0, 2, 0]


def test_a_past_meeting_causes_no_notice(db_session, meeting):
    move(db_session, meeting)

    assert queue_notices(db_session, now=NOW + timedelta(days=40)) == 0


def test_two_workers_at_once_queue_a_notice_once(app):
    with write_tx() as db_session:
        meeting = a_meeting(db_session)
        register(db_session, SLUG, ADA)
        move(db_session, meeting)

    def act():
        with write_tx() as db_session:
            return queue_notices(db_session)

    counts = at_once(app, *[act] * 4)

    with write_tx() as db_session:
        assert len(outbox_emails(db_session, EmailKind.CHANGED)) == 1
    assert sorted(counts) == [0, 0, 0, 1]


def test_registrations_without_a_snapshot_are_notified_of_the_next_change_only(db_session, meeting):
    for registration in registrations(db_session, SLUG):
        registration.announced = ""
    db_session.flush()
    move(db_session, meeting)

    first = queue_notices(db_session)
    later = SETTLED + 10 * MINUTES
    move(db_session, meeting, days=14, now=later)
    second = queue_notices(db_session, now=later + 2 * MINUTES)

    assert (first, second) == (0, 2)
