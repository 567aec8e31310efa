"""Reading the schedule: what is next, upcoming or past, and the availability of spots."""

from datetime import timedelta

import pytest
from sqlalchemy import delete

from cop.meetings import schedule
from cop.meetings.schedule import Availability, availability
from cop.models.meeting import Meeting, MeetingStatus
from tests.builders import ADA, GRACE, MALLORY, NOW, a_meeting, a_registration

pytestmark = pytest.mark.both

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
OFF = {"status": MeetingStatus.CANCELLED}


@pytest.fixture
def empty(db_session):
    """A schedule with nothing on it yet."""
    db_session.execute(delete(Meeting))
    return db_session


def slugs(meetings):
    return [meeting.slug for meeting in meetings]


@pytest.mark.sqlite
@pytest.mark.parametrize(
    ("capacity", "held", "waiting", "has_begun", "expected"),
    [
        (None, 500, 0, False, None),
        (20, 14, 0, False, Availability.PLENTY),
        (20, 15, 0, False, Availability.FEW),
        (20, 19, 0, False, Availability.FEW),
        (20, 20, 0, False, Availability.FULL),
        (20, 21, 0, False, Availability.FULL),
        (20, 0, 1, False, Availability.FULL),
        (20, 19, 1, True, Availability.FEW),
        (20, 0, 1, True, Availability.PLENTY),
        (20, 20, 1, True, Availability.FULL),
    ],
)
def test_availability_counts_free_spots_that_nobody_waits_for(
    capacity, held, waiting, has_begun, expected
):
    assert availability(capacity, held=held, waiting=waiting, has_begun=has_begun) is expected


def test_upcoming_meetings_come_soonest_first_and_past_ones_latest_first(empty):
    for slug, days in (("later", 9), ("sooner", 2), ("long-ago", -90), ("lately", -5)):
        a_meeting(empty, slug=slug, starts_at=NOW + days * DAY)

    listed = schedule.read(empty, now=NOW)

    assert slugs(listed.upcoming) == ["sooner", "later"]
    assert slugs(listed.past) == ["lately", "long-ago"]
    assert slugs(listed.with_slugs(["later", "unknown", "lately"])) == ["lately", "later"]
    assert listed.find("lately").slug == "lately"
    assert listed.find("unknown") is None


@pytest.mark.parametrize(
    ("starts_in", "has_begun", "is_over"),
    [(HOUR, False, False), (timedelta(), True, False), (-1.5 * HOUR, True, True)],
    ids=["an hour before", "at its start", "at its end"],
)
def test_a_meeting_can_be_chosen_until_its_end(empty, starts_in, has_begun, is_over):
    a_meeting(empty, slug="it", starts_at=NOW + starts_in)
    a_meeting(empty, slug="bystander", starts_at=NOW + 9 * DAY)

    it = schedule.read(empty, now=NOW).find("it")

    assert (it.has_begun, it.is_over) == (has_begun, is_over)
    assert it.can_be_chosen is it.is_open is not is_over


def test_a_canceled_meeting_stays_on_the_schedule_but_is_not_next(empty):
    a_meeting(empty, slug="off", starts_at=NOW + DAY, **OFF)
    a_meeting(empty, slug="on", starts_at=NOW + 2 * DAY)

    listed = schedule.read(empty, now=NOW)

    assert slugs(listed.upcoming) == ["off", "on"]
    assert listed.next.slug == "on"
    assert slugs(listed.after_next) == ["off"]
    assert slugs(listed.open) == ["on"]


def test_a_full_meeting_can_be_chosen_before_it_begins_and_not_afterwards(empty):
    for slug, starts_at in (("before", NOW + DAY), ("begun", NOW - HOUR)):
        meeting = a_meeting(empty, slug=slug, starts_at=starts_at, capacity=1)
        a_registration(empty, meeting, ADA.email)

    assert slugs(schedule.read(empty, now=NOW).open) == ["before"]


def test_only_open_meetings_ask_their_question(empty):
    question = {"prep_question": "Who decided?"}
    a_meeting(empty, slug="asks", starts_at=NOW + DAY, **question)
    a_meeting(empty, slug="silent", starts_at=NOW + 2 * DAY)
    a_meeting(empty, slug="empty", starts_at=NOW + 3 * DAY, prep_question="")
    a_meeting(empty, slug="over", starts_at=NOW - DAY, **question)
    a_meeting(empty, slug="off", starts_at=NOW + 4 * DAY, **OFF, **question)

    assert slugs(schedule.read(empty, now=NOW).with_prep_question) == ["asks"]


def test_places_are_counted_for_each_meeting_alone(empty):
    it = a_meeting(empty, slug="it", capacity=3)
    overfull = a_meeting(empty, slug="overfull", starts_at=NOW + DAY, capacity=1)
    a_meeting(empty, slug="unlimited", starts_at=NOW + DAY, capacity=None)
    for meeting, person, status in (
        (it, ADA, "held"),
        (it, GRACE, "waiting"),
        (it, MALLORY, "cancelled"),
        (overfull, ADA, "held"),
        (overfull, GRACE, "held"),
    ):
        a_registration(empty, meeting, person.email, status)

    listed = schedule.read(empty, now=NOW).all

    counts = {each.slug: (each.held, each.waiting, each.places_left) for each in listed}
    assert counts == {"it": (1, 1, 2), "overfull": (2, 0, 0), "unlimited": (0, 0, None)}
    assert {each.slug: each.availability for each in listed} == {
        "it": Availability.FULL,
        "overfull": Availability.FULL,
        "unlimited": None,
    }


def test_an_empty_schedule_has_nothing_next(empty):
    listed = schedule.read(empty, now=NOW)

    assert (listed.next, listed.upcoming, listed.past, listed.open) == (None, (), (), ())


def test_one_meeting_is_found_as_it_stands_on_the_schedule_or_not_at_all(db_session):
    it = a_meeting(db_session, slug="it", capacity=1, join_url="https://zoom.example.org/1")
    a_registration(db_session, it, ADA.email)
    a_registration(db_session, it, GRACE.email, "waiting")

    found = schedule.find(db_session, "it", now=NOW)

    assert found == schedule.read(db_session, now=NOW).find("it")
    assert (found.held, found.waiting, found.join_url) == (1, 1, it.join_url)
    for slug in ("1999-01-01", "", "2026-12-15\0", "%"):
        assert schedule.find(db_session, slug, now=NOW) is None
