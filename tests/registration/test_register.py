"""Registering, once and again: a place, the waiting list, or a refusal that stores nothing."""

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import delete, select, update

from cop.errors import InvalidAddress, Refused
from cop.models.meeting import Meeting, MeetingStatus
from cop.models.registration import Member, Submission
from cop.registration.answers import Answers
from cop.registration.register import ALL_UPCOMING, old_submissions
from tests.builders import (
    ADA,
    GRACE,
    KATHERINE,
    MALLORY,
    NOW,
    a_meeting,
    a_registration,
    find_member,
    outbox_emails,
    register,
    registrations,
    status_summary,
)
from tests.client import ALL_SIX, DECEMBER, FEBRUARY, JANUARY

pytestmark = pytest.mark.both

DAY = timedelta(days=1)
HOUR = timedelta(hours=1)
BEGUN = {"starts_at": NOW - HOUR}


def test_a_free_place_is_held_in_one_meeting_while_the_form_waits_for_a_full_one(db_session):
    full = a_meeting(db_session, slug="full", starts_at=NOW + DAY, capacity=1)
    a_meeting(db_session, slug="free", starts_at=NOW + 2 * DAY, capacity=1)
    a_registration(db_session, full, GRACE.email)

    form = register(db_session, ["free", "full"], ADA)

    assert (form.held, form.waiting) == (["free"], ["full"])
    assert status_summary(db_session, "free") == "Ada held"
    assert status_summary(db_session, "full") == "Grace held, Ada waiting"
    assert status_summary(db_session, DECEMBER) == ""


def test_a_meeting_without_a_limit_is_never_full(db_session):
    open_to_all = a_meeting(db_session, slug="open", capacity=None)
    for number in range(60):
        a_registration(db_session, open_to_all, f"{number}@example.org")

    assert register(db_session, "open", ADA).held == ["open"]


def test_a_free_place_is_for_who_waits_and_not_for_who_comes_next(db_session):
    it = a_meeting(db_session, slug="it", capacity=2)
    a_registration(db_session, it, ADA.email, "held")
    a_registration(db_session, it, GRACE.email, "waiting")

    form = register(db_session, "it", KATHERINE)

    assert form.waiting == ["it"]
    assert status_summary(db_session, "it") == "Ada held, Grace waiting, Katherine waiting"


def test_a_canceled_place_is_free_for_the_next(db_session):
    it = a_meeting(db_session, slug="it", capacity=1)
    a_registration(db_session, it, MALLORY.email, "cancelled")

    assert register(db_session, "it", ADA).held == ["it"]


def test_meetings_are_named_soonest_first_and_once_however_they_were_ticked(db_session):
    form = register(db_session, [FEBRUARY, DECEMBER, JANUARY, DECEMBER], ADA)

    assert form.held == [DECEMBER, JANUARY, FEBRUARY]
    assert len(registrations(db_session)) == 3


@pytest.mark.parametrize(
    "ticked", [[ALL_UPCOMING], [DECEMBER, ALL_UPCOMING], [ALL_UPCOMING, "unknown"]], ids=str
)
def test_all_means_every_meeting_that_takes_somebody(db_session, ticked):
    a_meeting(db_session, slug="over", starts_at=NOW - DAY)
    a_meeting(db_session, slug="off", starts_at=NOW + DAY, status=MeetingStatus.CANCELLED)
    a_meeting(db_session, slug="begun", **BEGUN)
    full = a_meeting(db_session, slug="begun-and-full", capacity=1, **BEGUN)
    a_registration(db_session, full, GRACE.email)

    form = register(db_session, ticked, ADA)

    assert (form.held, form.waiting) == (["begun", *ALL_SIX], [])
    assert len(registrations(db_session)) == 1 + 7


def test_all_is_refused_where_nothing_is_planned(db_session):
    db_session.execute(delete(Meeting))
    a_meeting(db_session, slug="over", starts_at=NOW - DAY)

    with pytest.raises(Refused, match="No sessions are planned"):
        register(db_session, [ALL_UPCOMING], ADA)


def test_who_comes_late_holds_a_place_until_the_end(db_session):
    begun = a_meeting(db_session, slug="begun", capacity=2, **BEGUN)
    a_registration(db_session, begun, GRACE.email, "waiting")

    form = register(db_session, "begun", ADA)

    assert (form.held, form.waiting) == (["begun"], [])


def test_nobody_waits_once_a_meeting_has_begun(db_session):
    begun = a_meeting(db_session, slug="begun", capacity=1, **BEGUN)
    a_registration(db_session, begun, GRACE.email)

    with pytest.raises(Refused, match="has started and is full"):
        register(db_session, "begun", ADA)

    assert status_summary(db_session, "begun") == "Grace held"


