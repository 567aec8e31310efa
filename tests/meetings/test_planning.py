"""Planning ahead, changing the recurrence rule, and adding extra sessions."""

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta

import pytest
from sqlalchemy import func, select

from cop.community.community import load_community
from cop.db.engine import read_tx, write_tx
from cop.errors import Refused
from cop.meetings import planning, schedule
from cop.models.meeting import Meeting, MeetingStatus
from tests.builders import NOW, a_meeting
from tests.client import ALL_SIX, DECEMBER, JANUARY
from tests.concurrency import at_once

pytestmark = pytest.mark.both

THURSDAYS = ["2026-12-03", "2027-01-07", "2027-02-04"]
FIRST_THURSDAY, THIRD_TUESDAY = "FREQ=MONTHLY;BYDAY=1TH", "FREQ=MONTHLY;BYDAY=3TU"
EVERY_OTHER_THURSDAY = "FREQ=WEEKLY;INTERVAL=2;BYDAY=TH"
IN_JUNE = datetime(2027, 6, 15, 15, 30, tzinfo=UTC)  # a third Tuesday that is not planned yet
AN_HOUR = timedelta(hours=1)
IN_A_MONTH = NOW + timedelta(days=30)  # December 15 is over by then


def wanted(db_session, **values):
    usual = {
        "recurrence_rule": FIRST_THURSDAY,
        "start_time": time(12, 0),
        "duration_minutes": 60,
        "time_zone": "America/Chicago",
        "planned_ahead": 3,
        "observances": ["2027-01-07 Founding day"],
    }
    return replace(load_community(db_session), **(usual | values))


def change(db_session, **values):
    return planning.change_recurrence(db_session, wanted(db_session, **values), now=NOW)


def find(db_session, slug):
    return db_session.scalars(select(Meeting).where(Meeting.slug == slug)).one()


def slugs(db_session):
    return list(db_session.scalars(select(Meeting.slug).order_by(Meeting.starts_at, Meeting.id)))


def add(db_session, starts_at=IN_JUNE, *, length=AN_HOUR, topic="Who counts?"):
    return planning.add_session(
        db_session, starts_at=starts_at, ends_at=starts_at + length, topic=topic, now=NOW
    )


def test_a_new_community_has_its_next_six_third_tuesdays(db_session):
    first = find(db_session, DECEMBER)

    assert slugs(db_session) == ALL_SIX
    assert (first.starts_at, first.ends_at) == (
        datetime(2026, 12, 15, 16, 30, tzinfo=UTC),
        datetime(2026, 12, 15, 18, 0, tzinfo=UTC),
    )
    assert (first.topic, first.occurrence_on, first.status) == (None, date(2026, 12, 15), "planned")


def test_a_month_later_one_more_date_is_planned_and_the_revision_rises(db_session):
    before = load_community(db_session).revision

    at_first = planning.plan_ahead(db_session, now=NOW)
    unchanged = load_community(db_session).revision
    in_progress = planning.plan_ahead(db_session, now=datetime(2026, 12, 15, 17, tzinfo=UTC))
    new = planning.plan_ahead(db_session, now=IN_A_MONTH)

    assert (at_first, in_progress, new) == ([], [], ["2027-06-15"])
    assert slugs(db_session) == [*ALL_SIX, "2027-06-15"]
    assert unchanged == before
    assert load_community(db_session).revision > before


def test_a_canceled_or_moved_date_is_not_planned_again(db_session):
    find(db_session, "2027-02-16").status = MeetingStatus.CANCELLED
    moved = find(db_session, JANUARY)
    moved.moved_from = date(2027, 1, 19)

    for days in (7, -14, 200):
        moved.starts_at += timedelta(days=days)
        moved.ends_at += timedelta(days=days)

        assert planning.plan_ahead(db_session, now=NOW) == []
        assert sorted(slugs(db_session)) == ALL_SIX


def test_past_dates_are_not_planned(db_session):
    new = planning.plan_ahead(db_session, now=datetime(2028, 1, 1, tzinfo=UTC))

    assert new[0] == "2028-01-18"
    assert len(new) == 6


def test_an_extra_meeting_does_not_replace_a_date_of_the_rule(db_session):
    a_meeting(db_session, starts_at=IN_JUNE + timedelta(hours=4), slug="2027-06-15")

    assert planning.plan_ahead(db_session, now=IN_A_MONTH) == ["2027-06-15-2"]


def test_planning_at_once_adds_each_date_once(app):
    def plan():
        with write_tx() as db_session:
            return planning.plan_ahead(db_session, now=NOW + timedelta(days=365))

    added = at_once(app, plan, plan, plan, plan)

    assert sorted(len(new) for new in added) == [0, 0, 0, 6]
    with read_tx() as db_session:
        per_date = select(func.count(Meeting.id)).group_by(Meeting.occurrence_on)
        assert set(db_session.scalars(per_date)) == {1}


def test_a_new_recurrence_rule_adds_its_dates_and_keeps_planned_sessions(db_session):
    expected = wanted(db_session)

    added = change(db_session)

    first = find(db_session, THURSDAYS[0])
    assert added == THURSDAYS
    assert slugs(db_session) == sorted([*ALL_SIX, *THURSDAYS])
    assert (first.starts_at, first.ends_at) == (
        datetime(2026, 12, 3, 18, 0, tzinfo=UTC),
        datetime(2026, 12, 3, 19, 0, tzinfo=UTC),
    )
    stored = load_community(db_session)
    assert stored == replace(expected, revision=stored.revision)


