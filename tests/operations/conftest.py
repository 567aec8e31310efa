"""A site with a database file of its own, for tests that copy or replace it."""

import pytest

from tests.conftest import settings_for


@pytest.fixture
def site(database_url):
    """The settings of a site with a database file, and no open connection."""
    return settings_for(database_url)
