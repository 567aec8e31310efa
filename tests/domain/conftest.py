"""A database for each test that is emptied and used again: making one takes PostgreSQL a second."""

import psycopg
import pytest

from cop.models import Base
from tests import databases


@pytest.fixture(scope="session")
def postgresql_url(tmp_path_factory):
    url = databases.new_database("postgresql", tmp_path_factory.mktemp("postgresql"))
    yield url
    databases.drop_database(url)


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request, tmp_path):
    if request.param == "sqlite":
        yield databases.new_database("sqlite", tmp_path)
        return
    url = request.getfixturevalue("postgresql_url")
    yield url
    with psycopg.connect(url, options="-c synchronous_commit=off") as connection:
        for table in reversed(Base.metadata.sorted_tables):
            connection.execute(f"DELETE FROM {table.name}")
