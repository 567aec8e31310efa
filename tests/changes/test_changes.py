"""What coordinators change about a meeting, and what follows from it."""

from datetime import date, timedelta

import pytest

from cop.changes import changes
from cop.errors import Refused
from cop.meetings import locking
from cop.models.email import MailState
from cop.outbox import retries
from cop.outbox.outbox import EmailKind
from tests.builders import (
    ADA,
    GRACE,
    KATHERINE,
    NOW,
    a_meeting,
    a_registration,
    a_writer,
    an_email,
    cancel_meeting,
    clear_outbox,
    edit,
    find_member,
    outbox_emails,
    recipients_and_subjects,
    register,
    restore_meeting,
    status_summary,
)

pytestmark = pytest.mark.both

SLUG = "2026-12-13"
STARTS_AT = NOW + timedelta(days=21)
A_WEEK, A_HALF_HOUR = timedelta(days=7), timedelta(minutes=30)
JOIN = "https://zoom.example.com/j/1"


@pytest.fixture
def meeting(db_session):
    """One place, which Ada holds; Grace waits, Katherine waits behind her; another meeting."""
    meeting = a_meeting(db_session, starts_at=STARTS_AT, capacity=1)
    other = a_meeting(db_session, slug="other", capacity=1)
    for details in (ADA, GRACE, KATHERINE):
        register(db_session, SLUG, details)
    a_registration(db_session, other, "mallory@example.org", "waiting")
    clear_outbox(db_session)
    return meeting


def seen(db_session, meeting):
    [found] = locking.read(db_session, [meeting.id])
    return found


def move(db_session, meeting, by=A_WEEK, *, minutes=90, reason="Snow", now=NOW):
    starts_at = STARTS_AT + by
    ends_at = starts_at + timedelta(minutes=minutes)
    edit(db_session, meeting, starts_at=starts_at, ends_at=ends_at, reason=reason, now=now)


def test_a_moved_meeting_keeps_its_slug_and_its_first_date(db_session, meeting):
    before = seen(db_session, meeting)

    move(db_session, meeting, now=NOW + A_HALF_HOUR)

    after = seen(db_session, meeting)
    assert (after.slug, after.uid) == (SLUG, before.uid)
    assert (after.starts_at, after.ends_at) == (
        STARTS_AT + A_WEEK,
        STARTS_AT + A_WEEK + timedelta(minutes=90),
    )
    assert (after.moved_from, after.reason) == (date(2026, 12, 13), "Snow")
    assert after.sequence == before.sequence + 1
    assert after.revised_at == after.edited_at == NOW + A_HALF_HOUR


def test_a_meeting_moved_twice_keeps_the_first_date_and_moved_back_none(db_session, meeting):
    move(db_session, meeting)
    move(db_session, meeting, 2 * A_WEEK)
    twice = seen(db_session, meeting).moved_from

    move(db_session, meeting, timedelta())

    assert twice == date(2026, 12, 13)
    assert seen(db_session, meeting).moved_from is None


def test_another_time_on_the_same_day_is_no_other_date(db_session, meeting):
    move(db_session, meeting, A_HALF_HOUR)

    after = seen(db_session, meeting)
    assert (after.moved_from, after.sequence) == (None, 1)


def test_moving_to_the_same_time_changes_nothing(db_session, meeting):
    before = seen(db_session, meeting)

    move(db_session, meeting, timedelta(), reason="")

    assert seen(db_session, meeting) == before


@pytest.mark.parametrize(
    ("by", "minutes", "refusal"),
    [
        (A_WEEK, 0, "end is before the start"),
        (A_WEEK, -30, "end is before the start"),
        (-4 * A_WEEK, 90, "would be over already"),
    ],
    ids=["no time at all", "backwards", "past"],
)
def test_a_meeting_cannot_end_before_it_starts_or_in_the_past(
    db_session, meeting, by, minutes, refusal
):
    before = seen(db_session, meeting)

    with pytest.raises(Refused, match=refusal):
        move(db_session, meeting, by, minutes=minutes)

    assert seen(db_session, meeting) == before


@pytest.mark.parametrize("change", ["move", "cancel"])
def test_moving_or_canceling_withdraws_queued_reminders(db_session, meeting, change):
    for number, kind in enumerate((EmailKind.REMINDER, EmailKind.CONFIRMATION)):
        an_email(db_session, dedup_key=f"it:{number}", kind=kind, meeting_id=meeting.id)
    an_email(db_session, dedup_key="bystander", kind=EmailKind.REMINDER)

    if change == "move":
        move(db_session, meeting)
    else:
        cancel_meeting(db_session, meeting)

    assert [mail.dedup_key for mail in outbox_emails(db_session)] == ["it:1", "bystander"]