@pytest.mark.parametrize(
    ("values", "refusal"),
    [
        ({"starts_at": NOW - 1.5 * HOUR}, "is over"),
        ({"status": MeetingStatus.CANCELLED}, "is canceled"),
        ({"status": MeetingStatus.CANCELLED, "starts_at": NOW - HOUR}, "is canceled"),
        ({"slug": "something-else"}, "isn't on the schedule"),
    ],
    ids=["at its end", "cancelled", "cancelled and begun", "unknown"],
)
def test_one_closed_meeting_among_others_refuses_the_form_and_stores_nothing(
    db_session, values, refusal
):
    a_meeting(db_session, **({"slug": "closed"} | values))

    with pytest.raises(Refused, match=refusal):
        register(db_session, [DECEMBER, "closed"], ADA)

    assert registrations(db_session) == []
    assert find_member(db_session, ADA.email) is None
    assert db_session.scalars(select(Submission)).all() == []
    assert outbox_emails(db_session) == []


def test_an_invalid_address_is_refused_and_stores_nothing(db_session):
    with pytest.raises(InvalidAddress):
        register(db_session, DECEMBER, replace(ADA, email="ada@example"))

    assert registrations(db_session) == []
    assert db_session.scalars(select(Member)).all() == []


def test_all_answers_are_stored_as_they_were_given(db_session):
    values = {
        "organization": "Harbor Data Lab",
        "pronouns": "she/her",
        "hats": ["analyst", "evaluator"],
        "hats_other": "beekeeper",
        "access": ["asl", "interpretation"],
        "access_language": "Spanish",
        "access_other": "a break",
        "taking_part": ["type", "listen"],
        "first_time": True,
        "prep_answer": "Nobody asked.",
        "prep_visibility": "named",
    }
    db_session.execute(update(Meeting).values(prep_question="Who decided?"))

    who = Answers("Ada Lovelace \u200fعدا 🦊", "Ada+notes@Example.org", values)
    register(db_session, DECEMBER, who)

    [stored] = registrations(db_session, DECEMBER)
    assert {name: getattr(stored, name) for name in values} == values
    assert (stored.name, stored.language) == (who.name, "en")
    assert (stored.registered_at, stored.attended) == (NOW, None)
    assert stored.announced == "2026-12-15T16:30:00+00:00|2026-12-15T18:00:00+00:00|planned|"
    assert find_member(db_session, "ada+notes@example.org").email == "Ada+notes@Example.org"


def test_the_answer_to_the_question_is_stored_at_the_soonest_meeting_that_asks(db_session):
    asking = Meeting.slug.in_([JANUARY, FEBRUARY])
    db_session.execute(update(Meeting).where(asking).values(prep_question="Who decided?"))
    values = {"prep_answer": "I did.", "prep_visibility": "group"}

    register(db_session, [ALL_UPCOMING], replace(ADA, values=values))
    register(db_session, DECEMBER, replace(GRACE, values=values))

    assert registrations(db_session, DECEMBER)[1].prep_answer == ""
    stored = {slug: registrations(db_session, slug)[0] for slug in ALL_SIX}
    assert {
        slug: (row.prep_answer, row.prep_visibility) for slug, row in stored.items()
    } == dict.fromkeys(ALL_SIX, ("", "hosts")) | {JANUARY: ("I did.", "group")}


def test_registering_changes_the_revision_of_the_meetings_chosen_and_no_other(db_session):
    before = dict(db_session.execute(select(Meeting.slug, Meeting.lock_version)).all())

    register(db_session, JANUARY, MALLORY)

    after = dict(db_session.execute(select(Meeting.slug, Meeting.lock_version)).all())
    assert {slug for slug in after if after[slug] > before[slug]} == {JANUARY}


def test_the_same_form_changes_nothing_whatever_has_happened_since(db_session):
    it = a_meeting(db_session, slug="it", capacity=1, starts_at=NOW + DAY)
    register(db_session, "it", ADA, submission="the form")
    a_registration(db_session, it, GRACE.email, "waiting")

    register(db_session, "it", ADA, submission="the form", now=NOW + timedelta(hours=23))
    form = register(db_session, "it", ADA, submission="the form", now=it.ends_at)

    assert (form.held, form.waiting, form.created_at) == (["it"], [], NOW)
    assert status_summary(db_session, "it") == "Ada held, Grace waiting"
    assert len(outbox_emails(db_session)) == 1


def test_saved_submissions_are_deleted_after_a_day_and_not_before(db_session):
    register(db_session, DECEMBER, ADA, submission="old", now=NOW - DAY - timedelta(seconds=1))
    register(db_session, DECEMBER, GRACE, submission="young", now=NOW - DAY)

    old_submissions(now=NOW).erase_all(db_session)

    assert db_session.scalars(select(Submission.key)).all() == ["young"]


def test_a_place_that_is_held_stays_as_it_was(db_session):
    register(db_session, DECEMBER, replace(ADA, values={"organization": "Harbor Data Lab"}))
    register(db_session, DECEMBER, GRACE)

    stranger = replace(ADA, name="Mallory", values={"organization": "Elsewhere", "access": ["asl"]})
    register(db_session, [DECEMBER, JANUARY], stranger, now=NOW + DAY)

    stored, _ = registrations(db_session, DECEMBER)
    assert (stored.name, stored.organization) == (ADA.name, "Harbor Data Lab")
    assert stored.access == []
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
