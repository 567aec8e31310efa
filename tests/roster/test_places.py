"""Changing one person's place, one change after another and at once."""

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
GAVE, PUT = "A place for you: December 13", "You are on the waiting list now: December 13"
CANCELLED = "Your registration is cancelled: December 13"


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


def test_exceeding_the_capacity_has_to_be_confirmed(db_session, meeting):
    with pytest.raises(Refused, match="last place has just gone"):
        do(db_session, places.give_place, KATHERINE, beyond=False)

    moved = do(db_session, places.give_place, KATHERINE, beyond=True)

    assert status_summary(db_session, SLUG) == "Ada held, Grace waiting, Katherine held"
    assert recipients_and_subjects(db_session) == [("katherine@example.org", GAVE)]
    assert (moved.is_notified, of(db_session, KATHERINE).promoted_at) == (True, NOW)


def test_above_capacity_a_cancellation_promotes_nobody(db_session, meeting):
    do(db_session, places.give_place, KATHERINE, beyond=True)

    do(db_session, places.cancel, ADA, by_mail=True)

    assert status_summary(db_session, SLUG) == "Ada cancelled, Grace waiting, Katherine held"


def test_moving_somebody_to_the_waiting_list_promotes_the_next(db_session, meeting):
    moved = do(db_session, places.move_to_waiting_list, ADA)

    assert status_summary(db_session, SLUG) == (
        "Ada cancelled, Grace held, Katherine waiting, Ada waiting"
    )
    assert status_summary(db_session, "other") == "Mallory waiting"
    assert (moved.registration_id, moved.promoted) == (of(db_session, ADA).id, 1)
    assert recipients_and_subjects(db_session) == [
        ("grace@example.org", GAVE),
        ("ada@example.org", PUT),
    ]


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
def test_nobody_is_moved_to_a_waiting_list_that_they_would_lead(db_session, capacity, is_possible):
    it = a_meeting(db_session, capacity=capacity)
    for name, status in (("ada", "held"), ("grace", "waiting"), ("katherine", "waiting")):
        a_registration(db_session, it, f"{name}@example.org", status)
    [ada, *_] = registrations(db_session, SLUG)
    writer = a_writer(db_session)

    if not is_possible:
        with pytest.raises(Refused, match="Nobody else waits"):
            places.move_to_waiting_list(db_session, ada.id, writer=writer)
        return
    places.move_to_waiting_list(db_session, ada.id, writer=writer)

    assert registrations(db_session, SLUG)[-1].status == "waiting"


@pytest.mark.parametrize(("by_mail", "expected"), [(True, [("ada@example.org", CANCELLED)]),
                                                   (False, [])])  # fmt: skip
def test_a_place_is_canceled_with_an_email_or_without(db_session, meeting, by_mail, expected):
    moved = do(db_session, places.cancel, ADA, by_mail=by_mail)

    assert status_summary(db_session, SLUG) == "Ada cancelled, Grace held, Katherine waiting"
    assert recipients_and_subjects(db_session, EmailKind.PLACE) == expected
    assert (moved.is_notified, moved.promoted) == (by_mail, 1)
    assert of(db_session, ADA).cancelled_at == NOW


def test_the_email_about_a_canceled_place_is_not_withdrawn_with_it(db_session, meeting):
    do(db_session, places.cancel, ADA, by_mail=True)

    [mail] = outbox_emails(db_session, EmailKind.PLACE)

    assert (mail.registration_id, mail.meeting_id) == (None, meeting.id)


def test_the_time_of_a_cancellation_is_recorded_once(db_session, meeting):
    cancellation.cancel_registration(
        db_session, of(db_session, ADA).id, writer=a_writer(db_session)
    )
    cancellation.cancel_registration(
        db_session, of(db_session, ADA).id, writer=a_writer(db_session, now=NOW + DAY)
    )

    assert of(db_session, ADA).cancelled_at == NOW


def test_somebody_undeliverable_counts_as_not_notified(db_session, meeting):
    db_session.get_one(Member, of(db_session, GRACE).member_id).undeliverable_at = NOW
    db_session.flush()

    moved = do(db_session, places.give_place, GRACE, beyond=True)

    assert not moved.is_notified
    assert outbox_emails(db_session) == []


def test_restoring_gives_the_place_back_where_one_is_free(db_session, meeting):
    do(db_session, places.cancel, GRACE, by_mail=False)
    do(db_session, places.cancel, KATHERINE, by_mail=False)
    do(db_session, places.cancel, ADA, by_mail=False)

    moved = do(db_session, places.restore, KATHERINE, now=NOW + 30 * DAY - 10 * DAY)

    assert status_summary(db_session, SLUG) == "Ada cancelled, Grace cancelled, Katherine held"
    assert (moved.registration_id, moved.status) == (of(db_session, KATHERINE).id, "held")
    assert of(db_session, KATHERINE).cancelled_at is None
    assert recipients_and_subjects(db_session) == [
        ("katherine@example.org", "You are registered: December 13")
    ]


def test_restoring_without_a_free_place_means_the_end_of_the_waiting_list(db_session, meeting):
    do(db_session, places.cancel, ADA, by_mail=False)
    clear_outbox(db_session)

    moved = do(db_session, places.restore, ADA)

    assert (
        status_summary(db_session, SLUG)
        == "Ada cancelled, Grace held, Katherine waiting, Ada waiting"
    )
    assert moved.status == "waiting"
    assert recipients_and_subjects(db_session) == [
        ("ada@example.org", "You are on the waiting list: December 13")
    ]


