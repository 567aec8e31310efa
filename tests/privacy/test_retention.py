"""Retention: nothing goes before its date, nothing stays after it, and the counts remain."""

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import func, select, update

from cop.db.engine import read_tx, write_tx
from cop.models.community import Community
from cop.models.meeting import Meeting
from cop.models.registration import Member, Registration
from cop.privacy import retention
from cop.privacy.retention import RetentionResult
from cop.questions import registry
from tests.builders import ADA, NOW, a_meeting, a_registration, find_member, register
from tests.concurrency import at_once

pytestmark = pytest.mark.both

A_SECOND = timedelta(seconds=1)
A_WEEK, SIXTY_DAYS = timedelta(days=7), timedelta(days=60)
SAID = {
    "name": "Ada Example",
    "organization": "Harbor Data Lab",
    "pronouns": "she/her",
    "hats": ["analyst"],
    "hats_other": "beekeeper",
    "access": ["asl"],
    "access_language": "Spanish",
    "access_other": "a break",
    "taking_part": ["type"],
    "first_time": True,
    "prep_answer": "Nobody asked.",
    "prep_visibility": "named",
    "attended": True,
}
# What data-practice.md promises, by hand: days after the session's end.
PROMISED = {
    "name": 60,
    "email": 60,
    "organization": 60,
    "pronouns": 7,
    "hats": 60,
    "hats_other": 60,
    "access": 7,
    "access_language": 7,
    "access_other": 7,
    "taking_part": 7,
    "first_time": 7,
    "prep_answer": 60,
    "prep_visibility": 60,
    "status": 60,
    "registered_at": 60,
    "language": 60,
    "attended": 60,
    "joined_at": 60,
    "promoted_at": 60,
    "cancelled_at": 60,
    "minutes_present": 60,
    "room": 60,
    "announced": 60,
}


def an_old_meeting(db_session, ended, **values):
    """A meeting that ended some time ago."""
    starts_at = NOW - ended - timedelta(minutes=90)
    return a_meeting(db_session, starts_at=starts_at, **values)


def kept_of(db_session, registration):
    """A registration's columns as they stand in the database now; None if it is gone."""
    query = select(Registration.__table__).where(Registration.id == registration.id)
    row = db_session.execute(query).one_or_none()
    return row._mapping if row else None


def everything(db_session):
    """Every row of the tables that retention may touch."""
    tables = (Meeting.__table__, Member.__table__, Registration.__table__)
    return [db_session.execute(select(table).order_by(table.c.id)).all() for table in tables]


def test_every_column_of_a_registration_is_kept_for_the_time_promised():
    kept = {name: field.retention for field in registry.FIELDS for name in field.columns}

    columns = {column.name for column in Registration.__table__.columns}

    assert {name: kept.get(name) for name in columns - {"id", "member_id", "meeting_id"}} == {
        name: timedelta(days=days) for name, days in PROMISED.items() if name != "email"
    }


@pytest.mark.parametrize("days", [7, 60])
def test_an_answer_stays_until_its_date_and_goes_on_it(db_session, days):
    columns = [name for name in SAID if PROMISED[name] == days]
    kept = timedelta(days=days)
    young = an_old_meeting(db_session, kept - A_SECOND)
    old = an_old_meeting(db_session, kept, slug="old")
    before, at_its_date = (
        a_registration(db_session, meeting, "ada@example.org", **SAID) for meeting in (young, old)
    )

    retention.run(db_session, now=NOW)

    stays, gone = kept_of(db_session, before), kept_of(db_session, at_its_date)
    assert {name: stays[name] for name in columns} == {name: SAID[name] for name in columns}
    assert (gone is None) == (kept >= SIXTY_DAYS)
    assert not gone or [gone[name] for name in columns if gone[name] not in ("", [], False)] == []


@pytest.mark.parametrize("status", ["held", "waiting", "cancelled"])
def test_a_registration_goes_with_its_date_whatever_its_status(db_session, status):
    young = an_old_meeting(db_session, SIXTY_DAYS - A_SECOND, slug="young")
    old = an_old_meeting(db_session, SIXTY_DAYS, slug="old")
    stays = a_registration(db_session, young, "ada@example.org", status)
    goes = a_registration(db_session, old, "ada@example.org", status)

    retention.run(db_session, now=NOW)

    assert kept_of(db_session, stays)["status"] == status
    assert kept_of(db_session, goes) is None


def test_what_is_said_for_meetings_to_come_is_not_touched(db_session):
    coming = a_registration(db_session, a_meeting(db_session), "ada@example.org", **SAID)
    begun = a_meeting(db_session, starts_at=NOW - timedelta(hours=1), slug="begun")
    in_progress = a_registration(db_session, begun, "grace@example.org", **SAID)

    erased = retention.run(db_session, now=NOW)

    assert erased == RetentionResult(answers=0, registrations=0, members=0)
    assert SAID.items() <= kept_of(db_session, coming).items()
    assert SAID.items() <= kept_of(db_session, in_progress).items()


def test_a_second_run_changes_nothing(db_session):
    for number, ended in enumerate((A_WEEK, SIXTY_DAYS, 2 * SIXTY_DAYS, timedelta())):
        meeting = an_old_meeting(db_session, ended, slug=f"{number}")
        a_registration(db_session, meeting, f"{number}@example.org", **SAID)
        a_registration(db_session, meeting, "bystander@example.org", **SAID)

    first = retention.run(db_session, now=NOW)
    after_first = everything(db_session)
    second = retention.run(db_session, now=NOW)

    assert first == RetentionResult(answers=6, registrations=4, members=2)
    assert second == RetentionResult(answers=0, registrations=0, members=0)
    assert everything(db_session) == after_first


