"""The database: settings of its connections, and guarantees of a transaction."""

import time

import pytest
from sqlalchemy import create_engine, func, select, text, update
from sqlalchemy.exc import IntegrityError, OperationalError

from cop.db.engine import (
    db,
    empty_log,
    engine_options,
    has_wal_reset_bug,
    journal_pragmas,
    prepare,
    read_tx,
    snapshot_tx,
    sqlite_file,
    sqlite_module,
    write_tx,
)
from cop.models.community import Community
from cop.models.meeting import Meeting
from cop.models.registration import Member
from tests.builders import a_meeting

pytestmark = pytest.mark.both


@pytest.fixture
def elsewhere(app, settings):
    """A connection like that of another process, which never waits for locks."""
    engine = prepare(create_engine(settings.database_url, **engine_options(settings)))
    with engine.connect() as connection:
        if settings.is_sqlite:
            connection.connection.driver_connection.execute("PRAGMA busy_timeout = 0")
        yield connection
    engine.dispose()


def names():
    with read_tx() as db_session:
        return set(db_session.scalars(select(Member.email)))


def add_member(db_session, email="ada@example.org"):
    db_session.add(Member(email=email, email_key=email))
    db_session.flush()


PRAGMAS = {
    "journal_mode": "wal",
    "synchronous": 2,
    "foreign_keys": 1,
    "secure_delete": 1,
    "busy_timeout": 10_000,
    "fullfsync": 1,
}
LIMITS = {
    "lock_timeout": "5s",
    "statement_timeout": "15s",
    "idle_in_transaction_session_timeout": "30s",
    "transaction_isolation": "read committed",
}


@pytest.mark.sqlite
@pytest.mark.parametrize("open_tx", [read_tx, write_tx], ids=["read", "write"])
def test_a_pragma_is_in_force_on_every_connection(app, open_tx):
    assert not has_wal_reset_bug(sqlite_module.sqlite_version_info), "tests need a sound SQLite"

    with open_tx() as db_session:
        found = {name: db_session.scalar(text(f"PRAGMA {name}")) for name in PRAGMAS}

    assert found == PRAGMAS


@pytest.mark.postgresql
def test_a_limit_is_in_force_on_every_connection(app):
    with write_tx() as db_session:
        found = {name: db_session.scalar(text(f"SHOW {name}")) for name in LIMITS}

    assert found == LIMITS


def test_a_sqlite_version_that_can_lose_data_does_without_wal():
    unsound = [(3, 7, 0), (3, 44, 5), (3, 45, 0), (3, 50, 6), (3, 51, 0), (3, 51, 2)]
    sound = [(3, 6, 23), (3, 44, 6), (3, 50, 7), (3, 51, 3), (3, 52, 0), (4, 0, 0)]

    for version in unsound:
        assert journal_pragmas(version) == ["journal_mode=DELETE", "synchronous=EXTRA"], version
    for version in sound:
        assert journal_pragmas(version) == ["journal_mode=WAL", "synchronous=FULL"], version


@pytest.mark.sqlite
def test_a_write_transaction_holds_the_write_lock_from_its_beginning(app, elsewhere):
    driver = elsewhere.connection.driver_connection

    with write_tx(), pytest.raises(sqlite_module.OperationalError, match="locked"):
        driver.execute("BEGIN IMMEDIATE")

    driver.execute("BEGIN IMMEDIATE")
    driver.execute("ROLLBACK")
    assert not driver.in_transaction


@pytest.mark.sqlite
def test_a_reading_transaction_leaves_the_write_lock_to_others(app, elsewhere):
    driver = elsewhere.connection.driver_connection

    with read_tx() as db_session:
        db_session.scalars(select(Meeting)).all()
        driver.execute("BEGIN IMMEDIATE")
        driver.execute("ROLLBACK")

    assert not driver.in_transaction


def test_a_rehearsal_sees_what_it_does_and_leaves_nothing(app):
    with write_tx(rehearse=True) as db_session:
        db_session.execute(update(Community).values(name="Rehearsed"))
        seen = db_session.scalar(select(Community.name))
    with write_tx() as db_session:
        left = db_session.scalar(select(Community.name))

    assert seen == "Rehearsed"
    assert left == "Equity in Data Community of Practice"