@pytest.mark.parametrize(
    ("cancelled_at", "after", "refusal"),
    [
        (NOW - DAY * 29, timedelta(), None),
        (NOW - DAY * 30, timedelta(), None),
        (NOW - DAY * 30 - timedelta(seconds=1), timedelta(), "restored for 30 days"),
        (None, timedelta(), "restored for 30 days"),
        (NOW + DAY * 20, DAY * 21, "places stay as they are"),
        (NOW, DAY * 22, "places stay as they are"),
    ],
    ids=["29 days", "30 days", "more", "at an unknown time", "begun and full", "over"],
)
def test_restoring_ends_after_thirty_days_and_with_the_session(
    db_session, meeting, cancelled_at, after, refusal
):
    mallory = "mallory@example.org"
    ada = a_registration(db_session, meeting, mallory, "cancelled", cancelled_at=cancelled_at)
    writer = a_writer(db_session, now=NOW + after)

    if refusal:
        with pytest.raises(Refused, match=refusal):
            places.restore(db_session, ada.id, writer=writer)
    else:
        places.restore(db_session, ada.id, writer=writer)

    assert status_summary(db_session, SLUG).endswith("Mallory cancelled") == bool(refusal)


def test_somebody_who_has_registered_again_is_not_restored(db_session, meeting):
    do(db_session, places.cancel, ADA, by_mail=False)
    [old] = [row for row in registrations(db_session, SLUG) if row.name == ADA.name]
    register(db_session, SLUG, ADA)

    with pytest.raises(Refused, match="changed meanwhile"):
        places.restore(db_session, old.id, writer=a_writer(db_session))


ACTS = {
    "give": lambda *of, **at: places.give_place(*of, **at, beyond=True),
    "put": places.move_to_waiting_list,
    "cancel": lambda *of, **at: places.cancel(*of, **at, by_mail=True),
    "restore": places.restore,
}


@pytest.mark.parametrize(
    "case",
    [
        ("give", ADA, 0, "changed meanwhile"),
        ("put", GRACE, 0, "changed meanwhile"),
        ("restore", ADA, 0, "changed meanwhile"),
        ("give", GRACE, 22, "places stay as they are"),
        ("put", ADA, 22, "places stay as they are"),
        ("cancel", ADA, 22, "is over"),
        ("put", ADA, 21, "places stay as they are"),
    ],
)
def test_a_change_that_does_not_fit_the_place_is_refused(db_session, meeting, case):
    act, details, ahead, refusal = case

    with pytest.raises(Refused, match=refusal):
        do(db_session, ACTS[act], details, now=NOW + ahead * DAY)

    assert status_summary(db_session, SLUG) == "Ada held, Grace waiting, Katherine waiting"
    assert outbox_emails(db_session) == []


@pytest.mark.parametrize(
    ("act", "details"), [("give", GRACE), ("put", ADA), ("restore", KATHERINE)]
)
def test_no_place_is_given_or_taken_in_a_canceled_session(db_session, meeting, act, details):
    do(db_session, places.cancel, KATHERINE, by_mail=False)
    meeting.status = "cancelled"
    db_session.flush()

    with pytest.raises(Refused, match="places stay as they are"):
        do(db_session, ACTS[act], details)


@pytest.mark.parametrize("act", ACTS)
def test_a_change_of_somebody_erased_meanwhile_is_refused(db_session, meeting, act):
    with pytest.raises(Refused, match="changed meanwhile"):
        ACTS[act](db_session, 999_999, writer=a_writer(db_session))


def test_two_coordinators_at_once_cancel_one_place_once(app):
    with write_tx() as db_session:
        a_meeting(db_session, capacity=1)
        for details in (ADA, GRACE, KATHERINE):
            register(db_session, SLUG, details)
        ids = [row.id for row in registrations(db_session, SLUG)]

    def cancelling():
        with write_tx() as db_session:
            writer = a_writer(db_session)
            try:
                places.cancel(db_session, ids[0], by_mail=True, writer=writer)
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
        row = a_registration(db_session, it, "ada@example.org", "cancelled", cancelled_at=NOW)
        id_ = row.id

    def restoring():
        with write_tx() as db_session:
            places.restore(db_session, id_, writer=a_writer(db_session))

    def registering():
        with write_tx() as db_session:
            register(db_session, SLUG, GRACE)

    at_once(app, restoring, registering)

    with read_tx() as db_session:
        statuses = [row.status for row in registrations(db_session, SLUG)]
    assert statuses.count("held") == 1
    assert statuses.count("waiting") == 1


def add(db_session, slug, details, *, by_mail=True):
    it = schedule.find(db_session, slug, now=NOW)
    writer = a_writer(db_session)
    return places.add_person(db_session, it, details, by_mail=by_mail, writer=writer)


def test_an_address_on_the_roster_is_not_added_again(db_session, meeting):
    with pytest.raises(Refused, match="on the roster already"):
        add(db_session, SLUG, replace(ADA, email="ADA@example.org", name="Other"))
    added = add(db_session, "other", ADA)

    assert (added.registration_id, added.status) == (registrations(db_session)[-1].id, "waiting")
    assert status_summary(db_session, "other") == "Mallory waiting, Ada waiting"
    assert [mail.to_address for mail in outbox_emails(db_session)] == [ADA.email]


def test_nobody_is_added_to_a_canceled_session(db_session, meeting):
    meeting.status = "cancelled"
    db_session.flush()

    with pytest.raises(Refused, match="is cancelled"):
        add(db_session, SLUG, replace(ADA, email="new@example.org"))
