"""The first data of a new installation, and the demonstration data of `cop seed --demo`."""

from collections import Counter
from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import create_engine, func, select

from cop.community.community import load_community
from cop.db.engine import DatabaseSession
from cop.db.types import Base
from cop.errors import Refused
from cop.meetings import planning, schedule
from cop.models.meeting import Meeting
from cop.models.registration import Member, Registration
from cop.operations import seed
from cop.privacy import deletion
from tests.builders import ADA, NOW, a_meeting, a_registration, register

pytestmark = pytest.mark.both

PUBLISHED = [
    date(2020, 6, 10),
    date(2021, 1, 20),
    date(2021, 6, 15),
    date(2021, 9, 21),
    date(2021, 11, 16),
    date(2022, 6, 21),
    date(2022, 10, 18),
]


@pytest.fixture(scope="module")
def in_memory():
    engine = create_engine("sqlite://")
    Base.metadata.create_all(engine)
    yield engine
    engine.dispose()


@pytest.fixture
def demo(db_session):
    """The demonstration data as of now."""
    seed.add_demo(db_session, now=NOW)
    return db_session


def rows(db_session):
    """Every row that the demonstration data could add or change."""
    tables = [t for t in Base.metadata.sorted_tables if "id" in t.c]
    return {t.name: db_session.execute(select(t).order_by(t.c.id)).all() for t in tables}


def on_their_days(db_session):
    facts = load_community(db_session)
    meetings = db_session.scalars(select(Meeting).order_by(Meeting.starts_at))
    return {m.starts_at.astimezone(facts.zone_info).date(): m for m in meetings}


def test_a_start_creates_the_community_that_this_was_written_for(db_session):
    facts = load_community(db_session)

    names = (facts.name, facts.slug, facts.host_name)
    times = (facts.recurrence_rule, str(facts.start_time), facts.duration_minutes)
    assert names == (
        "Equity in Data Community of Practice",
        "equity-in-data",
        "CTData Collaborative",
    )
    assert times == ("FREQ=MONTHLY;BYDAY=3TU", "11:30:00", 90)
    assert facts.time_zone == "America/New_York"
    assert (facts.contact_name, facts.contact_email) == ("Sarah Eisele-Dyrli", None)


def test_another_start_changes_nothing(db_session):
    before = rows(db_session)

    new = seed.create_site(db_session, now=NOW)

    assert new == []
    assert rows(db_session) == before


def test_thirty_four_people_hold_places_wait_and_have_cancelled(demo):
    members = demo.scalars(select(Member)).all()
    rows = demo.execute(select(Registration, Meeting.starts_at).join(Meeting)).all()

    assert len(members) == 34
    assert all(member.email.endswith("@example.org") for member in members)
    assert {member.id for member in members} == {row.Registration.member_id for row in rows}
    number = Counter(row.Registration.status for row in rows)
    assert number["held"] > number["waiting"] >= 2
    assert number["cancelled"] >= 2
    assert 18 <= sum(row.Registration.attended is True for row in rows) <= 22
    assert all(row.Registration.registered_at < min(NOW, row.starts_at) for row in rows)


def test_past_sessions_are_those_that_were_published_with_counts_alone(demo):
    past = [meeting for day, meeting in on_their_days(demo).items() if day in PUBLISHED]

    assert len(past) == len(PUBLISHED)
    for meeting in past:
        assert meeting.topic
        assert meeting.registered_count > meeting.attended_count > 0
    assert not demo.scalars(
        select(Registration).where(Registration.meeting_id.in_([m.id for m in past]))
    ).all()


def test_the_next_two_sessions_have_all_that_a_session_can_have(demo):
    first, second, third, *_ = schedule.read(demo, now=NOW).upcoming

    for meeting in (first, second):
        assert all([meeting.topic, meeting.summary, meeting.guests, meeting.prep_question])
        assert all([meeting.reading_title, meeting.reading_url, meeting.capacity])
        assert 0 < meeting.reading_minutes <= 30
    assert (first.is_full, second.is_full, second.waiting > 0) == (False, True, True)
    assert third.topic is None


def test_adding_it_twice_changes_nothing(demo):
    before = rows(demo)

    added = seed.add_demo(demo, now=NOW + timedelta(hours=1))

    assert added is False
    assert rows(demo) == before


def test_it_is_refused_beside_real_registrations_and_then_adds_nothing(db_session):
    a_registration(db_session, a_meeting(db_session), "ada@example.net")
    before = rows(db_session)

    with pytest.raises(Refused, match="real registrations"):
        seed.add_demo(db_session, now=NOW)

    assert rows(db_session) == before


def test_it_is_refused_once_a_real_person_has_registered_in_it(demo):
    register(demo, "2026-12-15", ADA.__class__("Ada", "ada@ctdata.org"))

    with pytest.raises(Refused, match="real registrations"):
        seed.add_demo(demo, now=NOW)

    assert demo.scalar(select(func.count()).select_from(Member)) == 35


def test_it_can_be_added_to_a_site_that_has_run_for_months(db_session):
    later = NOW + timedelta(days=100)  # the session of February 16 was planned ahead, and is over
    planning.plan_ahead(db_session, now=later)

    assert seed.add_demo(db_session, now=later)

    days = [day for day in on_their_days(db_session) if day.month == 2]
    assert days == [date(2027, 2, 16)]


@pytest.mark.parametrize(
    "now",
    [datetime(2026, 11, 22, hour=n % 24, tzinfo=UTC) + timedelta(days=n) for n in range(0, 60, 4)]
    + [datetime(2027, 3, 16, 15, 30, tzinfo=UTC), datetime(2027, 3, 16, 17, 0, tzinfo=UTC)],
    ids=lambda now: f"{now:%m-%d %H:%M}",
)
def test_whatever_the_day_registrations_go_to_one_recent_session_and_the_next_two(in_memory, now):
    with DatabaseSession(in_memory) as db_session, db_session.begin() as transaction:
        assert seed.add_demo(db_session, now=now)
        erased = deletion.run(db_session, now=now)
        query = select(Meeting).join(Registration).order_by(Meeting.starts_at)
        spans = Counter((m.starts_at, m.ends_at) for m in db_session.scalars(query))
        soonest = [m.starts_at for m in schedule.read(db_session, now=now).upcoming]
        transaction.rollback()

    recent, first, second = sorted(spans)
    assert now - timedelta(days=30) < recent[1] <= now
    assert [first[0], second[0]] == [start for start in soonest if start > now][:2]
    assert (erased.registrations, erased.members) == (0, 0)