def test_the_preview_of_a_plan_matches_what_saving_does(db_session):
    find(db_session, DECEMBER).status = MeetingStatus.CANCELLED
    before = wanted(db_session)

    plan = planning.plan(db_session, before, now=NOW)

    assert [occurrence.on.isoformat() for occurrence in plan.dates] == THURSDAYS
    assert (len(plan.added), plan.unchanged_count) == (3, 5)
    assert change(db_session) == [day.isoformat() for day in sorted(plan.added)]
    assert planning.plan(db_session, before, now=NOW).added == frozenset()


def test_the_revision_rises_even_if_no_date_is_added(db_session):
    before = load_community(db_session).revision

    added = change(db_session, recurrence_rule=THIRD_TUESDAY)

    assert added == []
    assert load_community(db_session).revision == before + 1


def test_more_dates_ahead_are_planned_at_once(db_session):
    added = change(db_session, recurrence_rule=THIRD_TUESDAY, planned_ahead=8)

    assert added == ["2027-06-15", "2027-07-20"]


UNCOUNTED = {"recurrence_rule": EVERY_OTHER_THURSDAY}


@pytest.mark.parametrize(
    ("values", "refusal"),
    [
        ({"time_zone": "../../etc/passwd"}, "Choose a time zone"),
        ({"time_zone": "Etc/GMT+5"}, "Choose a time zone"),
        ({"duration_minutes": 0}, "end must be after the start"),
        ({"planned_ahead": 0}, "Plan 1 to 24 sessions"),
        ({"planned_ahead": 25}, "Plan 1 to 24 sessions"),
        (UNCOUNTED, "count the weeks from there"),
        (UNCOUNTED | {"recurrence_from": date(2026, 12, 1)}, "count the weeks from there"),
        (UNCOUNTED | {"recurrence_from": date(1000, 1, 2)}, "count the weeks from there"),
        ({"recurrence_rule": f"{FIRST_THURSDAY};BYMONTH="}, "leaves no sessions"),
        ({"recurrence_rule": "FREQ=DAILY;UNTIL=20200101"}, "leaves no sessions"),
    ],
)
def test_an_invalid_recurrence_rule_is_refused(db_session, values, refusal):
    before = load_community(db_session)

    with pytest.raises(Refused, match=refusal):
        change(db_session, **values)

    assert load_community(db_session) == before
    assert slugs(db_session) == ALL_SIX


def test_every_second_week_is_counted_from_its_date(db_session):
    start = date(2026, 12, 10)

    added = change(db_session, recurrence_rule=EVERY_OTHER_THURSDAY, recurrence_from=start)

    assert added == ["2026-12-10", "2026-12-24", "2027-01-07"]
    assert load_community(db_session).recurrence_from == start


def test_an_extra_session_takes_no_date_of_the_rule(db_session):
    before = load_community(db_session).revision

    meeting = add(db_session, datetime(2026, 12, 10, 2, tzinfo=UTC))  # the 9th, by the zone

    assert (meeting.slug, meeting.topic) == ("2026-12-09", "Who counts?")
    assert (meeting.occurrence_on, meeting.status) == (None, MeetingStatus.PLANNED)
    assert load_community(db_session).revision == before + 1
    assert planning.plan_ahead(db_session, now=NOW) == []


def test_a_session_added_on_a_date_of_the_rule_takes_that_date(db_session):
    meeting = add(db_session)

    later = planning.plan_ahead(db_session, now=NOW + timedelta(days=60))

    assert meeting.occurrence_on == date(2027, 6, 15)
    assert later == ["2027-07-20"]


def test_further_sessions_on_a_planned_date_are_extra_ones_with_numbers(db_session):
    starts_at = datetime(2026, 12, 15, 20, tzinfo=UTC)

    second, third = (add(db_session, starts_at, topic=topic) for topic in ("One", "Another"))

    assert (second.slug, third.slug) == ("2026-12-15-2", "2026-12-15-3")
    assert second.uid != third.uid
    assert second.occurrence_on is third.occurrence_on is None


def test_a_past_session_can_be_added_for_the_archive(db_session):
    meeting = add(db_session, datetime(2021, 6, 15, 15, 30, tzinfo=UTC))

    assert schedule.read(db_session, now=NOW).past[-1].slug == meeting.slug == "2021-06-15"


@pytest.mark.parametrize("topic", ["Who counts?", ""], ids=["a topic", "none"])
def test_adding_a_session_twice_is_refused(db_session, topic):
    add(db_session, topic=topic)

    with pytest.raises(Refused, match="this time with this topic"):
        add(db_session, topic=topic)

    assert len(slugs(db_session)) == 7
    assert add(db_session, topic="Another").slug == "2027-06-15-2"


def test_adding_a_session_twice_at_once_adds_one(app):
    def send():
        try:
            with write_tx() as db_session:
                return add(db_session).slug
        except Refused:
            return "refused"

    assert sorted(at_once(app, send, send)) == ["2027-06-15", "refused"]


@pytest.mark.parametrize(
    ("starts_at", "length", "refusal"),
    [
        (IN_JUNE, timedelta(0), "end must be after the start"),
        (datetime(2000, 12, 31, 12, tzinfo=UTC), AN_HOUR, "from 2001 or later"),
    ],
)
def test_an_invalid_time_is_refused(db_session, starts_at, length, refusal):
    with pytest.raises(Refused, match=refusal):
        add(db_session, starts_at, length=length)

    assert slugs(db_session) == ALL_SIX
