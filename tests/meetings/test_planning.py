"""Changing the recurrence rule, and adding extra sessions."""

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta

import pytest
from sqlalchemy import select

from cop.community.community import load_community
from cop.db.engine import write_tx
from cop.errors import Refused
from cop.meetings import planning, schedule
from cop.models.meeting import Meeting, MeetingStatus
from tests.builders import NOW
from tests.concurrency import at_once

pytestmark = pytest.mark.both

SIX = ["2026-12-15", "2027-01-19", "2027-02-16", "2027-03-16", "2027-04-20", "2027-05-18"]
THURSDAYS = ["2026-12-03", "2027-01-07", "2027-02-04"]
FIRST_THURSDAY = "FREQ=MONTHLY;BYDAY=1TH"
IN_JUNE = datetime(2027, 6, 15, 15, 30, tzinfo=UTC)  # a third Tuesday that is not planned yet
AN_HOUR = timedelta(hours=1)


def wanted(db_session, **values):
    usual = {
        "recurrence_rule": FIRST_THURSDAY,
        "start_time": time(12, 0),
        "duration_minutes": 60,
        "time_zone": "America/Chicago",
        "planned_ahead": 3,
        "observances": ["2027-01-07 A day of ours"],
    }
    return replace(load_community(db_session), **(usual | values))


def change(db_session, **values):
    return planning.change_recurrence(db_session, wanted(db_session, **values), now=NOW)


def slugs(db_session):
    return list(db_session.scalars(select(Meeting.slug).order_by(Meeting.starts_at, Meeting.id)))


def add(db_session, starts_at=IN_JUNE, *, length=AN_HOUR, topic="Who counts?"):
    return planning.add_session(
        db_session, starts_at=starts_at, ends_at=starts_at + length, topic=topic, now=NOW
    )


def test_a_new_recurrence_rule_adds_its_dates_and_keeps_planned_sessions(db_session):
    added = change(db_session)

    facts = load_community(db_session)
    first = db_session.scalars(select(Meeting).where(Meeting.slug == THURSDAYS[0])).one()
    assert added == THURSDAYS
    assert slugs(db_session) == sorted([*SIX, *THURSDAYS])
    assert (first.starts_at, first.ends_at) == (
        datetime(2026, 12, 3, 18, 0, tzinfo=UTC),
        datetime(2026, 12, 3, 19, 0, tzinfo=UTC),
    )
    assert (facts.recurrence_rule, facts.start_time, facts.duration_minutes) == (
        FIRST_THURSDAY,
        time(12, 0),
        60,
    )
    assert (facts.time_zone, facts.planned_ahead) == ("America/Chicago", 3)
    assert facts.observances == ["2027-01-07 A day of ours"]


def test_the_preview_of_a_plan_matches_what_saving_does(db_session):
    db_session.scalars(select(Meeting).where(Meeting.slug == SIX[0])).one().status = "cancelled"
    before = wanted(db_session)

    plan = planning.plan(db_session, before, now=NOW)

    assert [occurrence.on.isoformat() for occurrence in plan.dates] == THURSDAYS
    assert (len(plan.added), plan.unchanged_count) == (3, 5)
    assert change(db_session) == [day.isoformat() for day in sorted(plan.added)]
    assert planning.plan(db_session, before, now=NOW).added == frozenset()


def test_the_revision_rises_even_if_no_date_is_added(db_session):
    before = load_community(db_session).revision

    added = change(db_session, recurrence_rule="FREQ=MONTHLY;BYDAY=3TU")

    assert added == []
    assert load_community(db_session).revision == before + 1


def test_more_dates_ahead_are_planned_at_once(db_session):
    added = change(db_session, recurrence_rule="FREQ=MONTHLY;BYDAY=3TU", planned_ahead=8)

    assert added == ["2027-06-15", "2027-07-20"]


