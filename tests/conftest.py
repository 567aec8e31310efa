"""What every test can ask for: a database of each kind, the app on it, and a client that checks."""

import gc
import logging
import os
import shutil
from dataclasses import asdict
from pathlib import Path

import pytest
from jinja2 import BytecodeCache
from sqlalchemy import create_engine

from cop import create_app
from cop.app import Application
from cop.config import Settings
from cop.db.engine import DatabaseSession, db, engine_options, prepare, write_tx
from cop.operations import seed
from tests import commands, databases
from tests.builders import NOW, a_coordinator
from tests.client import SeparateRequests, signed_in

# The databases that a test runs on by its nearest of these markers; without one, on SQLite.
POSTGRESQL = pytest.param("postgresql", marks=pytest.mark.postgresql)
KINDS = {"both": ["sqlite", POSTGRESQL], "sqlite": ["sqlite"], "postgresql": ["postgresql"]}


class SharedBytecode(BytecodeCache):
    """The templates, compiled once for all the apps of a test run."""

    compiled = {}  # noqa: RUF012 - meant to be shared

    def load_bytecode(self, bucket):
        if code := self.compiled.get(bucket.key):
            bucket.bytecode_from_string(code)

    def dump_bytecode(self, bucket):
        self.compiled[bucket.key] = bucket.bytecode_to_string()


Application.jinja_options = {**Application.jinja_options, "bytecode_cache": SharedBytecode()}


def pytest_generate_tests(metafunc):
    markers = [marker.name for marker in metafunc.definition.iter_markers() if marker.name in KINDS]
    if markers and "database_kind" in metafunc.fixturenames:
        metafunc.parametrize("database_kind", KINDS[markers[0]])


def settings_for(url, **values):
    """Settings for a database, without a look at the environment."""
    url = url.replace("postgresql://", "postgresql+psycopg://")
    return Settings(instance=Path("/nonexistent"), secret_key="k" * 40, database_url=url, **values)


def pytest_collection_finish():
    # What the modules have made stays to the end: looking there for garbage took an eighth of a run.
    gc.freeze()
    gc.set_threshold(5_000)


@pytest.fixture(scope="session", autouse=True)
def _no_template_left():
    yield
    databases.drop_all()


@pytest.fixture
def database_kind():
    return "sqlite"


@pytest.fixture(scope="session")
def database_folder(tmp_path_factory):
    return tmp_path_factory.mktemp("databases")


@pytest.fixture
def database_url(database_kind, database_folder):
    """A new database with the first meetings in it; on SQLite always the same file, made anew."""
    shutil.rmtree(database_folder)
    database_folder.mkdir()
    url = databases.new_database(database_kind, database_folder, begun=True)
    yield url
    databases.release(url)


@pytest.fixture
def settings(request, database_url):
    """The site's settings, of which a `settings` marker changes some."""
    marker = request.node.get_closest_marker("settings")
    return settings_for(database_url, **{"posts_per_hour": 0} | (marker.kwargs if marker else {}))


@pytest.fixture(scope="session")
def apps():
    """Apps by their settings: making one takes as long as several tests."""
    return {}


@pytest.fixture
def app(settings, apps):
    """The app at a fixed moment, with the community and its next six meetings."""
    key = str(asdict(settings))  # whose repr hides secrets
    if key not in apps:
        app = create_app(settings)
        app.test_client_class = SeparateRequests
        app.extensions["cop.clock"] = lambda: NOW
        if not settings.is_sqlite:  # each test has another database
            apps.clear()
        apps[key] = app, dict(app.extensions), dict(app.config)
    app, extensions, config = apps[key]
    yield from fresh(app, extensions, config)


def fresh(app, extensions, config):
    """An app as it was made, whatever the last test has changed in it."""
    app.extensions.clear()
    app.extensions.update(extensions)
    app.config.clear()
    app.config.update(config)
    app.extensions["cop.page_cache"]._pages.clear()
    with app.app_context():
        if app.extensions["cop.settings"].posts_per_hour:
            app.extensions["cop.limiter"].reset()
        yield app
        db.engine.dispose()


@pytest.fixture
def client(app):
    return app.test_client()


@pytest.fixture
def app_session(app):
    """A transaction on the app's database that the test itself may write in."""
    with write_tx() as db_session:
        yield db_session


@pytest.fixture
def corin(app, client):
    """A client that is signed in as Corin, the coordinator."""
    with write_tx() as db_session:
        corin = a_coordinator(db_session)
    return signed_in(client, corin.id)


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
            with DatabaseSession(engines[kind]) as db_session:
                seed.create_site(db_session, now=NOW)
                db_session.commit()
        return engines[kind]

    yield engine_of
    for engine in engines.values():
        engine.dispose()
    for url in urls:
        databases.release(url)


@pytest.fixture
def db_session(database_kind, seeded):
    """A transaction that the test may write in, and that is taken back when it is over."""
    with DatabaseSession(seeded(database_kind), expire_on_commit=False) as db_session:
        db_session.connection(execution_options={"immediate": True})
        yield db_session
        db_session.flush()


@pytest.fixture
def instance(tmp_path, monkeypatch):
    """An instance folder that does not exist yet, and an environment that names it alone."""
    _clear_settings(monkeypatch)
    monkeypatch.setattr(logging.getLogger("cop"), "handlers", [logging.NullHandler()])
    folder = tmp_path / "instance"
    monkeypatch.setenv("COP_INSTANCE", str(folder))
    return folder


def _clear_settings(monkeypatch):
    for name in list(os.environ):
        if name.startswith("COP_"):
            monkeypatch.delenv(name)


@pytest.fixture(scope="session")
def started_once(tmp_path_factory):
    """An instance folder as its first start leaves it, which no test changes."""
    folder = tmp_path_factory.mktemp("started_once") / "instance"
    with pytest.MonkeyPatch.context() as monkeypatch:
        _clear_settings(monkeypatch)
        result = commands.run("seed", COP_INSTANCE=str(folder))
    assert result.exit_code == 0, result.output
    return folder


@pytest.fixture
def site_folder(instance, started_once):
    """The instance folder of a site that was started once."""
    shutil.copytree(started_once, instance)
    return instance
