"""A site with a database file of its own, for tests that copy or replace it."""

import pytest

from cop import create_app
from cop.db.engine import db, write_tx
from cop.operations import seed
from tests import databases
from tests.builders import NOW
from tests.conftest import settings_for


@pytest.fixture
def site(tmp_path):
    """The settings of a site with a database file of its own, and no open connection."""
    settings = settings_for(databases.new_database("sqlite", tmp_path))
    app = create_app(settings)
    with app.app_context():
        with write_tx() as db_session:
            seed.create_site(db_session, now=NOW)
        db.engine.dispose()
    return settings
