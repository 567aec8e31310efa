"""Reading the schedule: what is next, upcoming or past, and the availability of spots."""

from datetime import timedelta

import pytest
from sqlalchemy import delete

from cop.meetings import schedule
from cop.meetings.schedule import Availability, availability
from cop.models.meeting import Meeting, MeetingStatus
from tests.builders import NOW, a_meeting, a_registration

pytestmark = pytest.mark.both

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)


@pytest.fixture
def empty(db_session):
    """A schedule with nothing on it yet."""
    db_session.execute(delete(Meeting))
    return db_session


def slugs(meetings):
    return [meeting.slug for meeting in meetings]


@pytest.mark.parametrize(
    ("capacity", "held", "waiting", "has_begun", "expected"),
    [
        (None, 0, 0, False, None),
        (None, 500, 0, True, None),
        (20, 0, 0, False, Availability.PLENTY),
        (20, 14, 0, False, Availability.PLENTY),
        (20, 15, 0, False, Availability.FEW),
        (20, 19, 0, False, Availability.FEW),
        (20, 20, 0, False, Availability.FULL),
        (20, 21, 0, False, Availability.FULL),
        (20, 19, 1, False, Availability.FULL),
        (20, 0, 1, False, Availability.FULL),
        (20, 19, 1, True, Availability.FEW),
        (20, 0, 1, True, Availability.PLENTY),
        (20, 20, 1, True, Availability.FULL),
        (1, 0, 0, False, Availability.FEW),
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


@pytest.mark.parametrize(
    ("starts_in", "has_begun", "is_over"),
    [
        (HOUR, False, False),
        (timedelta(), True, False),
        (-HOUR, True, False),
        (-1.5 * HOUR, True, True),
    ],
    ids=["an hour before", "at its start", "in progress", "at its end"],
)
def test_a_meeting_can_be_chosen_until_its_end(empty, starts_in, has_begun, is_over):
    a_meeting(empty, slug="it", starts_at=NOW + starts_in)
    a_meeting(empty, slug="bystander", starts_at=NOW + 9 * DAY)

    it = schedule.read(empty, now=NOW).find("it")

    assert (it.has_begun, it.is_over) == (has_begun, is_over)
    assert it.can_be_chosen is it.is_open is not is_over


def test_a_cancelled_meeting_stays_on_the_schedule_but_is_not_next(empty):
    a_meeting(empty, slug="off", starts_at=NOW + DAY, status=MeetingStatus.CANCELLED)
    a_meeting(empty, slug="on", starts_at=NOW + 2 * DAY)

    listed = schedule.read(empty, now=NOW)

    assert slugs(listed.upcoming) == ["off", "on"]
    assert listed.next.slug == "on"
    assert slugs(listed.after_next) == ["off"]
    assert slugs(listed.open) == ["on"]


def test_a_full_meeting_can_be_chosen_before_it_begins_and_not_afterwards(empty):
    for slug, starts_at in (("before", NOW + DAY), ("begun", NOW - HOUR)):
        meeting = a_meeting(empty, slug=slug, starts_at=starts_at, capacity=1)
        a_registration(empty, meeting, "ada@example.org")

    listed = schedule.read(empty, now=NOW)

    assert listed.find("before").can_be_chosen
    assert not listed.find("begun").can_be_chosen
    assert slugs(listed.open) == ["before"]


def test_only_open_meetings_ask_their_question(empty):
    a_meeting(empty, slug="asks", starts_at=NOW + DAY, prep_question="Who decided?")
    a_meeting(empty, slug="silent", starts_at=NOW + 2 * DAY)
    a_meeting(empty, slug="empty", starts_at=NOW + 3 * DAY, prep_question="")
    a_meeting(empty, slug="over", starts_at=NOW - DAY, prep_question="Who decided?")
    off = {"status": MeetingStatus.CANCELLED, "prep_question": "Who decided?"}
    a_meeting(empty, slug="off", starts_at=NOW + 4 * DAY, **off)

    listed = schedule.read(empty, now=NOW)

    assert slugs(listed.with_prep_question) == ["asks"]


def test_places_taken_are_counted_for_each_meeting_alone(empty):
    it = a_meeting(empty, slug="it", capacity=3)
    other = a_meeting(empty, slug="other", starts_at=NOW + DAY, capacity=9)
    for meeting, email, status in (
        (it, "ada@example.org", "held"),
        (it, "grace@example.org", "waiting"),
        (it, "mallory@example.org", "cancelled"),
        (other, "ada@example.org", "held"),
        (other, "grace@example.org", "held"),
    ):
        a_registration(empty, meeting, email, status)

    found = schedule.read(empty, now=NOW).find("it")

    assert (found.held, found.waiting, found.places_left) == (1, 1, 2)
    assert found.availability is Availability.FULL


@pytest.mark.parametrize(
    ("capacity", "held", "left"),
    [(None, 2, None), (5, 2, 3), (2, 2, 0), (1, 2, 0)],
    ids=["no limit", "some", "none", "more came than there are places"],
)
def test_coordinators_see_the_exact_number_of_free_spots(empty, capacity, held, left):
    it = a_meeting(empty, slug="it", capacity=capacity)
    for number in range(held):
        a_registration(empty, it, f"{number}@example.org")

    assert schedule.read(empty, now=NOW).find("it").places_left == left


def test_an_empty_schedule_has_nothing_next(empty):
    listed = schedule.read(empty, now=NOW)

    assert (listed.next, listed.upcoming, listed.past, listed.open) == (None, (), (), ())
    assert listed.find("2026-12-15") is None


def test_meetings_are_found_by_slug_soonest_first_and_unknown_slugs_left_out(empty):
    for slug, days in (("later", 9), ("sooner", 2), ("past", -5), ("bystander", 4)):
        a_meeting(empty, slug=slug, starts_at=NOW + days * DAY)

    listed = schedule.read(empty, now=NOW)

    assert slugs(listed.with_slugs(["later", "unknown", "sooner", "past"])) == [
        "past",
        "sooner",
        "later",
    ]
    assert listed.find("past").slug == "past"
    assert listed.find("unknown") is None


@pytest.mark.parametrize("slug", ["1999-01-01", "", "2026-12-15\0", "%"])
def test_one_meeting_is_found_as_it_stands_on_the_schedule_or_not_at_all(db_session, slug):
    it = a_meeting(db_session, slug="it", capacity=1, join_url="https://zoom.example.org/1")
    a_registration(db_session, it, "ada@example.org")
    a_registration(db_session, it, "grace@example.org", "waiting")

    found = schedule.find(db_session, "it", now=NOW)

    assert found == schedule.read(db_session, now=NOW).find("it")
    assert (found.held, found.waiting, found.join_url) == (1, 1, it.join_url)
    assert schedule.find(db_session, slug, now=NOW) is None
