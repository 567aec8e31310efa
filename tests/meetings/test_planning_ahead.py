"""Planning ahead: each of the next dates of the recurrence rule becomes one meeting."""

from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import func, select

from cop.community.community import load_community
from cop.community.rhythm import Occurrence
from cop.db.engine import read_tx, write_tx
from cop.meetings import planning
from cop.models.meeting import Meeting, MeetingStatus
from tests.builders import NOW, a_meeting
from tests.concurrency import at_once

pytestmark = pytest.mark.both

SIX = ["2026-12-15", "2027-01-19", "2027-02-16", "2027-03-16", "2027-04-20", "2027-05-18"]
IN_A_MONTH = NOW + timedelta(days=30)  # December 15 is over by then


def slugs(db_session):
    return list(db_session.scalars(select(Meeting.slug).order_by(Meeting.starts_at, Meeting.id)))


def the_meeting(db_session, slug):
    return db_session.scalars(select(Meeting).where(Meeting.slug == slug)).one()


def test_a_new_community_has_its_next_six_third_tuesdays(db_session):
    first = the_meeting(db_session, "2026-12-15")

    assert slugs(db_session) == SIX
    assert (first.starts_at, first.ends_at) == (
        datetime(2026, 12, 15, 16, 30, tzinfo=UTC),
        datetime(2026, 12, 15, 18, 0, tzinfo=UTC),
    )
    assert (first.topic, first.occurrence_on, first.status) == (None, date(2026, 12, 15), "planned")


def test_a_month_later_one_more_date_is_planned_and_the_past_one_stays(db_session):
    new = planning.plan_ahead(db_session, now=IN_A_MONTH)

    assert new == ["2027-06-15"]
    assert slugs(db_session) == [*SIX, "2027-06-15"]


def test_the_revision_rises_when_a_date_is_added_and_only_then(db_session):
    before = load_community(db_session).revision

    planning.plan_ahead(db_session, now=NOW)
    unchanged = load_community(db_session).revision
    planning.plan_ahead(db_session, now=IN_A_MONTH)

    assert unchanged == before
    assert load_community(db_session).revision > before


def test_a_canceled_date_is_not_planned_again(db_session):
    the_meeting(db_session, "2027-01-19").status = MeetingStatus.CANCELLED

    assert planning.plan_ahead(db_session, now=NOW) == []
    assert slugs(db_session) == SIX


@pytest.mark.parametrize("days", [7, -7, 200], ids=["later", "earlier", "half a year later"])
def test_a_moved_date_is_not_planned_again(db_session, days):
    moved = the_meeting(db_session, "2027-01-19")
    moved.moved_from = date(2027, 1, 19)
    moved.starts_at += timedelta(days=days)
    moved.ends_at += timedelta(days=days)

    assert planning.plan_ahead(db_session, now=NOW) == []
    assert sorted(slugs(db_session)) == SIX


def test_past_dates_are_not_planned(db_session):
    much_later = datetime(2028, 1, 1, tzinfo=UTC)

    new = planning.plan_ahead(db_session, now=much_later)

    assert new[0] == "2028-01-18"
    assert len(new) == 6


def test_a_date_in_progress_counts_as_planned(db_session):
    in_progress = datetime(2026, 12, 15, 17, 0, tzinfo=UTC)

    assert planning.plan_ahead(db_session, now=in_progress) == []


def test_an_extra_meeting_does_not_replace_a_date_of_the_rule(db_session):
    a_meeting(db_session, starts_at=datetime(2027, 6, 15, 20, 0, tzinfo=UTC), slug="2027-06-15")

    new = planning.plan_ahead(db_session, now=IN_A_MONTH)

    assert new == ["2027-06-15-2"]


def test_a_day_with_several_meetings_numbers_them(db_session):
    later_that_day = Occurrence(
        date(2026, 12, 15),
        datetime(2026, 12, 15, 22, 0, tzinfo=UTC),
        datetime(2026, 12, 15, 23, 0, tzinfo=UTC),
    )

    second = planning.add_meeting(db_session, later_that_day, now=NOW, by_rule=False)
    third = planning.add_meeting(db_session, later_that_day, now=NOW, by_rule=False)

    assert (second.slug, third.slug) == ("2026-12-15-2", "2026-12-15-3")
    assert second.uid != third.uid
    assert second.occurrence_on is None


def test_planning_at_once_adds_each_date_once(app):
    def plan():
        with write_tx() as db_session:
            return planning.plan_ahead(db_session, now=NOW + timedelta(days=365))

    made = at_once(app, plan, plan, plan, plan)

    assert sorted(len(new) for new in made) == [0, 0, 0, 6]
    with read_tx() as db_session:
        per_date = select(func.count(Meeting.id)).group_by(Meeting.occurrence_on)
        assert set(db_session.scalars(per_date)) == {1}
