"""What coordinators change about a meeting, and what follows from it."""

from datetime import date, timedelta

import pytest

from cop.changes import changes
from cop.errors import Refused
from cop.meetings import locking
from cop.outbox.outbox import EmailKind
from tests.builders import (
    ADA,
    NOW,
    a_full_meeting,
    a_meeting,
    a_writer,
    an_email,
    cancel_meeting,
    clear_outbox,
    edit,
    find_member,
    outbox_emails,
    restore_meeting,
    status_summary,
)

pytestmark = pytest.mark.both

SLUG = "2026-12-13"
STARTS_AT = NOW + timedelta(days=21)
A_WEEK, A_HALF_HOUR, LENGTH = timedelta(days=7), timedelta(minutes=30), timedelta(minutes=90)
JOIN = "https://zoom.example.com/j/1"


@pytest.fixture
def meeting(db_session):
    return a_full_meeting(db_session)


def read(db_session, meeting):
    [found] = locking.read(db_session, [meeting.id])
    return found


def move(db_session, meeting, by=A_WEEK, *, reason="Snow", now=NOW):
    starts_at = STARTS_AT + by
    ends_at = starts_at + LENGTH
    edit(db_session, meeting, starts_at=starts_at, ends_at=ends_at, reason=reason, now=now)


def test_a_moved_meeting_keeps_its_slug_and_its_first_date(db_session, meeting):
    before = read(db_session, meeting)

    move(db_session, meeting, now=NOW + A_HALF_HOUR)

    after = read(db_session, meeting)
    assert (after.slug, after.uid) == (SLUG, before.uid)
    assert (after.starts_at, after.ends_at) == (STARTS_AT + A_WEEK, STARTS_AT + A_WEEK + LENGTH)
    assert (after.moved_from, after.reason) == (date(2026, 12, 13), "Snow")
    assert after.sequence == before.sequence + 1
    assert after.revised_at == after.edited_at == NOW + A_HALF_HOUR


def test_a_meeting_moved_twice_keeps_the_first_date_and_moved_back_none(db_session, meeting):
    move(db_session, meeting)
    move(db_session, meeting, 2 * A_WEEK)
    twice = read(db_session, meeting).moved_from

    move(db_session, meeting, timedelta())

    assert twice == date(2026, 12, 13)
    assert read(db_session, meeting).moved_from is None


def test_another_time_on_the_same_day_is_no_other_date(db_session, meeting):
    move(db_session, meeting, A_HALF_HOUR)

    after = read(db_session, meeting)
    assert (after.moved_from, after.sequence) == (None, 1)


def test_moving_to_the_same_time_changes_nothing(db_session, meeting):
    before = read(db_session, meeting)

    move(db_session, meeting, timedelta(), reason="")

    assert read(db_session, meeting) == before


@pytest.mark.parametrize("change", [move, cancel_meeting])
def test_moving_or_canceling_withdraws_queued_reminders(db_session, meeting, change):
    for number, kind in enumerate((EmailKind.REMINDER, EmailKind.CONFIRMATION)):
        an_email(db_session, dedup_key=f"it:{number}", kind=kind, meeting_id=meeting.id)
    an_email(db_session, dedup_key="bystander", kind=EmailKind.REMINDER)

    change(db_session, meeting)

    assert [email.dedup_key for email in outbox_emails(db_session)] == ["it:1", "bystander"]


def test_a_lower_capacity_cancels_nobody(db_session, meeting):
    edit(db_session, meeting, capacity=3)
    clear_outbox(db_session)

    edit(db_session, meeting, capacity=1)

    assert status_summary(db_session, SLUG) == "Ada held, Grace held, Katherine held"
    assert read(db_session, meeting).capacity == 1
    assert outbox_emails(db_session) == []