def test_a_higher_capacity_promotes_the_waiting_list_in_order_and_emails_each(db_session, meeting):
    promoted = edit(db_session, meeting, capacity=2)

    first = status_summary(db_session, SLUG)
    edit(db_session, meeting, capacity=None)

    assert len(promoted) == 1
    assert first == "Ada held, Grace held, Katherine waiting"
    assert status_summary(db_session, SLUG) == "Ada held, Grace held, Katherine held"
    assert status_summary(db_session, "other") == "Mallory waiting"
    assert recipients_and_subjects(db_session) == [
        ("grace@example.org", "A place for you: December 13"),
        ("katherine@example.org", "A place for you: December 13"),
    ]


def test_a_lower_capacity_cancels_nobody(db_session, meeting):
    edit(db_session, meeting, capacity=3)
    clear_outbox(db_session)

    edit(db_session, meeting, capacity=1)

    assert status_summary(db_session, SLUG) == "Ada held, Grace held, Katherine held"
    assert seen(db_session, meeting).capacity == 1
    assert outbox_emails(db_session) == []


@pytest.mark.parametrize("capacity", [0, -1])
def test_a_capacity_below_one_is_refused(db_session, meeting, capacity):
    with pytest.raises(Refused, match="at least one place"):
        edit(db_session, meeting, capacity=capacity)

    assert seen(db_session, meeting).capacity == 1


def test_a_canceled_meeting_keeps_its_spots_and_can_be_restored(db_session, meeting):
    cancel_meeting(db_session, meeting)
    cancelled = seen(db_session, meeting)
    edit(db_session, meeting, capacity=2)
    kept = status_summary(db_session, SLUG)

    restore_meeting(db_session, meeting)

    restored = seen(db_session, meeting)
    assert (cancelled.is_cancelled, cancelled.reason, cancelled.sequence) == (True, "Snow", 1)
    assert kept == "Ada held, Grace waiting, Katherine waiting"
    assert (restored.is_cancelled, restored.reason, restored.sequence) == (False, None, 2)
    assert status_summary(db_session, SLUG) == "Ada held, Grace held, Katherine waiting"


def test_canceling_or_restoring_twice_is_refused(db_session, meeting):
    with pytest.raises(Refused, match="takes place"):
        restore_meeting(db_session, meeting)
    untouched = seen(db_session, meeting)
    cancel_meeting(db_session, meeting)

    with pytest.raises(Refused, match="cancelled already") as refusal:
        cancel_meeting(db_session, meeting, reason="Ice")

    assert (untouched.sequence, untouched.edited_at) == (0, None)
    assert refusal.value.values == {"said": "Snow"}
    assert seen(db_session, meeting).reason == "Snow"
    assert seen(db_session, meeting).sequence == 1


@pytest.mark.parametrize(
    ("days", "refusal"),
    [(30, None), (30.01, "more than 30 days ago"), (40, "Its time is over")],
    ids=["30 days later", "a little later", "once its time is over"],
)
def test_a_meeting_can_be_restored_for_30_days_and_until_its_end(
    db_session, meeting, days, refusal
):
    meeting.starts_at, meeting.ends_at = NOW + timedelta(days=39), NOW + timedelta(days=39.1)
    cancel_meeting(db_session, meeting)
    later = a_writer(db_session, now=NOW + timedelta(days=days))

    if refusal:
        with pytest.raises(Refused, match=refusal):
            restore_meeting(db_session, meeting, now=later.now)
    else:
        restore_meeting(db_session, meeting, now=later.now)

    found = seen(db_session, meeting)
    assert found.is_cancelled == bool(refusal)
    assert found.cancelled_at == (NOW if refusal else None)


def test_a_meeting_canceled_by_an_early_release_can_be_restored(db_session, meeting):
    meeting.status, meeting.cancelled_at = "cancelled", None
    db_session.flush()

    restore_meeting(db_session, meeting)

    assert not seen(db_session, meeting).is_cancelled


def test_a_new_join_address_is_no_calendar_revision(db_session, meeting):
    before = seen(db_session, meeting)

    edit(db_session, meeting, join_url=JOIN)

    after = seen(db_session, meeting)
    assert (after.join_url, after.edited_at) == (JOIN, NOW)
    assert (after.sequence, after.revised_at) == (before.sequence, before.revised_at)


