"""The waiting list: free places go to those who wait, in order, never after the start."""

from datetime import timedelta

import pytest
from sqlalchemy import func, select

from cop.db.engine import read_tx, write_tx
from cop.errors import Refused
from cop.meetings import locking
from cop.models.registration import Registration
from cop.outbox.outbox import EmailKind
from cop.registration import cancellation
from tests.builders import (
    ADA,
    GRACE,
    KATHERINE,
    NOW,
    a_meeting,
    a_registration,
    a_writer,
    cancel_meeting,
    clear_outbox,
    edit,
    outbox_emails,
    recipients_and_subjects,
    register,
    registrations,
    restore_meeting,
    status_summary,
)
from tests.concurrency import at_once

pytestmark = pytest.mark.both

A_MINUTE = timedelta(minutes=1)
SLUG = "2026-12-13"


@pytest.fixture
def meeting(db_session):
    """One place: Ada holds it, Grace waits, Katherine waits behind her; a bystander elsewhere."""
    meeting = a_meeting(db_session, capacity=1)
    other = a_meeting(db_session, slug="other", capacity=1)
    for person in (ADA, GRACE, KATHERINE):
        register(db_session, SLUG, person)
    a_registration(db_session, other, "mallory@example.org", "waiting")
    clear_outbox(db_session)
    return meeting


def of(db_session, person):
    [found] = [row for row in registrations(db_session, SLUG) if row.name == person.name]
    return found


def cancel(db_session, person, *, now=NOW):
    return cancellation.cancel_registration(
        db_session, of(db_session, person).id, writer=a_writer(db_session, now=now)
    )


def test_canceling_promotes_the_first_person_waiting(db_session, meeting):
    cancel(db_session, ADA)

    assert status_summary(db_session, SLUG) == "Ada cancelled, Grace held, Katherine waiting"
    assert status_summary(db_session, "other") == "Mallory waiting"
    assert recipients_and_subjects(db_session) == [
        ("grace@example.org", "A place for you: December 13")
    ]
    assert of(db_session, GRACE).promoted_at == NOW


def test_leaving_the_waiting_list_frees_no_place(db_session, meeting):
    cancel(db_session, GRACE)

    assert status_summary(db_session, SLUG) == "Ada held, Grace cancelled, Katherine waiting"
    assert outbox_emails(db_session) == []


def test_canceling_twice_frees_one_place(db_session, meeting):
    cancel(db_session, ADA)
    cancel(db_session, ADA)

    assert status_summary(db_session, SLUG) == "Ada cancelled, Grace held, Katherine waiting"
    assert len(outbox_emails(db_session, EmailKind.PROMOTED)) == 1


def test_registering_while_others_wait_joins_the_end_of_the_list(db_session, meeting):
    cancel(db_session, ADA)
    register(db_session, SLUG, ADA)

    assert (
        status_summary(db_session, SLUG)
        == "Ada cancelled, Grace held, Katherine waiting, Ada waiting"
    )


@pytest.mark.parametrize(
    ("capacity", "expected"),
    [(2, "Ada held, Grace held, Katherine waiting"), (9, "Ada held, Grace held, Katherine held"),
     (None, "Ada held, Grace held, Katherine held"), (1, "Ada held, Grace waiting, Katherine waiting")],
    ids=["one more", "many more", "no limit", "as many"],
)  # fmt: skip
def test_a_raised_capacity_promotes_as_many(db_session, meeting, capacity, expected):
    edit(db_session, meeting, capacity=capacity)

    assert status_summary(db_session, SLUG) == expected
    assert len(outbox_emails(db_session, EmailKind.PROMOTED)) == expected.count("held") - 1


@pytest.mark.parametrize("late", [timedelta(), A_MINUTE], ids=["at the start", "after the start"])
def test_nobody_is_promoted_once_the_meeting_has_begun(db_session, meeting, late):
    cancel(db_session, ADA, now=meeting.starts_at + late)

    assert status_summary(db_session, SLUG) == "Ada cancelled, Grace waiting, Katherine waiting"
    assert outbox_emails(db_session) == []


def test_a_moment_before_the_start_the_next_is_still_promoted(db_session, meeting):
    cancel(db_session, ADA, now=meeting.starts_at - A_MINUTE)

    assert status_summary(db_session, SLUG) == "Ada cancelled, Grace held, Katherine waiting"


def test_a_registration_for_a_past_meeting_cannot_be_canceled(db_session, meeting):
    with pytest.raises(Refused, match="is over"):
        cancel(db_session, ADA, now=meeting.ends_at)


def test_nobody_is_promoted_at_a_canceled_meeting(db_session, meeting):
    cancel_meeting(db_session, meeting)

    cancel(db_session, ADA)

    assert status_summary(db_session, SLUG) == "Ada cancelled, Grace waiting, Katherine waiting"


def test_restoring_a_meeting_gives_its_free_places_to_the_waiting_list(db_session, meeting):
    cancel_meeting(db_session, meeting)
    cancel(db_session, ADA)

    restore_meeting(db_session, meeting)

    assert status_summary(db_session, SLUG) == "Ada cancelled, Grace held, Katherine waiting"


def test_a_promotion_raises_the_revision_of_cached_pages(db_session, meeting):
    [before] = locking.read(db_session, [meeting.id])
    version = meeting.lock_version

    cancel(db_session, ADA)

    db_session.refresh(meeting)
    assert meeting.lock_version > version
    assert before.capacity == meeting.capacity


def test_64_cancel_and_register_at_once_and_no_place_is_lost_or_given_twice(app):
    people = [f"person{number}@example.org" for number in range(64)]
    with write_tx() as db_session:
        meeting = a_meeting(db_session, capacity=32)
        rows = [a_registration(db_session, meeting, email, "held" if n < 32 else "waiting")
                for n, email in enumerate(people)]  # fmt: skip
        meeting_id, ids = meeting.id, [row.id for row in rows]

    def cancelling(id_):
        def act():
            with write_tx() as db_session:
                cancellation.cancel_registration(db_session, id_, writer=a_writer(db_session))

        return act

    def joining(number):
        person = ADA.__class__(f"New {number}", f"new{number}@example.org")

        def act():
            with write_tx() as db_session:
                register(db_session, SLUG, person)

        return act

    at_once(app, *[cancelling(id_) for id_ in ids[:32]], *[joining(n) for n in range(32)])

    with read_tx() as db_session:
        query = select(Registration.status, func.count()).where(
            Registration.meeting_id == meeting_id
        )
        counts = {row[0]: row[1] for row in db_session.execute(query.group_by(Registration.status))}
        live = [row.status for row in registrations(db_session, SLUG) if row.status != "cancelled"]
        promoted = outbox_emails(db_session, EmailKind.PROMOTED)
    assert counts == {"held": 32, "waiting": 32, "cancelled": 32}
    assert live == ["held"] * 32 + ["waiting"] * 32
    assert len(promoted) == len({mail.to_address for mail in promoted}) == 32
