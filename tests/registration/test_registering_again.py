"""Registering again: the same form, the same address, and what a stranger can learn from it."""

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import select

from cop.models.registration import Member, Submission
from cop.registration.register import Outcome, old_submissions
from tests.builders import (
    ADA,
    GRACE,
    KATHERINE,
    NOW,
    a_meeting,
    a_registration,
    outbox_emails,
    register,
    registrations,
    status_summary,
)
from tests.client import DECEMBER, JANUARY
from tests.tokens import without_tokens

pytestmark = pytest.mark.both

DAY = timedelta(days=1)


def test_the_same_form_is_answered_as_before_whatever_has_happened_since(db_session):
    it = a_meeting(db_session, slug="it", capacity=1, starts_at=NOW + DAY)
    first = register(db_session, "it", ADA, submission="the form")
    a_registration(db_session, it, GRACE.email, "waiting")

    second = register(db_session, "it", ADA, submission="the form", now=NOW + timedelta(hours=23))
    after_the_end = register(db_session, "it", ADA, submission="the form", now=it.ends_at)

    assert first == second == after_the_end == Outcome(held=("it",), waiting=())
    assert status_summary(db_session, "it") == "Ada held, Grace waiting"
    assert len(outbox_emails(db_session)) == 1


def test_saved_submissions_are_deleted_after_a_day_and_not_before(db_session):
    register(db_session, DECEMBER, ADA, submission="old", now=NOW - DAY - timedelta(seconds=1))
    register(db_session, DECEMBER, GRACE, submission="young", now=NOW - DAY)

    old_submissions(now=NOW).erase_all(db_session)

    assert db_session.scalars(select(Submission.key)).all() == ["young"]


def test_saved_submissions_hold_nothing_about_the_person(db_session):
    register(db_session, DECEMBER, ADA, submission="the form")

    [saved] = db_session.scalars(select(Submission)).all()

    assert vars(saved).keys() >= {"key", "held", "waiting", "created_at"}
    assert "Ada" not in without_tokens(str(vars(saved)))
    assert ADA.email not in str(vars(saved))


def test_a_place_that_is_held_stays_as_it_was(db_session):
    register(db_session, DECEMBER, replace(ADA, values={"organization": "Harbor Data Lab"}))
    register(db_session, DECEMBER, GRACE)

    stranger = replace(ADA, name="Mallory", values={"organization": "Elsewhere", "access": ["asl"]})
    register(db_session, [DECEMBER, JANUARY], stranger, now=NOW + DAY)

    stored, _ = registrations(db_session, DECEMBER)
    assert (stored.name, stored.organization, stored.access) == (
        "Ada Example",
        "Harbor Data Lab",
        [],
    )
    assert (stored.status, stored.registered_at) == ("held", NOW)
    assert status_summary(db_session, JANUARY) == "Mallory held"


def test_who_waits_keeps_their_turn(db_session):
    it = a_meeting(db_session, slug="it", capacity=1)
    a_registration(db_session, it, ADA.email)
    register(db_session, "it", GRACE)
    register(db_session, "it", KATHERINE, now=NOW + DAY)

    register(db_session, "it", GRACE, now=NOW + 2 * DAY)

    assert status_summary(db_session, "it") == "Ada held, Grace waiting, Katherine waiting"
    assert registrations(db_session, "it")[1].registered_at == NOW


@pytest.mark.parametrize("capacity", [None, 2, 3], ids=["no limit", "full", "one left"])
def test_the_answer_is_the_same_for_an_address_that_is_known(db_session, capacity):
    for slug in ("one", "two"):
        meeting = a_meeting(db_session, slug=slug, capacity=capacity)
        a_registration(db_session, meeting, ADA.email)
        a_registration(db_session, meeting, "bystander@example.org")

    known = register(db_session, "one", ADA)
    unknown = register(db_session, "two", GRACE)

    assert [len(known.held), len(known.waiting)] == [len(unknown.held), len(unknown.waiting)]


def test_one_address_in_two_spellings_is_one_member_with_the_first_spelling(db_session):
    first, again = "ada@xn--bcher-kva.example.org", "Ada@BÜCHER.example.org"
    register(db_session, DECEMBER, GRACE)
    register(db_session, DECEMBER, replace(ADA, email=first))

    register(db_session, [DECEMBER, JANUARY], replace(ADA, email=again))

    assert len(registrations(db_session, DECEMBER)) == 2
    assert set(db_session.scalars(select(Member.email))) == {GRACE.email, first}


def test_an_answer_is_never_stored_with_the_question_of_another_meeting(db_session):
    a_meeting(db_session, slug="first", prep_question="A?")
    a_meeting(db_session, slug="second", prep_question="B?", starts_at=NOW + 30 * DAY)
    register(db_session, "first", ADA)

    register(db_session, ["first", "second"], replace(ADA, values={"prep_answer": "to A"}))

    assert [row.prep_answer for row in registrations(db_session)] == ["", ""]
