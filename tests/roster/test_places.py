"""Changing one person's place, one change after another and at once."""

from contextlib import nullcontext
from dataclasses import replace
from datetime import timedelta

import pytest

from cop.db.engine import read_tx, write_tx
from cop.errors import Refused
from cop.meetings import schedule
from cop.models.registration import Member
from cop.outbox.outbox import EmailKind
from cop.registration import cancellation
from cop.roster import places
from tests.builders import (
    ADA,
    GRACE,
    KATHERINE,
    NOW,
    a_meeting,
    a_registration,
    a_writer,
    clear_outbox,
    edit,
    outbox_emails,
    recipients_and_subjects,
    register,
    registrations,
    status_summary,
)
from tests.concurrency import at_once

pytestmark = pytest.mark.both

SLUG = "2026-12-13"
DAY = timedelta(days=1)


@pytest.fixture
def meeting(db_session):
    """One place: Ada holds it, Grace waits, Katherine waits behind her; a bystander elsewhere."""
    meeting = a_meeting(db_session, capacity=1)
    other = a_meeting(db_session, slug="other", capacity=1)
    for details in (ADA, GRACE, KATHERINE):
        register(db_session, SLUG, details)
    a_registration(db_session, other, "mallory@example.org", "waiting")
    clear_outbox(db_session)
    return meeting


def of(db_session, details):
    return [row for row in registrations(db_session, SLUG) if row.name == details.name][-1]


def do(db_session, act, details, *, now=NOW, **values):
    row = of(db_session, details)
    writer = a_writer(db_session, now=now)
    return act(db_session, row.id, writer=writer, **values)


def test_above_capacity_a_cancellation_promotes_nobody(db_session, meeting):
    do(db_session, places.give_place, KATHERINE, exceed_capacity=True)

    do(db_session, places.cancel, ADA, by_email=True)

    assert status_summary(db_session, SLUG) == "Ada cancelled, Grace waiting, Katherine held"


def test_somebody_moved_to_the_waiting_list_keeps_their_answers_and_is_promoted_later(
    db_session, meeting
):
    before = of(db_session, ADA)
    before.pronouns, before.hats, before.promoted_at = "she/her", ["analyst"], NOW
    before.room, before.joined_at, before.attended, before.minutes_present = 3, NOW, True, 40
    db_session.flush()
    do(db_session, places.move_to_waiting_list, ADA)

    edit(db_session, meeting, capacity=3, now=NOW + DAY)

    after = of(db_session, ADA)
    assert (after.status, after.pronouns, after.hats) == ("held", "she/her", ["analyst"])
    assert (after.registered_at, after.cancelled_at) == (before.registered_at, None)
    assert after.promoted_at == NOW + DAY
    assert (after.room, after.joined_at, after.attended, after.minutes_present) == (None,) * 4


@pytest.mark.parametrize(
    ("capacity", "is_possible"), [(None, False), (1, True), (2, True), (3, False)]
)
def test_nobody_is_moved_to_a_waiting_list_that_they_would_lead(
    db_session, meeting, capacity, is_possible
):
    meeting.capacity = capacity
    db_session.flush()

    with nullcontext() if is_possible else pytest.raises(Refused, match="Nobody else is waiting"):
        do(db_session, places.move_to_waiting_list, ADA)

    assert status_summary(db_session, SLUG).endswith("Ada waiting") == is_possible


def test_a_canceled_place_goes_to_the_next_and_its_email_is_not_withdrawn(db_session, meeting):
    moved = do(db_session, places.cancel, ADA, by_email=True)

    [email] = outbox_emails(db_session, EmailKind.PLACE)
    assert status_summary(db_session, SLUG) == "Ada cancelled, Grace held, Katherine waiting"
    assert (email.to_address, email.registration_id, email.meeting_id) == (
        ADA.email,
        None,
        meeting.id,
    )
    assert "The coordinators canceled your registration" in email.text
    assert (moved.is_notified, moved.promoted) == (True, 1)
    assert of(db_session, ADA).cancelled_at == NOW


def test_the_time_of_a_cancellation_is_recorded_once(db_session, meeting):
    for now in (NOW, NOW + DAY):
        do(db_session, cancellation.cancel_registration, ADA, now=now)

    assert of(db_session, ADA).cancelled_at == NOW


def test_somebody_undeliverable_counts_as_not_notified(db_session, meeting):
    db_session.get_one(Member, of(db_session, GRACE).member_id).undeliverable_at = NOW
    db_session.flush()

    moved = do(db_session, places.give_place, GRACE, exceed_capacity=True)

    assert not moved.is_notified
    assert outbox_emails(db_session) == []


def test_restoring_without_a_free_place_means_the_end_of_the_waiting_list(db_session, meeting):
    do(db_session, places.cancel, ADA, by_email=False)
    clear_outbox(db_session)

    moved = do(db_session, places.restore, ADA)

    assert status_summary(db_session, SLUG) == (
        "Ada cancelled, Grace held, Katherine waiting, Ada waiting"
    )
    assert moved.status == "waiting"
    assert recipients_and_subjects(db_session) == [
        ("ada@example.org", "You're on the waiting list for December 13")
    ]


