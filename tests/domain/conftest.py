"""Databases that are made once: a transaction of a test is taken back, or its database emptied.

Making one for each test takes PostgreSQL a second.
"""

import psycopg
import pytest
from sqlalchemy import create_engine
from sqlalchemy.orm import Session

from cop.db import engine_options, prepare
from cop.domain import seed
from cop.models import Base
from tests import databases
from tests.conftest import settings_for
from tests.world import NOW


@pytest.fixture(scope="session")
def seeded(tmp_path_factory):
    """An engine of each kind, made when it is first asked for, with the community in its database."""
    engines, urls = {}, []

    def engine_of(kind):
        if kind not in engines:
            urls.append(databases.new_database(kind, tmp_path_factory.mktemp("seeded")))
            settings = settings_for(urls[-1])
            options = engine_options(settings)
            engines[kind] = prepare(create_engine(settings.database_url, **options))
            with Session(engines[kind]) as db_session:
                seed.begin(db_session, now=NOW)
                db_session.commit()
        return engines[kind]

    yield engine_of
    for engine in engines.values():
        engine.dispose()
    for url in urls:
        databases.give_back(url)


@pytest.fixture
def db_session(database_kind, seeded):
    """A transaction that the test may write in, and that is taken back when it is over."""
    with Session(seeded(database_kind), expire_on_commit=False) as db_session:
        db_session.connection(execution_options={"immediate": True})
        yield db_session
        db_session.flush()


@pytest.fixture(scope="session")
def postgresql_url(tmp_path_factory):
    url = databases.new_database("postgresql", tmp_path_factory.mktemp("postgresql"))
    yield url
    databases.give_back(url)


@pytest.fixture
def database_url(database_kind, request, tmp_path):
    """A database for tests that need the app, or several connections; emptied afterwards."""
    if database_kind == "sqlite":
        yield databases.new_database("sqlite", tmp_path)
        return
    url = request.getfixturevalue("postgresql_url")
    yield url
    with psycopg.connect(url, options="-c synchronous_commit=off") as connection:
        for table in reversed(Base.metadata.sorted_tables):
            connection.execute(f"DELETE FROM {table.name}")
