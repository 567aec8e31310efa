"""The numbers of sessions: counted while the names are there, and the same once they are gone."""

from datetime import date, timedelta

import pytest

from cop.models.meeting import MeetingStatus
from cop.models.registration import Registration
from cop.privacy import retention
from cop.statistics import statistics
from cop.statistics.statistics import HATS
from cop.statistics.suppression import BASE, CHOICE_BANDS, NEARLY_ALL_SUPPRESSED, SUPPRESSED
from tests.builders import EASTERN, NOW, a_meeting, a_registration, member

pytestmark = pytest.mark.both

SIXTY_DAYS = timedelta(days=60)


def an_old_meeting(db_session, ended=SIXTY_DAYS, **values):
    """A meeting that ended some time ago."""
    starts_at = NOW - ended - timedelta(minutes=90)
    return a_meeting(db_session, starts_at=starts_at, **values)


def came(db_session, meeting, name, first=None, **values):
    """Somebody who came, and whose first day is known."""
    a_registration(db_session, meeting, f"{name}@example.org", attended=True, **values)
    member(db_session, f"{name}@example.org").first_attended_on = first
    db_session.flush()


def local(meeting):
    return meeting.starts_at.astimezone(EASTERN).date()


def read(db_session, now=NOW):
    return statistics.session_stats(db_session, zone=EASTERN, now=now)


def lively(db_session):
    """A session with somebody of each kind, beside another one."""
    meeting = an_old_meeting(db_session, slug="lively")
    other = an_old_meeting(db_session, timedelta(days=3), slug="other")
    came(db_session, meeting, "ada", local(meeting), hats=["analyst"])
    came(db_session, meeting, "grace", date(2026, 1, 20), promoted_at=NOW - SIXTY_DAYS)
    a_registration(db_session, meeting, "absent@example.org", attended=False)
    a_registration(db_session, meeting, "katherine@example.org", "waiting")
    a_registration(db_session, meeting, "mallory@example.org", "cancelled", promoted_at=NOW)
    for number in range(12):
        hats = ["analyst"] + ["evaluator"] * (number < 5)
        a_registration(db_session, meeting, f"{number}@example.org", attended=False, hats=hats)
    came(db_session, other, "bystander", local(other))
    return meeting


def test_who_came_is_new_on_their_first_day_and_returns_after_it(db_session):
    lively(db_session)

    line = read(db_session)[1]

    assert (line.registered, line.attended, line.promoted) == (16, 2, 1)
    assert (line.new, line.returning) == (1, 1)


def test_numbers_are_the_same_before_and_after_the_names_go(db_session):
    meeting = lively(db_session)
    before = read(db_session)[1]
    worn = statistics.hat_counts(db_session, [meeting.id])[meeting.id]

    retention.run(db_session, now=NOW)

    db_session.expire_all()
    after = read(db_session)[1]
    shown = ("registered", "attended", "new", "returning", "promoted")
    assert (before.is_kept, after.is_kept) == (False, True)
    assert [getattr(after, name) for name in shown] == [getattr(before, name) for name in shown]
    assert after.hat_counts == worn
    assert db_session.query(Registration).filter_by(meeting_id=meeting.id).count() == 0


def test_what_is_left_of_the_hats_is_in_bands(db_session):
    meeting = lively(db_session)

    retention.run(db_session, now=NOW)

    db_session.refresh(meeting)
    left = meeting.hat_counts
    assert (left[CHOICE_BANDS], left[BASE]) == ("16", "13")
    assert (left["analyst"], left["evaluator"]) == (NEARLY_ALL_SUPPRESSED, SUPPRESSED)
    assert set(left) == {CHOICE_BANDS, BASE, *HATS}


def test_a_second_run_leaves_the_numbers_as_they_are(db_session):
    lively(db_session)
    retention.run(db_session, now=NOW)
    db_session.expire_all()
    first = read(db_session)

    second = retention.run(db_session, now=NOW)

    db_session.expire_all()
    assert read(db_session) == first
    assert second.registrations == 0


def test_where_nobody_s_first_day_is_known_it_is_not_said_that_nobody_was_new(db_session):
    meeting = an_old_meeting(db_session)
    came(db_session, meeting, "ada")

    [live] = read(db_session)
    retention.run(db_session, now=NOW)
    db_session.expire_all()
    [kept] = read(db_session)

    assert (live.attended, live.new, live.returning) == (1, None, None)
    assert (kept.attended, kept.new, kept.returning) == (1, None, None)


def test_an_evening_session_is_on_the_community_s_day(db_session):
    evening = NOW.replace(hour=1) - timedelta(days=1)  # the day before, in Connecticut
    meeting = a_meeting(db_session, starts_at=evening)
    came(db_session, meeting, "ada", evening.date() - timedelta(days=1))

    [line] = read(db_session)

    assert (line.new, line.returning) == (1, 0)


def test_only_sessions_that_took_place_have_numbers(db_session):
    an_old_meeting(db_session, slug="held")
    an_old_meeting(db_session, slug="cancelled", status=MeetingStatus.CANCELLED)

    slugs = [line.slug for line in read(db_session)]

    assert slugs == ["held"]


def test_a_year_adds_up_what_is_known(db_session):
    an_old_meeting(db_session, slug="b", registered_count=30, attended_count=20, new_count=4)
    an_old_meeting(db_session, 2 * SIXTY_DAYS, slug="a", registered_count=10)
    an_old_meeting(db_session, 8 * SIXTY_DAYS, slug="older", registered_count=7)

    years = statistics.yearly_stats(read(db_session), zone=EASTERN)

    (this, sums), (before, older) = years[2026], years[2025]
    assert list(years) == [2026, 2025]
    assert (len(this), len(before)) == (2, 1)
    assert sums == {
        "registered": 40, "attended": 20, "new": 4, "returning": None, "promoted": None,
    }  # fmt: skip
    assert (older["registered"], older["attended"]) == (7, None)


@pytest.mark.parametrize(
    ("first_time", "first", "expected"),
    [(True, None, 1), (False, None, 0), (True, date(2026, 1, 20), 0)],
    ids=["says so", "says nothing", "was seen before"],
)
def test_who_is_expected_to_be_new_says_so_and_was_not_seen_before(
    db_session, first_time, first, expected
):
    meeting = a_meeting(db_session)
    a_registration(db_session, meeting, "ada@example.org", first_time=first_time)
    a_registration(db_session, meeting, "grace@example.org", "waiting", first_time=True)
    member(db_session, "ada@example.org").first_attended_on = first
    db_session.flush()

    tally = statistics.tallies(db_session, zone=EASTERN)[meeting.id]

    assert tally.expects_new == expected
