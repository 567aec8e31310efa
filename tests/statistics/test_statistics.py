"""Session statistics: the same while registrations exist and after they are deleted."""

from datetime import date, timedelta

import pytest

from cop.models.meeting import MeetingStatus
from cop.models.registration import Registration
from cop.privacy import deletion
from cop.statistics import statistics
from cop.statistics.statistics import HATS
from cop.statistics.suppression import ANSWERED, ASKED, NEARLY_ALL_SUPPRESSED, SUPPRESSED
from tests.builders import EASTERN, NOW, a_meeting, a_registration, find_member

pytestmark = pytest.mark.both

SIXTY_DAYS = timedelta(days=60)


def an_old_meeting(db_session, ended=SIXTY_DAYS, **values):
    starts_at = NOW - ended - timedelta(minutes=90)
    return a_meeting(db_session, starts_at=starts_at, **values)


def an_attendee(db_session, meeting, name, first=None, **values):
    """Somebody who attended, and the day on which they first did."""
    a_registration(db_session, meeting, f"{name}@example.org", attended=True, **values)
    find_member(db_session, f"{name}@example.org").first_attended_on = first
    db_session.flush()


def local(meeting):
    return meeting.starts_at.astimezone(EASTERN).date()


def read(db_session, now=NOW):
    db_session.expire_all()
    return statistics.session_stats(db_session, zone=EASTERN, now=now)


def numbers(stats):
    return (stats.registered, stats.attended, stats.new, stats.returning, stats.promoted)


def a_lively_meeting(db_session):
    """A session with somebody of each kind, beside another one."""
    meeting = an_old_meeting(db_session, slug="lively")
    other = an_old_meeting(db_session, timedelta(days=3), slug="other")
    an_attendee(db_session, meeting, "ada", local(meeting), hats=["analyst"])
    an_attendee(db_session, meeting, "grace", date(2026, 1, 20), promoted_at=NOW - SIXTY_DAYS)
    a_registration(db_session, meeting, "absent@example.org", attended=False)
    a_registration(db_session, meeting, "katherine@example.org", "waiting")
    a_registration(db_session, meeting, "mallory@example.org", "cancelled", promoted_at=NOW)
    for number in range(12):
        hats = ["analyst"] + ["evaluator"] * (number < 5)
        a_registration(db_session, meeting, f"{number}@example.org", attended=False, hats=hats)
    an_attendee(db_session, other, "bystander", local(other))
    return meeting


def test_numbers_are_the_same_before_and_after_registrations_are_deleted(db_session):
    meeting = a_lively_meeting(db_session)
    before = read(db_session)[1]
    hats = statistics.hat_counts(db_session, [meeting.id])[meeting.id]

    deletion.run(db_session, now=NOW)
    after = read(db_session)[1]
    again = deletion.run(db_session, now=NOW)

    assert numbers(before) == numbers(after) == (16, 2, 1, 1, 1)
    assert db_session.query(Registration).filter_by(meeting_id=meeting.id).count() == 0
    assert (again.registrations, read(db_session)[1]) == (0, after)
    assert meeting.hat_counts == hats
    assert (hats[ASKED], hats[ANSWERED]) == ("16", "13")
    assert (hats["analyst"], hats["evaluator"]) == (NEARLY_ALL_SUPPRESSED, SUPPRESSED)
    assert set(hats) == {ASKED, ANSWERED, *HATS}


def test_new_and_returning_are_unknown_where_no_first_day_is_known(db_session):
    an_attendee(db_session, an_old_meeting(db_session), "ada")

    [live] = read(db_session)
    deletion.run(db_session, now=NOW)
    [final] = read(db_session)

    assert numbers(live) == numbers(final) == (1, 1, None, None, 0)


def test_a_late_session_counts_on_the_day_in_the_community_s_time_zone(db_session):
    evening = NOW.replace(hour=1) - timedelta(days=1)  # the day before, in Connecticut
    meeting = a_meeting(db_session, starts_at=evening)
    an_attendee(db_session, meeting, "ada", evening.date() - timedelta(days=1))

    [stats] = read(db_session)

    assert (stats.new, stats.returning) == (1, 0)


def test_only_sessions_that_took_place_have_numbers(db_session):
    an_old_meeting(db_session, slug="held")
    an_old_meeting(db_session, slug="cancelled", status=MeetingStatus.CANCELLED)

    assert [stats.meeting.slug for stats in read(db_session)] == ["held"]


@pytest.mark.parametrize(
    ("first_time", "first", "expected"),
    [(True, None, 1), (False, None, 0), (True, date(2026, 1, 20), 0)],
    ids=["says so", "says nothing", "attended before"],
)
def test_expected_new_are_first_timers_who_never_attended(db_session, first_time, first, expected):
    meeting = a_meeting(db_session)
    a_registration(db_session, meeting, "ada@example.org", first_time=first_time)
    a_registration(db_session, meeting, "grace@example.org", "waiting", first_time=True)
    find_member(db_session, "ada@example.org").first_attended_on = first
    db_session.flush()

    tally = statistics.tallies(db_session, zone=EASTERN)[meeting.id]

    assert tally.expected_new == expected
