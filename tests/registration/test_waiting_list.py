"""The waiting list: free places go to those who wait, in order, never after the start."""

from datetime import timedelta

import pytest

from cop.db.engine import read_tx, write_tx
from cop.errors import Refused
from cop.outbox.outbox import EmailKind
from cop.registration import cancellation
from cop.registration.answers import Answers
from tests.builders import (
    ADA,
    GRACE,
    NOW,
    a_full_meeting,
    a_meeting,
    a_registration,
    a_writer,
    edit,
    outbox_emails,
    recipients_and_subjects,
    register,
    registrations,
    status_summary,
)
from tests.concurrency import at_once

pytestmark = pytest.mark.both

A_MINUTE = timedelta(minutes=1)
SLUG = "2026-12-13"


@pytest.fixture
def meeting(db_session):
    return a_full_meeting(db_session)


def registration_of(db_session, person):
    [found] = [row for row in registrations(db_session, SLUG) if row.name == person.name]
    return found


def cancel(db_session, person, *, now=NOW):
    id_ = registration_of(db_session, person).id
    cancellation.cancel_registration(db_session, id_, writer=a_writer(db_session, now=now))


def test_canceling_promotes_the_first_person_waiting(db_session, meeting):
    version = meeting.lock_version

    cancel(db_session, ADA)

    db_session.refresh(meeting)
    assert status_summary(db_session, SLUG) == "Ada cancelled, Grace held, Katherine waiting"
    assert status_summary(db_session, "other") == "Mallory waiting"
    assert recipients_and_subjects(db_session) == [
        (ADA.email, "Your registration for December 13 is canceled"),
        (GRACE.email, "You now have a spot on December 13"),
    ]
    assert registration_of(db_session, GRACE).promoted_at == NOW
    assert meeting.lock_version > version  # which validates cached pages


def test_leaving_the_waiting_list_frees_no_place(db_session, meeting):
    cancel(db_session, GRACE)

    assert status_summary(db_session, SLUG) == "Ada held, Grace cancelled, Katherine waiting"
    assert recipients_and_subjects(db_session) == [
        (GRACE.email, "You're no longer on the waiting list for December 13")
    ]


def test_canceling_twice_frees_one_place_and_sends_one_email(db_session, meeting):
    cancel(db_session, ADA)
    cancel(db_session, ADA, now=NOW + A_MINUTE)

    assert status_summary(db_session, SLUG) == "Ada cancelled, Grace held, Katherine waiting"
    assert len(outbox_emails(db_session, EmailKind.PROMOTED)) == 1
    assert len(outbox_emails(db_session, EmailKind.PLACE)) == 1


def test_the_email_about_a_cancellation_outlives_a_second_one(db_session, meeting):
    cancel(db_session, GRACE)
    register(db_session, SLUG, GRACE)
    again = registrations(db_session, SLUG)[-1]

    cancellation.cancel_registration(db_session, again.id, writer=a_writer(db_session))

    subject = "You're no longer on the waiting list for December 13"
    about = recipients_and_subjects(db_session, EmailKind.PLACE)
    assert about == [(GRACE.email, subject)] * 2


def test_registering_again_after_canceling_joins_the_end_of_the_list(db_session, meeting):
    cancel(db_session, ADA)
    later = NOW + timedelta(days=1)

    form = register(db_session, SLUG, ADA, now=later)

    assert form.waiting == [SLUG]
    assert status_summary(db_session, SLUG) == (
        "Ada cancelled, Grace held, Katherine waiting, Ada waiting"
    )
    assert registrations(db_session, SLUG)[-1].registered_at == later


@pytest.mark.parametrize(
    ("capacity", "expected"),
    [
        (1, "Ada held, Grace waiting, Katherine waiting"),
        (2, "Ada held, Grace held, Katherine waiting"),
        (9, "Ada held, Grace held, Katherine held"),
        (None, "Ada held, Grace held, Katherine held"),
    ],
    ids=["as many", "one more", "many more", "no limit"],
)
def test_a_raised_capacity_promotes_as_many(db_session, meeting, capacity, expected):
    edit(db_session, meeting, capacity=capacity)

    assert status_summary(db_session, SLUG) == expected
    assert len(outbox_emails(db_session, EmailKind.PROMOTED)) == expected.count("held") - 1


@pytest.mark.parametrize(
    ("late", "status"),
    [(-A_MINUTE, "held"), (timedelta(), "waiting"), (A_MINUTE, "waiting")],
    ids=["before the start", "at the start", "after the start"],
)
def test_nobody_is_promoted_once_the_meeting_has_begun(db_session, meeting, late, status):
    cancel(db_session, ADA, now=meeting.starts_at + late)

    assert status_summary(db_session, SLUG) == f"Ada cancelled, Grace {status}, Katherine waiting"
    assert len(outbox_emails(db_session, EmailKind.PROMOTED)) == (status == "held")


def test_a_registration_for_a_past_meeting_cannot_be_canceled(db_session, meeting):
    with pytest.raises(Refused, match="is over"):
        cancel(db_session, ADA, now=meeting.ends_at)


def test_many_cancel_and_register_at_once_and_no_place_is_lost_or_given_twice(app):
    many = 12
    with write_tx() as db_session:
        meeting = a_meeting(db_session, capacity=many)
        statuses = ["held"] * many + ["waiting"] * many
        rows = [
            a_registration(db_session, meeting, f"{number}@example.org", status)
            for number, status in enumerate(statuses)
        ]
        ids = [row.id for row in rows[:many]]

    def canceling(id_):
        def act():
            with write_tx() as db_session:
                cancellation.cancel_registration(db_session, id_, writer=a_writer(db_session))

        return act

    def joining(number):
        def act():
            with write_tx() as db_session:
                register(db_session, SLUG, Answers("New", f"new{number}@example.org"))

        return act

    at_once(app, *map(canceling, ids), *map(joining, range(many)))

    with read_tx() as db_session:
        statuses = [row.status for row in registrations(db_session, SLUG)]
        promoted = outbox_emails(db_session, EmailKind.PROMOTED)
    assert statuses == ["cancelled"] * many + ["held"] * many + ["waiting"] * many
    assert len(promoted) == len({email.to_address for email in promoted}) == many
