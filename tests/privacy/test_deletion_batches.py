"""Retention in batches: no write waits long, and an interruption leaves nothing wrong."""

from contextlib import contextmanager
from datetime import timedelta
from threading import Thread

import pytest
from sqlalchemy import event, func, select, text

from cop.community import community
from cop.db import expiry
from cop.db.engine import db, read_tx, write_tx
from cop.meetings import locking
from cop.models.email import OutboxEmail
from cop.models.meeting import Meeting
from cop.models.registration import Member, Registration
from cop.operations import worker
from cop.privacy import deletion
from tests.builders import NOW, a_meeting, a_registration, an_email, registrations

pytestmark = pytest.mark.both

BATCH = 10  # instead of 500
PEOPLE, CAME = 2 * BATCH + 7, 16


@pytest.fixture
def crowded(app, monkeypatch):
    """An old meeting, and one whose short-lived answers are due, with several batches each."""
    monkeypatch.setattr(expiry, "BATCH", BATCH)
    with write_tx() as db_session:
        old = a_meeting(db_session, slug="old", starts_at=NOW - timedelta(days=70))
        young = a_meeting(db_session, slug="young", starts_at=NOW - timedelta(days=20))
        coming = a_meeting(db_session)
        for number in range(PEOPLE):
            values = {"pronouns": "she/her", "access": ["asl"], "attended": number < CAME}
            a_registration(db_session, old, f"old{number}@example.org", **values)
            a_registration(db_session, young, f"young{number}@example.org", **values)
        a_registration(db_session, coming, "bystander@example.org", pronouns="they")
        an_email(db_session, "bystander@example.org", now=NOW)
    return app


@pytest.fixture
def no_pause(monkeypatch):
    monkeypatch.setattr(worker, "BATCH_PAUSE", 0)


@contextmanager
def listening(target, **listeners):
    for name, listener in listeners.items():
        event.listen(target, name, listener)
    yield
    for name, listener in listeners.items():
        event.remove(target, name, listener)


def left_of(slug):
    """How many registrations of a meeting are left, and its counts."""
    with read_tx() as db_session:
        meeting = db_session.scalars(select(Meeting).where(Meeting.slug == slug)).one()
        left = len(registrations(db_session, slug))
    return left, meeting.registered_count, meeting.attended_count


def test_no_transaction_of_the_daily_tasks_changes_more_rows_than_a_batch(crowded, no_pause):
    changed, loaded = [0], []

    def add(_connection, cursor, statement, *_):
        if statement.startswith(("UPDATE", "DELETE")):
            changed[-1] += cursor.rowcount

    with (
        listening(db.engine, after_cursor_execute=add, commit=lambda _: changed.append(0)),
        listening(Registration, load=lambda registration, _: loaded.append(registration)),
    ):
        worker.run_daily_tasks(now=NOW)

    assert max(changed) == BATCH
    assert loaded == []  # objects would take seconds
    assert left_of("old") == (0, PEOPLE, CAME)
    assert left_of("young") == (PEOPLE, None, None)
    with read_tx() as db_session:
        assert {row.pronouns for row in registrations(db_session)} == {"", "they"}
        assert db_session.scalar(select(func.count(Member.id))) == PEOPLE + 1
        assert db_session.scalars(select(OutboxEmail.text)).one() != ""


def after_one_batch():
    """A reason to stop that comes up after one batch."""
    first = iter([False])
    return lambda: next(first, True)


def test_daily_tasks_interrupted_after_any_batch_leave_the_right_counts(crowded, no_pause):
    seen = []
    while not worker.run_daily_tasks(now=NOW, stopping=after_one_batch()) and len(seen) < 50:
        seen.append(left_of("old"))

    with read_tx() as db_session:
        assert community.load_community(db_session).daily_tasks_at == NOW
    uncounted = [each for each in seen if each[1] is None]
    assert set(uncounted) == {(PEOPLE, None, None)}
    assert {each[1:] for each in seen[len(uncounted) :]} == {(PEOPLE, CAME)}
    assert {left for left, *_ in seen} == {PEOPLE, 7 + BATCH, 7, 0}
    assert left_of("old") == (0, PEOPLE, CAME)


def test_interrupted_daily_tasks_are_not_recorded_as_done(crowded):
    was_whole = worker.run_daily_tasks(now=NOW, stopping=lambda: True)

    with read_tx() as db_session:
        last = community.load_community(db_session).daily_tasks_at
    assert (was_whole, last) == (False, None)


def test_a_meeting_that_changes_after_it_was_counted_is_counted_again(app):
    with write_tx() as db_session:
        old = a_meeting(db_session, slug="old", starts_at=NOW - timedelta(days=70))
        for name in ("ada", "grace"):
            a_registration(db_session, old, f"{name}@example.org", attended=False)
        facts = community.load_community(db_session)
    counting = next(e for e in deletion.expiries(facts, now=NOW) if e.key is Meeting.id)
    with read_tx() as db_session:
        [batch] = counting.find(db_session)
    with write_tx() as db_session:
        locking.lock(db_session, [old.id])
        ada = db_session.scalars(select(Registration).where(Registration.name == "Ada")).one()
        ada.attended = True

    for _ in range(2):
        with write_tx() as db_session:
            counting.erase(db_session, batch)

    assert left_of("old") == (2, 2, 1)


@pytest.mark.sqlite
def test_a_concurrent_write_gets_in_between_two_batches(crowded):
    order = []

    def write():
        with crowded.app_context(), write_tx() as db_session:
            db_session.add(Member(email="new@a.org", email_key="new@a.org", list_confirmed_at=NOW))
        order.append("written")

    writer = Thread(target=write)

    def stopping():
        if not writer.ident:
            writer.start()
        return False

    worker.run_daily_tasks(now=NOW, stopping=stopping)
    order.append("round")
    writer.join()

    assert order == ["written", "round"]


@pytest.mark.sqlite
def test_references_to_deleted_rows_are_found_by_an_index(app):
    with read_tx() as db_session:
        for reference in (
            "registration WHERE member_id = 7",  # queried for each member that is deleted
            "outbox_email WHERE member_id = 7",
            "outbox_email WHERE registration_id = 7",
        ):
            query = text(f"EXPLAIN QUERY PLAN SELECT 1 FROM {reference}")
            plan = str(db_session.execute(query).all())

            assert "SEARCH" in plan, reference
            assert "INDEX" in plan, reference
