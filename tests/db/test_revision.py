"""Reading the revision of cached pages: repeatedly, in threads, and after the database was away."""

import subprocess
import sys
import threading
from pathlib import Path

import pytest
from sqlalchemy import text, update
from sqlalchemy.exc import DBAPIError

from cop.db.engine import db, empty_log, write_tx
from cop.db.revision import RevisionReader
from cop.models.community import Community
from cop.models.meeting import Meeting
from tests.databases import run_on_server

pytestmark = pytest.mark.both


@pytest.fixture
def reader(app):
    found = app.extensions["cop.revision_reader"]
    with app.app_context():
        yield found


def edit(model):
    counter = Community.revision if model is Community else Meeting.lock_version
    with write_tx() as db_session:
        db_session.execute(update(model).values({counter: counter + 1}))


@pytest.mark.parametrize("model", [Community, Meeting])
def test_each_edit_is_another_revision(reader, model):
    before = [reader.current() for _ in range(2)]

    edit(model)

    assert before[0] == before[1]
    assert reader.current().revision > before[0].revision


def test_it_has_the_hosts_that_may_frame_pages(reader):
    with write_tx() as db_session:
        db_session.execute(update(Community).values(embed_hosts=["https://www.example.org"]))

    assert reader.current().embed_hosts == ("https://www.example.org",)


def test_simultaneous_threads_have_a_connection_each_and_reuse_it(reader, app):
    barrier = threading.Barrier(2)

    def read():
        barrier.wait()
        with app.app_context():
            for _ in range(50):
                assert reader.current().revision >= 0

    for _ in range(3):
        threads = [threading.Thread(target=read) for _ in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    assert 1 <= len(reader._idle) <= 2


# Threads that Python did not start, as servers written in other languages have them: when one ends,
# Python deletes its state, and what only that state held.
FOREIGN_THREADS = """
import ctypes, sys
from cop import create_app
from tests.conftest import settings_for

app = create_app(settings_for(sys.argv[1]))

@ctypes.CFUNCTYPE(ctypes.c_void_p, ctypes.c_void_p)
def read(_):
    app.extensions["cop.revision_reader"].current()

system = ctypes.CDLL(None)
for _ in range(20):
    thread = ctypes.c_ulong()
    system.pthread_create(ctypes.byref(thread), None, read, None)
    system.pthread_join(thread, None)
print("alive")
"""


@pytest.mark.processes
def test_threads_that_end_after_reading_do_not_crash_the_process(database_url):
    command = [sys.executable, "-c", FOREIGN_THREADS, database_url]

    ended = subprocess.run(command, capture_output=True, text=True, check=False)

    assert (ended.returncode, ended.stdout) == (0, "alive\n"), ended.stderr


def test_reading_a_revision_blocks_nobody(reader, database_url):
    reader.current()

    edit(Community)
    empty_log()  # a reader would block it

    if database_url.startswith("sqlite"):
        assert Path(f"{db.engine.url.database}-wal").read_bytes() == b""


@pytest.mark.postgresql
def test_a_server_that_was_started_again_is_read_on_a_new_connection(reader, database_url):
    before = reader.current()
    name = database_url.rpartition("/")[2]
    run_on_server(
        f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'"
    )

    assert reader.current() == before


def test_an_unusable_database_raises_each_time_until_it_works_again(reader):
    with db.engine.begin() as connection:
        connection.execute(text("ALTER TABLE community RENAME TO away"))
    for _ in range(2):
        with pytest.raises(DBAPIError, match="community"):
            reader.current()

    with db.engine.begin() as connection:
        connection.execute(text("ALTER TABLE away RENAME TO community"))

    assert reader.current().revision > 0


def test_connections_end_with_the_engine_s(app):
    with app.app_context():
        reader = RevisionReader(db.engine)
        reader.current()
        connection = reader._idle[0]._connection

        engine = db.engine
        engine.dispose()

    with pytest.raises(engine.dialect.loaded_dbapi.Error, match="close"):
        connection.execute("SELECT 1")
