"""Registering: a place, a place on the waiting list, or a refusal that keeps nothing."""

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import delete, select, update

from cop.errors import InvalidAddress, Refused
from cop.models.meeting import Meeting, MeetingStatus
from cop.models.registration import Member, Submission
from cop.registration.answers import Answers
from cop.registration.register import ALL_UPCOMING, Outcome
from tests.builders import (
    ADA,
    GRACE,
    KATHERINE,
    MALLORY,
    NOW,
    a_meeting,
    a_registration,
    find_member,
    register,
    registrations,
    status_summary,
)

pytestmark = pytest.mark.both

DAY = timedelta(days=1)
HOUR = timedelta(hours=1)
BEGUN = {"starts_at": NOW - HOUR}
SIX = ("2026-12-15", "2027-01-19", "2027-02-16", "2027-03-16", "2027-04-20", "2027-05-18")


def test_a_free_place_is_held(db_session):
    a_meeting(db_session, slug="it", capacity=1)
    bystander = a_meeting(db_session, slug="bystander", starts_at=NOW + DAY)

    outcome = register(db_session, "it", ADA)

    assert outcome == Outcome(held=("it",), waiting=())
    assert status_summary(db_session, "it") == "Ada held"
    assert status_summary(db_session, bystander.slug) == ""


def test_a_full_meeting_puts_people_on_its_waiting_list(db_session):
    full = a_meeting(db_session, slug="full", capacity=1)
    a_registration(db_session, full, "ada@example.org")

    outcome = register(db_session, "full", GRACE)

    assert outcome == Outcome(held=(), waiting=("full",))
    assert status_summary(db_session, "full") == "Ada held, Grace waiting"


def test_a_meeting_without_a_limit_is_never_full(db_session):
    open_to_all = a_meeting(db_session, slug="open", capacity=None)
    for number in range(60):
        a_registration(db_session, open_to_all, f"{number}@example.org")

    assert register(db_session, "open", ADA).held == ("open",)


def test_a_free_place_is_for_who_waits_and_not_for_who_comes_next(db_session):
    it = a_meeting(db_session, slug="it", capacity=2)
    a_registration(db_session, it, "ada@example.org", "held")
    a_registration(db_session, it, "grace@example.org", "waiting")

    outcome = register(db_session, "it", KATHERINE)

    assert outcome.waiting == ("it",)
    assert status_summary(db_session, "it") == "Ada held, Grace waiting, Katherine waiting"


def test_a_cancelled_place_is_free_for_the_next(db_session):
    it = a_meeting(db_session, slug="it", capacity=1)
    a_registration(db_session, it, "mallory@example.org", "cancelled")

    assert register(db_session, "it", ADA).held == ("it",)


def test_one_form_holds_places_where_free_and_waits_where_full(db_session):
    full = a_meeting(db_session, slug="full", starts_at=NOW + DAY, capacity=1)
    a_meeting(db_session, slug="free", starts_at=NOW + 2 * DAY, capacity=1)
    a_registration(db_session, full, "grace@example.org")

    outcome = register(db_session, ["free", "full"], ADA)

    assert outcome == Outcome(held=("free",), waiting=("full",))
    assert status_summary(db_session, "full") == "Grace held, Ada waiting"


def test_meetings_are_named_soonest_first_however_they_were_ticked(db_session):
    outcome = register(db_session, ["2027-02-16", "2026-12-15", "2027-01-19"], ADA)

    assert outcome.held == ("2026-12-15", "2027-01-19", "2027-02-16")


def test_a_meeting_ticked_twice_is_one_registration(db_session):
    outcome = register(db_session, ["2026-12-15", "2026-12-15"], ADA)

    assert outcome.held == ("2026-12-15",)
    assert len(registrations(db_session)) == 1


@pytest.mark.parametrize(
    "ticked", [[ALL_UPCOMING], ["2026-12-15", ALL_UPCOMING], [ALL_UPCOMING, "unknown"]], ids=str
)
def test_all_means_every_upcoming_meeting_that_will_take_place(db_session, ticked):
    a_meeting(db_session, slug="over", starts_at=NOW - DAY)
    a_meeting(db_session, slug="off", starts_at=NOW + DAY, status=MeetingStatus.CANCELLED)
    a_meeting(db_session, slug="begun", **BEGUN)

    outcome = register(db_session, ticked, ADA)

    assert outcome.held == ("begun", *SIX)
    assert len(registrations(db_session)) == 7


