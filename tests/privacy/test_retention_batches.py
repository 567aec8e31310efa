"""Retention in batches: no write waits long, and an interruption leaves nothing wrong."""

from contextlib import contextmanager
from datetime import timedelta
from threading import Thread

import pytest
from sqlalchemy import event, func, insert, select, text

from cop.community import community
from cop.community.community import load_community
from cop.db.engine import db, read_tx, write_tx
from cop.db.expiry import BATCH
from cop.meetings import locking
from cop.models.email import OutboxEmail
from cop.models.meeting import Meeting
from cop.models.registration import Member, Registration
from cop.operations import worker
from cop.privacy import retention
from tests.builders import NOW, a_meeting, a_registration, an_email

pytestmark = pytest.mark.both

PEOPLE = 2 * BATCH + 7
CAME = 400
LONG_AGO, LATELY = timedelta(days=70), timedelta(days=20)


@pytest.fixture
def crowded(app):
    """A meeting that is past its date and one whose short answers are, with many people each."""
    with write_tx() as db_session:
        old = a_meeting(db_session, slug="old", starts_at=NOW - LONG_AGO)
        young = a_meeting(db_session, slug="young", starts_at=NOW - LATELY)
        a_registration(db_session, a_meeting(db_session), "bystander@example.org", pronouns="they")
        ids = range(1000, 1000 + 2 * PEOPLE)
        db_session.execute(
            insert(Member),
            [{"id": id_, "email": f"{id_}@a.org", "email_key": f"{id_}@a.org"} for id_ in ids],
        )
        db_session.execute(insert(Registration), [_row(id_, old, young) for id_ in ids])
        an_email(db_session, "bystander@example.org", now=NOW)
    return app


def _row(id_, old, young):
    number = id_ - 1000
    meeting = old if number < PEOPLE else young
    return {"id": id_, "member_id": id_, "meeting_id": meeting.id, "status": "held",
            "registered_at": NOW - LONG_AGO, "language": "en", "name": f"{number}",
            "pronouns": "she/her", "access": ["asl"], "attended": number < CAME}  # fmt: skip


@contextmanager
def changed_rows():
    """How many rows each transaction has changed, in the order of their ends."""
    sums, engine = [0], db.engine

    def add(_connection, cursor, statement, *_):
        if statement.startswith(("UPDATE", "DELETE")):
            sums[-1] += cursor.rowcount

    def end(_connection):
        sums.append(0)

    event.listen(engine, "after_cursor_execute", add)
    event.listen(engine, "commit", end)
    yield sums
    event.remove(engine, "after_cursor_execute", add)
    event.remove(engine, "commit", end)


def left_of(slug):
    with read_tx() as db_session:
        meeting = db_session.scalars(select(Meeting).where(Meeting.slug == slug)).one()
        query = select(func.count()).where(Registration.meeting_id == meeting.id)
        return db_session.scalar(query), meeting.registered_count, meeting.attended_count


def pronouns():
    with read_tx() as db_session:
        query = select(Registration.pronouns).where(Registration.pronouns != "")
        return db_session.scalars(query).all()


def test_no_transaction_of_the_daily_tasks_changes_more_rows_than_a_batch(crowded):
    with changed_rows() as sums:
        worker.run_daily_tasks(now=NOW)

    assert max(sums) == BATCH
    assert left_of("old") == (0, PEOPLE, CAME)
    assert left_of("young") == (PEOPLE, None, None)
    assert pronouns() == ["they"]
    with read_tx() as db_session:
        assert db_session.scalar(select(func.count(Member.id))) == PEOPLE + 1
        assert db_session.scalars(select(OutboxEmail.text)).one() != ""


def test_the_daily_tasks_load_no_registration_as_an_object(crowded):
    loaded = []

    def note(registration, _context):
        loaded.append(registration)

    event.listen(Registration, "load", note)
    worker.run_daily_tasks(now=NOW)
    event.remove(Registration, "load", note)

    assert loaded == []


def after_one_batch():
    """A reason to stop that comes up after one batch."""
    first = iter([False])
    return lambda: next(first, True)


def test_daily_tasks_interrupted_after_any_batch_leave_the_right_counts(crowded):
    seen = []
    while not worker.run_daily_tasks(now=NOW, stopping=after_one_batch()) and len(seen) < 50:
        seen.append(left_of("old"))

    uncounted = [each for each in seen if each[1] is None]
    assert set(uncounted) == {(PEOPLE, None, None)}
    assert {each[1:] for each in seen[len(uncounted) :]} == {(PEOPLE, CAME)}
    assert {left for left, *_ in seen} == {PEOPLE, 7 + BATCH, 7, 0}
    assert left_of("old") == (0, PEOPLE, CAME)


def test_interrupted_daily_tasks_are_not_recorded_as_done(crowded):
    was_whole = worker.run_daily_tasks(now=NOW, stopping=lambda: True)

    with read_tx() as db_session:
        assert (was_whole, community.load_community(db_session).daily_tasks_at) == (False, None)


def test_a_meeting_that_changes_after_it_was_counted_is_counted_again(app):
    with write_tx() as db_session:
        old = a_meeting(db_session, slug="old", starts_at=NOW - LONG_AGO)
        for name in ("ada", "grace"):
            a_registration(db_session, old, f"{name}@example.org", attended=False)
        facts = load_community(db_session)
    counting = next(e for e in retention.expiries(facts, now=NOW) if e.key is Meeting.id)
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
@pytest.mark.parametrize(
    "statement",
    [
        "SELECT 1 FROM registration WHERE member_id = 7",  # asked for each member that is deleted
        "SELECT 1 FROM outbox_email WHERE member_id = 7",
        "SELECT 1 FROM outbox_email WHERE registration_id = 7",
    ],
)
def test_references_to_deleted_rows_are_found_by_an_index(app, statement):
    with read_tx() as db_session:
        plan = db_session.execute(text(f"EXPLAIN QUERY PLAN {statement}")).all()

    assert "SEARCH" in str(plan)
    assert "INDEX" in str(plan)
