"""Registering again: the same form, the same address, and what a stranger can learn from it."""

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import select

from cop.models.registration import Member, Submission
from cop.registration.register import ALL_UPCOMING, Outcome, old_submissions
from tests.builders import (
    ADA,
    GRACE,
    KATHERINE,
    NOW,
    a_meeting,
    a_registration,
    find_member,
    register,
    registrations,
    status_summary,
)
from tests.tokens import without_tokens

pytestmark = pytest.mark.both

DAY = timedelta(days=1)


def test_the_same_form_is_answered_as_before_whatever_has_happened_since(db_session):
    it = a_meeting(db_session, slug="it", capacity=1, starts_at=NOW + DAY)
    first = register(db_session, "it", ADA, submission="the form")
    a_registration(db_session, it, "grace@example.org", "waiting")

    second = register(db_session, "it", ADA, submission="the form", now=NOW + timedelta(hours=23))
    after_the_end = register(db_session, "it", ADA, submission="the form", now=it.ends_at)

    assert first == second == after_the_end == Outcome(held=("it",), waiting=())
    assert status_summary(db_session, "it") == "Ada held, Grace waiting"


def test_saved_answers_are_forgotten_after_a_day_and_not_before(db_session):
    register(db_session, "2026-12-15", ADA, submission="old", now=NOW - DAY - timedelta(seconds=1))
    register(db_session, "2026-12-15", GRACE, submission="young", now=NOW - DAY)

    old_submissions(now=NOW).erase_all(db_session)

    assert db_session.scalars(select(Submission.key)).all() == ["young"]


def test_saved_answers_hold_nothing_about_the_person(db_session):
    register(db_session, "2026-12-15", ADA, submission="the form")

    [saved] = db_session.scalars(select(Submission)).all()

    assert vars(saved).keys() >= {"key", "held", "waiting", "created_at"}
    assert "Ada" not in without_tokens(str(vars(saved)))
    assert "ada@example.org" not in str(vars(saved))


def test_a_place_that_is_held_stays_as_it_was(db_session):
    register(db_session, "2026-12-15", replace(ADA, values={"organization": "Harbor Data Lab"}))
    register(db_session, "2026-12-15", GRACE)

    stranger = replace(ADA, name="Mallory", values={"organization": "Elsewhere", "access": ["asl"]})
    register(db_session, ["2026-12-15", "2027-01-19"], stranger, now=NOW + DAY)

    kept, _ = registrations(db_session, "2026-12-15")
    assert (kept.name, kept.organization, kept.access) == ("Ada Example", "Harbor Data Lab", [])
    assert (kept.status, kept.registered_at) == ("held", NOW)
    assert status_summary(db_session, "2027-01-19") == "Mallory held"


def test_who_waits_keeps_their_turn(db_session):
    it = a_meeting(db_session, slug="it", capacity=1)
    a_registration(db_session, it, "ada@example.org")
    register(db_session, "it", GRACE)
    register(db_session, "it", KATHERINE, now=NOW + DAY)

    register(db_session, "it", GRACE, now=NOW + 2 * DAY)

    assert status_summary(db_session, "it") == "Ada held, Grace waiting, Katherine waiting"
    assert registrations(db_session, "it")[1].registered_at == NOW


@pytest.mark.parametrize("capacity", [None, 1, 2, 3], ids=["no limit", "full", "full", "one left"])
def test_the_answer_is_the_same_for_an_address_that_is_known(db_session, capacity):
    for slug in ("one", "two"):
        meeting = a_meeting(db_session, slug=slug, capacity=capacity)
        a_registration(db_session, meeting, "ada@example.org")
        a_registration(db_session, meeting, "bystander@example.org")

    known = register(db_session, "one", ADA)
    unknown = register(db_session, "two", GRACE)

    assert [len(known.held), len(known.waiting)] == [len(unknown.held), len(unknown.waiting)]


def test_cancelled_and_then_again_is_a_new_registration_at_the_tail(db_session):
    it = a_meeting(db_session, slug="it", capacity=1)
    a_registration(db_session, it, "ada@example.org", "cancelled")
    a_registration(db_session, it, "grace@example.org", "held")
    a_registration(db_session, it, "katherine@example.org", "waiting")

    outcome = register(db_session, "it", ADA, now=NOW + DAY)

    assert outcome.waiting == ("it",)
    assert (
        status_summary(db_session, "it")
        == "Ada cancelled, Grace held, Katherine waiting, Ada waiting"
    )
    assert registrations(db_session, "it")[-1].registered_at == NOW + DAY


@pytest.mark.parametrize(
    ("first", "again"),
    [
        ("ada@example.org", "ADA@Example.ORG"),
        ("ada@bücher.example.org", "ada@xn--bcher-kva.example.org"),
        ("ada@xn--bcher-kva.example.org", "Ada@BÜCHER.example.org"),
    ],
    ids=["other case", "punycode", "out of punycode"],
)
def test_one_address_in_two_spellings_is_one_member_with_the_first_spelling(
    db_session, first, again
):
    register(db_session, "2026-12-15", GRACE)
    register(db_session, "2026-12-15", replace(ADA, email=first))

    register(db_session, ["2026-12-15", "2027-01-19"], replace(ADA, email=again))

    assert len(registrations(db_session, "2026-12-15")) == 2
    assert set(db_session.scalars(select(Member.email))) == {"grace@example.org", first}


@pytest.mark.parametrize("other", ["ada+notes@example.org", "a.da@example.org"])
def test_plus_tags_and_dots_make_another_member(db_session, other):
    register(db_session, "2026-12-15", ADA)

    register(db_session, "2026-12-15", replace(ADA, email=other))

    assert status_summary(db_session, "2026-12-15") == "Ada held, Ada held"


def test_the_mailing_list_is_asked_for_once_and_confirmed_by_nobody_but_the_owner(db_session):
    register(db_session, "2026-12-15", GRACE)
    register(db_session, "2026-12-15", replace(ADA, list_opt_in=True))

    register(db_session, "2026-12-15", replace(ADA, list_opt_in=True), now=NOW + DAY)

    ada, grace = (
        find_member(db_session, "ada@example.org"),
        find_member(db_session, "grace@example.org"),
    )
    assert (ada.list_requested_at, ada.list_confirmed_at) == (NOW, None)
    assert grace.list_requested_at is None


def test_a_form_without_the_tick_takes_nobody_off_the_mailing_list(db_session):
    register(db_session, "2026-12-15", replace(ADA, list_opt_in=True))

    register(db_session, "2027-01-19", ADA, now=NOW + DAY)

    assert find_member(db_session, "ada@example.org").list_requested_at == NOW


def test_an_answer_is_never_filed_under_the_question_of_another_meeting(db_session):
    a_meeting(db_session, slug="first", prep_question="A?")
    a_meeting(db_session, slug="second", prep_question="B?", starts_at=NOW + 30 * DAY)
    register(db_session, "first", ADA)

    register(db_session, ["first", "second"], replace(ADA, values={"prep_answer": "to A"}))

    assert [row.prep_answer for row in registrations(db_session)] == ["", ""]


def test_all_means_all_that_can_be_had_and_leaves_out_a_full_one_that_has_begun(db_session):
    begun = a_meeting(db_session, slug="begun", capacity=1, starts_at=NOW - timedelta(minutes=10))
    a_registration(db_session, begun, "grace@example.org")

    outcome = register(db_session, [ALL_UPCOMING], ADA)

    assert "begun" not in outcome.held
    assert len(outcome.held) == 6