def test_all_is_refused_where_nothing_is_planned(db_session):
    db_session.execute(delete(Meeting))
    a_meeting(db_session, slug="over", starts_at=NOW - DAY)

    with pytest.raises(Refused, match="No session is planned"):
        register(db_session, [ALL_UPCOMING], ADA)


def test_who_comes_late_holds_a_place_until_the_end(db_session):
    begun = a_meeting(db_session, slug="begun", capacity=2, **BEGUN)
    a_registration(db_session, begun, "grace@example.org", "waiting")

    outcome = register(db_session, "begun", ADA)

    assert outcome == Outcome(held=("begun",), waiting=())


def test_nobody_waits_once_a_meeting_has_begun(db_session):
    begun = a_meeting(db_session, slug="begun", capacity=1, **BEGUN)
    a_registration(db_session, begun, "grace@example.org")

    with pytest.raises(Refused, match="has begun and is full"):
        register(db_session, "begun", ADA)

    assert status_summary(db_session, "begun") == "Grace held"


@pytest.mark.parametrize(
    ("values", "refusal"),
    [
        ({"starts_at": NOW - 1.5 * HOUR}, "is over"),
        ({"status": MeetingStatus.CANCELLED}, "is cancelled"),
        ({"status": MeetingStatus.CANCELLED, "starts_at": NOW - HOUR}, "is cancelled"),
        ({"slug": "something-else"}, "not on the schedule"),
    ],
    ids=["at its end", "cancelled", "cancelled and begun", "unknown"],
)
def test_one_closed_meeting_among_others_refuses_the_form_and_keeps_nothing(
    db_session, values, refusal
):
    a_meeting(db_session, **({"slug": "closed"} | values))

    with pytest.raises(Refused, match=refusal):
        register(db_session, ["2026-12-15", "closed"], ADA)

    assert registrations(db_session) == []
    assert find_member(db_session, "ada@example.org") is None
    assert db_session.scalars(select(Submission)).all() == []


@pytest.mark.parametrize("address", ["ada", "ada@", "ada@example", ""], ids=repr)
def test_what_is_no_address_is_refused_and_keeps_nothing(db_session, address):
    with pytest.raises(InvalidAddress):
        register(db_session, "2026-12-15", replace(ADA, email=address))

    assert registrations(db_session) == []
    assert db_session.scalars(select(Member)).all() == []


def test_everything_that_was_said_is_kept_as_it_was_said(db_session):
    values = {
        "organization": "Harbor Data Lab",
        "pronouns": "she/her",
        "hats": ["analyst", "lived-experience"],
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
    register(db_session, "2026-12-15", who)

    [kept] = registrations(db_session, "2026-12-15")
    assert {name: getattr(kept, name) for name in values} == values
    assert (kept.name, kept.language) == (who.name, "en")
    assert (kept.registered_at, kept.attended) == (NOW, None)
    assert find_member(db_session, "ada+notes@example.org").email == "Ada+notes@Example.org"


def test_the_answer_to_the_question_is_kept_at_the_soonest_meeting_that_asks(db_session):
    asking = Meeting.slug.in_(["2027-01-19", "2027-02-16"])
    db_session.execute(update(Meeting).where(asking).values(prep_question="Who decided?"))

    register(
        db_session,
        [ALL_UPCOMING],
        replace(ADA, values={"prep_answer": "I did.", "prep_visibility": "group"}),
    )

    answers = {slug: registrations(db_session, slug)[0] for slug in SIX}
    assert {slug for slug, row in answers.items() if row.prep_answer} == {"2027-01-19"}
    assert answers["2027-01-19"].prep_visibility == "group"
    assert answers["2027-02-16"].prep_visibility == "hosts"


def test_an_answer_to_a_question_that_no_meeting_asks_is_not_kept(db_session):
    said = {"prep_answer": "I did.", "prep_visibility": "named"}
    register(db_session, "2026-12-15", replace(ADA, values=said))

    [kept] = registrations(db_session)

    assert (kept.prep_answer, kept.prep_visibility) == ("", "hosts")


def test_registering_changes_the_revision_of_the_meetings_chosen_and_no_other(db_session):
    before = dict(db_session.execute(select(Meeting.slug, Meeting.lock_version)).all())

    register(db_session, "2027-01-19", MALLORY)

    after = dict(db_session.execute(select(Meeting.slug, Meeting.lock_version)).all())
    assert {slug for slug in after if after[slug] > before[slug]} == {"2027-01-19"}
