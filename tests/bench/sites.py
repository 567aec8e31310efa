"""What the measurements run on: a site with twelve sessions, and references beside it."""

import json
import sys
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import uuid4

from flask import Flask
from sqlalchemy import select, update

from cop import create_app
from cop.accounts import login_sessions
from cop.accounts.access_control import TOKEN
from cop.changes import changes
from cop.community import community
from cop.community.community import load_community
from cop.db.engine import db, read_tx, write_tx
from cop.links import Links
from cop.mail.writer import LetterWriter
from cop.meetings import locking, planning
from cop.models.community import Community
from cop.models.coordinator import Coordinator
from cop.models.meeting import Meeting
from cop.operations import seed
from cop.operations.schema import upgrade
from cop.operations.web_process import THREADS
from tests.conftest import settings_for
from tests.processes.server import Server

SESSIONS = 12
# Nothing listens there: the worker tries one mail and then rests, so that the web is measured.
# Requests name the host without its port: only with a base address do ports not count.
BENCH_SITE = {"COP_SMTP_URL": "smtp://127.0.0.1:9", "COP_BASE_URL": "http://127.0.0.1"}
SUMMARY = (
    "We look at **who rents, and where**, in the towns around Hartford: what the census tells, what "
    "it leaves out, and what the people say whom it counts.\n\n- what a tract is\n- margins of error"
)


@dataclass(frozen=True)
class Site:
    """An app on a database of its own, whose sessions are those of a busy community."""

    app: Flask
    url: str
    slugs: tuple[str, ...]

    def describe(self, slug, topic):
        """Edit a session as a coordinator does, from this process."""
        with self.app.app_context(), write_tx() as db_session:
            meeting_id = db_session.scalars(select(Meeting.id).where(Meeting.slug == slug)).one()
            meeting = locking.lock_one(db_session, meeting_id)
            changes.edit(db_session, meeting, {"topic": topic}, writer=_writer(db_session))


def file_in(folder):
    """The address of a new SQLite database."""
    return f"sqlite:///{folder / uuid4().hex}.sqlite3"


@contextmanager
def site(url, *, sessions=SESSIONS):
    """A site with so many sessions to come, each with what a page shows of one."""
    app = create_app(settings_for(url, posts_per_hour=0))
    upgrade(app)
    with app.app_context():
        with write_tx() as db_session:
            _begin(db_session, sessions)
        with read_tx() as db_session:
            slugs = tuple(db_session.scalars(select(Meeting.slug).order_by(Meeting.starts_at)))
    yield Site(app, url, slugs)
    with app.app_context():
        db.engine.dispose()


def _begin(db_session, sessions):
    now = datetime.now(UTC)
    community.create(db_session)
    db_session.execute(update(Community).values(planned_ahead=sessions))
    planning.plan_ahead(db_session, now=now)
    seed.create_site(db_session, now=now)
    for number, meeting in enumerate(db_session.scalars(select(Meeting))):
        meeting.topic = f"Counting renters, part {number + 1}"
        meeting.guests = "Ada Example, Harbor Data Lab"
        meeting.summary = SUMMARY
        meeting.reading_title, meeting.reading_minutes = "Who is counted", 12
        meeting.reading_url = "https://example.org/counted"


def _writer(db_session):
    links = Links("http://localhost:8000", "k" * 40)
    return LetterWriter(load_community(db_session), links, datetime.now(UTC))


def coordinator(app, *, now=None):
    """A client that is signed in as a coordinator of its own."""
    now, address = now or datetime.now(UTC), f"{uuid4().hex}@example.org"
    with app.app_context(), write_tx() as db_session:
        one = Coordinator(email=address, email_key=address, name="Corin", password_hash="none")
        db_session.add(one)
        db_session.flush()
        token = login_sessions.start_session(db_session, one.id, now=now)
    client = app.test_client()
    with client.session_transaction("/coordinator/") as cookie:
        cookie[TOKEN] = token
    return client


class Reference(Server):
    """A server that does the least that would do, with the settings that `cop serve` has."""

    def __init__(self, folder, name, *arguments):
        folder.mkdir(exist_ok=True)
        super().__init__(folder)
        self.arguments = [name, *map(str, arguments)]

    @property
    def command(self):
        module = [sys.executable, "-m", "tests.bench.reference_server"]
        return [*module, str(self.port), str(2 * THREADS), *self.arguments]


@contextmanager
def reference(folder, name, *arguments):
    """Such a server, for the length of a block."""
    server = Reference(folder, name, *arguments)
    try:
        yield server.start()
    finally:
        server.stop()


def keep_answers(folder, whole, not_modified):
    """Write down two answers, with their headers, for the reference to repeat."""
    folder.mkdir(exist_ok=True)
    (folder / "body").write_bytes(whole.body)
    headers = {"200": _own(whole), "304": _own(not_modified)}
    (folder / "headers.json").write_text(json.dumps(headers))


def _own(answer):
    """The headers that an app sets, without those that the server adds."""
    added = {"server", "date", "content-length", "connection"}
    return {name: value for name, value in answer.headers.items() if name not in added}