@pytest.mark.parametrize(
    ("values", "refusal"),
    [
        ({"time_zone": ""}, "Choose a time zone"),
        ({"time_zone": "../../etc/passwd"}, "Choose a time zone"),
        ({"time_zone": "Etc/GMT+5"}, "Choose a time zone"),
        ({"duration_minutes": 0}, "end is before the start"),
        ({"duration_minutes": -1}, "end is before the start"),
        ({"planned_ahead": 0}, "Plan 1 to 24 dates"),
        ({"planned_ahead": 25}, "Plan 1 to 24 dates"),
        ({"recurrence_rule": "FREQ=WEEKLY;INTERVAL=2;BYDAY=TH"}, "weeks are counted from there"),
        (
            {"recurrence_rule": "FREQ=WEEKLY;INTERVAL=2;BYDAY=TH", "recurrence_from": date(2026, 12, 1)},
            "weeks are counted from there",
        ),
        (
            {"recurrence_rule": "FREQ=WEEKLY;INTERVAL=2;BYDAY=TH", "recurrence_from": date(1000, 1, 2)},
            "weeks are counted from there",
        ),
        ({"recurrence_rule": "FREQ=MONTHLY;BYDAY=1TH;BYMONTH="}, "never be a session"),
        ({"recurrence_rule": "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30;UNTIL=20300101"}, "never be a session"),
    ],
    ids=["no zone", "hostile zone", "a zone without a place", "no time at all", "backwards",
         "none ahead", "too many ahead", "uncounted", "another weekday", "long ago", "no month",
         "never"],
)  # fmt: skip
def test_an_invalid_recurrence_rule_is_refused(db_session, values, refusal):
    before = load_community(db_session)

    with pytest.raises(Refused, match=refusal):
        change(db_session, **values)

    assert load_community(db_session) == before
    assert slugs(db_session) == SIX


def test_every_second_week_is_counted_from_its_date(db_session):
    added = change(
        db_session,
        recurrence_rule="FREQ=WEEKLY;INTERVAL=2;BYDAY=TH",
        recurrence_from=date(2026, 12, 10),
    )

    assert added == ["2026-12-10", "2026-12-24", "2027-01-07"]
    assert load_community(db_session).recurrence_from == date(2026, 12, 10)


def test_an_extra_session_takes_no_date_of_the_rule(db_session):
    before = load_community(db_session).revision

    meeting = add(db_session, datetime(2026, 12, 9, 17, tzinfo=UTC))

    assert (meeting.slug, meeting.topic, meeting.occurrence_on) == (
        "2026-12-09",
        "Who counts?",
        None,
    )
    assert meeting.status == MeetingStatus.PLANNED
    assert load_community(db_session).revision == before + 1
    assert planning.plan_ahead(db_session, now=NOW) == []


def test_a_session_added_on_a_date_of_the_rule_takes_that_date(db_session):
    meeting = add(db_session)

    later = planning.plan_ahead(db_session, now=NOW + timedelta(days=60))

    assert meeting.occurrence_on == date(2027, 6, 15)
    assert "2027-06-15-2" not in later
    assert len(later) == 1


def test_a_second_session_on_a_planned_date_is_an_extra_one(db_session):
    meeting = add(db_session, datetime(2026, 12, 15, 20, tzinfo=UTC))

    assert (meeting.slug, meeting.occurrence_on) == ("2026-12-15-2", None)


def test_the_slug_is_the_date_in_the_community_s_zone(db_session):
    meeting = add(db_session, datetime(2026, 12, 10, 2, tzinfo=UTC))

    assert meeting.slug == "2026-12-09"


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

    found = at_once(app, send, send)

    assert sorted(found) == ["2027-06-15", "refused"]


@pytest.mark.parametrize(
    ("starts_at", "length", "refusal"),
    [
        (IN_JUNE, timedelta(0), "end is before the start"),
        (IN_JUNE, -AN_HOUR, "end is before the start"),
        (datetime(2000, 12, 31, 12, tzinfo=UTC), AN_HOUR, "date of this century"),
    ],
    ids=["no time at all", "backwards", "last century"],
)
def test_an_invalid_time_is_refused(db_session, starts_at, length, refusal):
    with pytest.raises(Refused, match=refusal):
        add(db_session, starts_at, length=length)

    assert slugs(db_session) == SIX