def test_a_transaction_is_committed_unless_it_fails(app):
    with write_tx() as db_session:
        add_member(db_session, "bystander@example.org")

    with pytest.raises(ZeroDivisionError), write_tx() as db_session:  # noqa: PT012 - after a write
        add_member(db_session)
        raise ZeroDivisionError

    assert names() == {"bystander@example.org"}


@pytest.mark.parametrize("outer", [write_tx, read_tx], ids=["in a write", "in a read"])
def test_a_transaction_inside_another_is_refused(app, outer):
    for inner in (write_tx, read_tx, lambda: snapshot_tx(seconds=1)):
        with outer() as db_session:
            with pytest.raises(RuntimeError, match="One transaction at a time"), inner():
                raise AssertionError

            assert db_session.scalar(select(func.count(Community.id))) == 1

        with inner() as db_session:
            assert db_session.scalar(select(func.count(Community.id))) == 1


def test_a_snapshot_sees_one_moment(app, elsewhere):
    count = select(func.count(Member.id))

    with snapshot_tx(seconds=5) as db_session:
        before = db_session.scalar(count)
        elsewhere.execute(
            text(
                "INSERT INTO member (email, email_key, opt_outs, token_version, calendar_version) VALUES ('a', 'a', '[]', 0, 0)"
            )
        )
        elsewhere.commit()
        after = db_session.scalar(count)

    assert (before, after) == (0, 0)
    assert names() == {"a"}


@pytest.mark.postgresql
def test_a_snapshot_has_a_time_limit_of_its_own_and_cannot_write(app):
    with snapshot_tx(seconds=90) as db_session:
        limit = db_session.scalar(text("SHOW statement_timeout"))
        read_only = db_session.scalar(text("SHOW transaction_read_only"))
    with write_tx() as db_session:
        usual = db_session.scalar(text("SHOW statement_timeout"))

    assert (limit, read_only, usual) == ("90s", "on", "15s")


@pytest.mark.sqlite
def test_deleted_data_is_overwritten_in_the_file(app, settings):
    with write_tx() as db_session:
        add_member(db_session, "katherine-the-erased@example.org")
    with write_tx() as db_session:
        db_session.execute(text("DELETE FROM member"))
    with db.engine.connect() as connection:
        connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")

    file = sqlite_file(settings.database_url)

    assert b"katherine-the-erased" not in file.read_bytes()
    assert b"equity" in file.read_bytes().lower()


@pytest.mark.sqlite
def test_emptying_the_log_past_a_reader_does_not_hold_up_writers(app, elsewhere):
    elsewhere.execute(select(Member)).all()
    with write_tx() as db_session:
        db_session.execute(update(Community).values(name="later"))
    started_at = time.monotonic()
    past_reader = empty_log(tries=1)
    took = time.monotonic() - started_at
    elsewhere.rollback()
    alone = empty_log(tries=1)

    assert (past_reader, alone) == (False, True)
    assert took < 2  # and not as long as a writer waits for the lock
    with db.engine.connect() as connection:
        assert connection.execute(text("PRAGMA busy_timeout")).scalar() == 10_000


def test_a_failing_statement_hides_its_parameters(app):
    with pytest.raises((IntegrityError, OperationalError)) as failure, write_tx() as db_session:
        db_session.execute(
            text("INSERT INTO member (email, email_key) VALUES (:email, NULL)"),
            {"email": "ada@example.org"},
        )

    assert "[SQL parameters hidden" in str(failure.value)


def test_only_an_sqlite_url_names_a_file():
    assert str(sqlite_file("sqlite:////srv/cop.sqlite3")) == "/srv/cop.sqlite3"
    assert sqlite_file("sqlite://") is sqlite_file("postgresql+psycopg://host/cop") is None


def test_a_bulk_update_leaves_loaded_objects_as_they_are(db_session):
    meeting = a_meeting(db_session, topic="Maps")

    db_session.execute(update(Meeting).values(topic="Surveys"))

    assert meeting.topic == "Maps"
    db_session.refresh(meeting)
    assert meeting.topic == "Surveys"