def test_of_a_meeting_only_the_counts_stay(db_session):
    old = an_old_meeting(db_session, SIXTY_DAYS, slug="old")
    young = an_old_meeting(db_session, A_WEEK, slug="young")
    for number in range(5):
        status = ("held", "held", "held", "waiting", "cancelled")[number]
        came = {"attended": number < 2} if number < 3 else {}
        a_registration(db_session, old, f"{number}@example.org", status, **came)
    a_registration(db_session, young, "ada@example.org", attended=True)

    retention.run(db_session, now=NOW)
    retention.run(db_session, now=NOW + timedelta(days=1))

    for meeting in (old, young):
        db_session.refresh(meeting)
    assert (old.registered_count, old.attended_count) == (4, 2)
    assert (young.registered_count, young.attended_count) == (None, None)


def test_counts_that_were_there_before_stay(db_session):
    told = an_old_meeting(db_session, 9 * SIXTY_DAYS, registered_count=74, attended_count=48)

    retention.run(db_session, now=NOW)

    db_session.refresh(told)
    assert (told.registered_count, told.attended_count) == (74, 48)


def test_the_revision_rises_where_registrations_went_and_nowhere_else(db_session):
    old = an_old_meeting(db_session, SIXTY_DAYS, slug="old")
    empty = an_old_meeting(db_session, SIXTY_DAYS, slug="empty")
    a_registration(db_session, old, "ada@example.org")
    before = (old.lock_version, empty.lock_version)

    retention.run(db_session, now=NOW)

    for meeting in (old, empty):
        db_session.refresh(meeting)
    assert old.lock_version > before[0]
    assert empty.lock_version == before[1]


def test_who_is_in_no_list_any_more_goes(db_session):
    old = an_old_meeting(db_session, SIXTY_DAYS, slug="old")
    young = an_old_meeting(db_session, A_WEEK, slug="young")
    for name in ("ada", "grace", "katherine", "mallory"):
        a_registration(db_session, old, f"{name}@example.org")
    a_registration(db_session, young, "grace@example.org")
    find_member(db_session, "katherine@example.org").list_confirmed_at = NOW
    find_member(
        db_session, "mallory@example.org"
    ).list_requested_at = NOW  # anybody can ask for anybody

    erased = retention.run(db_session, now=NOW)

    assert erased.members == 2
    assert find_member(db_session, "ada@example.org") is None
    assert find_member(db_session, "mallory@example.org") is None
    assert find_member(db_session, "grace@example.org")
    assert find_member(db_session, "katherine@example.org")


def test_registering_never_fails_because_of_retention_at_the_same_time(app):
    def retain():
        with write_tx() as db_session:
            return retention.run(db_session, now=NOW)

    for number in range(25):
        come = _coming_again(f"ada.{number}@example.org")
        at_once(app, *((retain, come) if number % 2 else (come, retain)))

    with read_tx() as db_session:
        assert db_session.scalar(select(func.count(Registration.id))) == 25
        assert db_session.scalar(select(func.count(Member.id))) == 25


def _coming_again(address):
    """Somebody who is in no list any more, beside others like them, and registers again."""
    with write_tx() as db_session:
        for email in (address, f"bystander.{address}", f"another.{address}"):
            db_session.add(Member(email=email, email_key=email))

    def come():
        with write_tx() as db_session:
            return register(db_session, "2026-12-15", replace(ADA, email=address))

    return come


def test_where_nobody_noted_who_came_the_number_stays_unknown(db_session):
    old = an_old_meeting(db_session, SIXTY_DAYS, slug="old")
    a_registration(db_session, old, "ada@example.org")

    retention.run(db_session, now=NOW)

    db_session.refresh(old)
    assert (old.registered_count, old.attended_count) == (1, None)


@pytest.mark.parametrize(
    ("retention_days", "short_retention_days", "kept_long", "kept_short"),
    [(30, 3, 30, 3), (5, 7, 5, 5), (1, 1, 1, 1), (90, 30, 60, 7)],
    ids=["shorter", "short no longer than long", "least", "never beyond the promise"],
)
def test_settings_make_it_shorter_and_never_longer(
    db_session, retention_days, short_retention_days, kept_long, kept_short
):
    db_session.execute(
        update(Community).values(
            retention_days=retention_days, short_retention_days=short_retention_days
        )
    )
    stays, fades, goes = (
        a_registration(db_session, an_old_meeting(db_session, ended, slug=slug), email, **SAID)
        for ended, slug, email in (
            (timedelta(days=kept_short) - A_SECOND, "young", "ada@example.org"),
            (timedelta(days=kept_long) - A_SECOND, "middle", "grace@example.org"),
            (timedelta(days=kept_long), "old", "katherine@example.org"),
        )
    )

    retention.run(db_session, now=NOW)

    assert kept_of(db_session, stays)["pronouns"] == "she/her"
    assert kept_of(db_session, fades)["name"] == "Ada Example"
    assert bool(kept_of(db_session, fades)["pronouns"]) == (kept_short == kept_long)
    assert kept_of(db_session, goes) is None