def test_a_canceled_meeting_keeps_its_spots_and_can_be_restored(db_session, meeting):
    cancel_meeting(db_session, meeting)
    cancelled = read(db_session, meeting)
    edit(db_session, meeting, capacity=2)
    while_cancelled = status_summary(db_session, SLUG)

    restore_meeting(db_session, meeting)

    restored = read(db_session, meeting)
    assert (cancelled.is_cancelled, cancelled.reason, cancelled.sequence) == (True, "Snow", 1)
    assert while_cancelled == "Ada held, Grace waiting, Katherine waiting"
    assert (restored.is_cancelled, restored.reason, restored.sequence) == (False, None, 2)
    assert status_summary(db_session, SLUG) == "Ada held, Grace held, Katherine waiting"


@pytest.mark.parametrize(
    ("days", "refusal"),
    [(30, None), (30.01, "more than 30 days ago"), (40, "time has passed")],
    ids=["30 days later", "a little later", "once its time is over"],
)
def test_a_meeting_can_be_restored_for_30_days_and_until_its_end(db_session, days, refusal):
    meeting = a_meeting(db_session, starts_at=NOW + timedelta(days=39))
    cancel_meeting(db_session, meeting)
    later = NOW + timedelta(days=days)

    if refusal:
        with pytest.raises(Refused, match=refusal):
            restore_meeting(db_session, meeting, now=later)
    else:
        restore_meeting(db_session, meeting, now=later)

    found = read(db_session, meeting)
    assert found.is_cancelled == bool(refusal)
    assert found.cancelled_at == (NOW if refusal else None)


def test_a_meeting_canceled_by_an_early_release_can_be_restored(db_session):
    meeting = a_meeting(db_session, status="cancelled", cancelled_at=None)

    restore_meeting(db_session, meeting)

    assert not read(db_session, meeting).is_cancelled


def test_a_new_join_address_is_no_calendar_revision_and_can_be_removed(db_session):
    meeting = a_meeting(db_session)
    before = read(db_session, meeting)

    edit(db_session, meeting, join_url=JOIN)
    after = read(db_session, meeting)
    edit(db_session, meeting, join_url="")

    assert (after.join_url, after.edited_at) == (JOIN, NOW)
    assert (after.sequence, after.revised_at) == (before.sequence, before.revised_at)
    assert read(db_session, meeting).join_url is None


def test_new_texts_are_a_calendar_revision_but_no_notice(db_session, meeting):
    before, lock = read(db_session, meeting), meeting.lock_version
    texts = {"topic": "Who is counted?", "guests": "", "reading_minutes": 20, "slug": "elsewhere"}

    edit(db_session, meeting, **texts, now=NOW + A_HALF_HOUR)

    after = read(db_session, meeting)
    db_session.refresh(meeting)
    assert (after.topic, after.guests, after.reading_minutes) == ("Who is counted?", None, 20)
    assert after.slug == SLUG
    assert after.revised_at == NOW + A_HALF_HOUR
    assert (after.sequence, after.edited_at) == (before.sequence, None)
    assert meeting.lock_version > lock
    assert outbox_emails(db_session) == []


@pytest.mark.parametrize(
    ("values", "emails"),
    [
        ({}, 1),
        ({"opt_outs": ["reminders"]}, 1),
        ({"verified_at": None}, 0),
        ({"opt_outs": ["takeaways"]}, 0),
        ({"undeliverable_at": NOW}, 0),
    ],
    ids=["verified", "other emails off", "unverified", "switched off", "undeliverable"],
)
def test_takeaways_go_only_to_verified_deliverable_addresses_that_want_them(
    db_session, meeting, values, emails
):
    member = find_member(db_session, ADA.email)
    for name, value in ({"verified_at": NOW} | values).items():
        setattr(member, name, value)
    db_session.flush()
    locked = locking.lock_one(db_session, meeting.id)

    queued = changes.publish_takeaways(
        db_session,
        locked,
        takeaways="",
        recording_url="https://video.example.com",
        writer=a_writer(db_session),
    )

    letters = outbox_emails(db_session)
    assert queued == len(letters) == emails
    assert all("https://video.example.com" in letter.text for letter in letters)
    assert all("/unsubscribe/" in letter.unsubscribe_url for letter in letters)
    assert read(db_session, meeting).published_at == NOW