@pytest.mark.parametrize(
    ("cancelled_at", "after", "refusal"),
    [
        (NOW - DAY * 30, timedelta(), None),
        (NOW - DAY * 30 - timedelta(seconds=1), timedelta(), "for 30 days only"),
        (None, timedelta(), "for 30 days only"),
        (NOW + DAY * 20, DAY * 21, "you can't change this anymore"),
        (NOW, DAY * 22, "you can't change this anymore"),
        (NOW, None, "you can't change this anymore"),
    ],
    ids=["30 days", "more", "at an unknown time", "begun and full", "over", "cancelled"],
)
def test_restoring_ends_after_thirty_days_and_with_the_session(
    db_session, meeting, cancelled_at, after, refusal
):
    mallory = "mallory@example.org"
    meeting.status = "planned" if after is not None else "cancelled"
    row = a_registration(db_session, meeting, mallory, "cancelled", cancelled_at=cancelled_at)
    writer = a_writer(db_session, now=NOW + (after or timedelta()))

    with pytest.raises(Refused, match=refusal) if refusal else nullcontext():
        places.restore(db_session, row.id, writer=writer)

    assert status_summary(db_session, SLUG).endswith("Mallory cancelled") == bool(refusal)


def test_somebody_who_has_registered_again_is_not_restored(db_session, meeting):
    do(db_session, places.cancel, ADA, by_email=False)
    old = of(db_session, ADA)
    register(db_session, SLUG, ADA)

    with pytest.raises(Refused, match="registration has changed"):
        places.restore(db_session, old.id, writer=a_writer(db_session))


ACTS = {
    "give": lambda *of, **at: places.give_place(*of, **at, exceed_capacity=True),
    "move": places.move_to_waiting_list,
    "cancel": lambda *of, **at: places.cancel(*of, **at, by_email=True),
    "restore": places.restore,
}


@pytest.mark.parametrize(
    "case",
    [
        ("give", ADA, 0, "registration has changed"),
        ("move", GRACE, 0, "registration has changed"),
        ("restore", ADA, 0, "registration has changed"),
        ("give", GRACE, 22, "you can't change this anymore"),
        ("move", ADA, 22, "you can't change this anymore"),
        ("cancel", ADA, 22, "is over"),
        ("move", ADA, 21, "you can't change this anymore"),
        ("give", GRACE, "cancelled", "you can't change this anymore"),
        ("move", ADA, "cancelled", "you can't change this anymore"),
    ],
)
def test_a_change_that_does_not_fit_the_place_or_session_is_refused(db_session, meeting, case):
    act, details, ahead, refusal = case
    if ahead == "cancelled":
        meeting.status, ahead = ahead, 0
        db_session.flush()

    with pytest.raises(Refused, match=refusal):
        do(db_session, ACTS[act], details, now=NOW + ahead * DAY)

    assert status_summary(db_session, SLUG) == "Ada held, Grace waiting, Katherine waiting"
    assert outbox_emails(db_session) == []


def test_a_change_of_somebody_erased_meanwhile_is_refused(db_session, meeting):
    with pytest.raises(Refused, match="registration has changed"):
        places.restore(db_session, 999_999, writer=a_writer(db_session))


def test_two_coordinators_at_once_cancel_one_place_once(app):
    with write_tx() as db_session:
        a_meeting(db_session, capacity=1)
        for details in (ADA, GRACE, KATHERINE):
            register(db_session, SLUG, details)

    def cancelling():
        with write_tx() as db_session:
            try:
                do(db_session, places.cancel, ADA, by_email=True)
            except Refused:
                return "changed"
            return "cancelled"

    done = at_once(app, cancelling, cancelling)

    with read_tx() as db_session:
        assert status_summary(db_session, SLUG) == "Ada cancelled, Grace held, Katherine waiting"
        assert len(outbox_emails(db_session, EmailKind.PLACE)) == 1
    assert sorted(done) == ["cancelled", "changed"]


def test_a_restored_place_and_a_registration_at_once_do_not_oversell(app):
    with write_tx() as db_session:
        it = a_meeting(db_session, capacity=1)
        a_registration(db_session, it, ADA.email, "cancelled", cancelled_at=NOW, name=ADA.name)

    def restoring():
        with write_tx() as db_session:
            do(db_session, places.restore, ADA)

    def registering():
        with write_tx() as db_session:
            register(db_session, SLUG, GRACE)

    at_once(app, restoring, registering)

    with read_tx() as db_session:
        statuses = [row.status for row in registrations(db_session, SLUG)]
    assert sorted(each for each in statuses if each != "cancelled") == ["held", "waiting"]


def test_nobody_is_added_to_a_canceled_session(db_session, meeting):
    meeting.status = "cancelled"
    db_session.flush()
    listing = schedule.find(db_session, SLUG, now=NOW)
    mallory = replace(ADA, email="mallory@example.org")

    with pytest.raises(Refused, match="is canceled"):
        places.add_person(db_session, listing, mallory, by_email=True, writer=a_writer(db_session))