def test_the_join_address_can_be_removed(db_session, meeting):
    edit(db_session, meeting, join_url=JOIN)

    edit(db_session, meeting, join_url="")

    assert seen(db_session, meeting).join_url is None


def test_new_texts_are_a_calendar_revision_but_no_notice(db_session, meeting):
    before, lock = seen(db_session, meeting), meeting.lock_version
    texts = {"topic": "Who is counted?", "guests": "", "reading_minutes": 20, "slug": "elsewhere"}

    edit(db_session, meeting, **texts, now=NOW + A_HALF_HOUR)

    after = seen(db_session, meeting)
    db_session.refresh(meeting)
    assert (after.topic, after.guests, after.reading_minutes) == ("Who is counted?", None, 20)
    assert after.slug == SLUG
    assert after.revised_at == NOW + A_HALF_HOUR
    assert (after.sequence, after.edited_at) == (before.sequence, None)
    assert meeting.lock_version > lock
    assert outbox_emails(db_session) == []


def publish(db_session, meeting, *, takeaways="We met.", recording_url=""):
    locked = locking.lock_one(db_session, meeting.id)
    return changes.publish_takeaways(db_session, locked, takeaways=takeaways,
                           recording_url=recording_url, writer=a_writer(db_session))  # fmt: skip


def proven(db_session, details, **values):
    found = find_member(db_session, details.email)
    for name, value in ({"verified_at": NOW} | values).items():
        setattr(found, name, value)
    db_session.flush()


def test_takeaways_are_emailed_once_to_those_who_held_a_spot(db_session, meeting):
    proven(db_session, ADA)
    proven(db_session, GRACE)  # waited, and was not there

    first = publish(db_session, meeting)
    published_at = seen(db_session, meeting).published_at
    again = publish(db_session, meeting, takeaways="We met, and agreed.")

    assert (first, again) == (1, 0)
    assert [(mail.to_address, mail.kind) for mail in outbox_emails(db_session)] == [
        ("ada@example.org", EmailKind.TAKEAWAYS)
    ]
    assert "We met.\n" in outbox_emails(db_session)[0].text
    assert seen(db_session, meeting).takeaways == "We met, and agreed."
    assert published_at == seen(db_session, meeting).published_at == NOW


@pytest.mark.parametrize(
    "values",
    [{"verified_at": None}, {"opt_outs": ["takeaways"]}, {"undeliverable_at": NOW}],
    ids=["not proven", "switched off", "mail comes back"],
)
def test_takeaways_go_only_to_verified_deliverable_addresses_that_want_them(
    db_session, meeting, values
):
    proven(db_session, ADA, **values)

    mailed = publish(db_session, meeting)

    assert mailed == 0
    assert outbox_emails(db_session) == []
    assert seen(db_session, meeting).published_at == NOW


def test_other_opt_outs_do_not_stop_takeaways(db_session, meeting):
    proven(db_session, ADA, opt_outs=["reminders"])

    mailed = publish(db_session, meeting, takeaways="", recording_url="https://video.example.com")

    assert mailed == 1
    assert "https://video.example.com" in outbox_emails(db_session)[0].text


def test_empty_takeaways_are_refused(db_session, meeting):
    with pytest.raises(Refused, match="Write what was taken away"):
        publish(db_session, meeting, takeaways="")

    assert seen(db_session, meeting).published_at is None


def test_takeaways_have_a_one_click_unsubscribe_link(db_session, meeting):
    proven(db_session, ADA)

    publish(db_session, meeting)

    [mail] = outbox_emails(db_session)
    assert "/unsubscribe/" in mail.unsubscribe_url
    assert mail.state == MailState.QUEUED
    assert retries.is_due(db_session, now=NOW)


@pytest.mark.parametrize(
    "address",
    [
        "https://a:99999999/",
        "https://a..b/",
        "https://\u202eevil",
        "https:///x",
        "http://zoom.example.org/",
        "https://a b/",
        "javascript:x",
        "zoom",
    ],
)
def test_an_invalid_join_address_is_refused(db_session, address):
    meeting = a_meeting(db_session)

    with pytest.raises(Refused, match="beginning with https"):
        edit(db_session, meeting, join_url=address)


@pytest.mark.parametrize(
    "address", ["https://us02web.zoom.us/j/123?pwd=x", "https://b\u00fccher.example/room"]
)
def test_an_international_join_address_is_accepted(db_session, address):
    meeting = a_meeting(db_session)

    edit(db_session, meeting, join_url=address)

    db_session.refresh(meeting)
    assert meeting.join_url == address
