"""Databases for real servers, read and written from outside them."""

from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select

from cop import create_app
from cop.db.engine import db, read_tx, write_tx
from cop.models.registration import Member, Registration, Submission
from cop.operations import seed
from tests import databases
from tests.builders import a_meeting, an_email, outbox_emails
from tests.conftest import settings_for


class World:
    """A database that a server works on, seen from beside the server."""

    def __init__(self, url, now):
        self.url, self.app = url, create_app(settings_for(url))
        with self.write() as db_session:
            seed.create_site(db_session, now=now)

    @contextmanager
    def write(self):
        with self.app.app_context(), write_tx() as db_session:
            yield db_session

    def meeting(self, **values):
        """Add a meeting; return its slug."""
        values = {"starts_at": datetime.now(UTC) + timedelta(days=400)} | values
        with self.write() as db_session:
            return a_meeting(db_session, **values).slug

    def registrations(self):
        """Every registration: the address, the meeting, what it is, in order."""
        query = (
            select(Member.email, Registration.meeting_id, Registration.status)
            .join(Member)
            .order_by(Registration.id)
        )
        with self.app.app_context(), read_tx() as db_session:
            return [tuple(row) for row in db_session.execute(query)]

    def promised(self):
        """How many sessions the confirmation pages call held, and how many waiting."""
        with self.app.app_context(), read_tx() as db_session:
            forms = db_session.scalars(select(Submission)).all()
        return {
            name: sum(len(getattr(form, name)) for form in forms) for name in ("held", "waiting")
        }

    def confirmations(self):
        """The recipients of confirmations, in order."""
        return [email.to_address for email in self.emails() if email.kind == "confirmation"]

    def queue_email(self, address):
        with self.write() as db_session:
            an_email(db_session, address, now=datetime.now(UTC))

    def emails(self):
        with self.app.app_context(), read_tx() as db_session:
            return outbox_emails(db_session)

    def close(self):
        with self.app.app_context():
            db.engine.dispose()


def pytest_itemcollected(item):
    if item.nodeid.startswith("tests/processes/"):
        item.add_marker("processes")


@pytest.fixture
def world(database_url):
    """A world at the present moment, since servers have a real clock."""
    world = World(database_url, datetime.now(UTC))
    yield world
    world.close()


@pytest.fixture
def sqlite_world(tmp_path):
    world = World(databases.new_database("sqlite", tmp_path), datetime.now(UTC))
    yield world
    world.close()
