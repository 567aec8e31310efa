"""The health checks: yes or no at any host name, and nothing about anybody."""

from datetime import timedelta
from functools import partial

import pytest
from werkzeug.test import EnvironBuilder, run_wsgi_app

from cop import create_app
from cop.community import community
from cop.db.engine import db, write_tx
from cop.operations import worker
from tests.builders import NOW, an_email
from tests.client import advance_clock
from tests.conftest import settings_for
from tests.web.test_faults import gone, locked, read_only

pytestmark = pytest.mark.both

A_SECOND = timedelta(seconds=1)


def probe(app, now):
    """Let the worker try to write."""
    worker.try_once(app, partial(worker.probe_write, lambda: now))


@pytest.mark.parametrize(
    ("ago", "status"),
    [
        *((timedelta(), 200), (timedelta(minutes=2), 200), (timedelta(minutes=2) + A_SECOND, 503)),
        *((timedelta(hours=9), 503), (timedelta(minutes=-2) - A_SECOND, 503), (None, 503)),
    ],
    ids=["now", "in time", "too old", "over night", "clock set back since", "never"],
)
def test_ready_means_that_a_write_worked_in_the_last_two_minutes(client, ago, status):
    with write_tx() as db_session:
        community.note_write_probe(db_session, now=NOW - ago if ago is not None else None)

    answer = client.get("/readyz")

    assert (answer.status_code, answer.json) == (status, {"ready": status == 200})


@pytest.mark.parametrize("fault", [gone, locked, read_only])
def test_a_database_that_takes_no_writes_is_not_ready_until_it_does(
    app, client, database_url, fault
):
    later = NOW + timedelta(minutes=4)
    advance_clock(app, later - NOW)
    probe(app, later - timedelta(minutes=2) - A_SECOND)  # the last one that worked

    with fault(database_url):
        probe(app, later)
        during = client.get("/readyz")
    probe(app, later)
    after = client.get("/readyz")

    assert (during.status_code, after.status_code) == (503, 200)
    assert during.json == {"ready": False}


def test_a_write_probe_invalidates_no_cached_page(app, client):
    before = client.get("/schedule").headers["ETag"]
    revision = app.extensions["cop.revision_reader"].current()

    probe(app, NOW + timedelta(minutes=1))

    assert app.extensions["cop.revision_reader"].current() == revision
    assert client.get("/schedule", headers={"If-None-Match": before}).status_code == 304


def test_readiness_reveals_nothing_of_what_happens_on_the_site(client):
    before = client.get("/readyz")
    with write_tx() as db_session:
        an_email(db_session, "ada@example.org")
        community.note_daily_tasks(db_session, now=NOW)
        community.note_backup(db_session, now=NOW)

    after = client.get("/readyz")

    assert after.data == before.data == b'{"ready":true}\n'
    assert set(after.headers.keys()) == set(before.headers.keys())


def test_an_old_backup_takes_no_healthy_site_out_of_rotation(client):
    with write_tx() as db_session:
        community.note_backup(db_session, now=NOW - timedelta(days=9))

    assert client.get("/readyz").status_code == 200


HOSTS = ["10.0.0.7:8000", "evil.example", "a b", "é", "[::1]:9", "x" * 300, "", None]


@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
def test_monitors_may_use_any_name_for_the_site_and_store_nothing(database_url, path):
    site = create_app(settings_for(database_url, base_url="https://cop.example.org"))
    site.extensions["cop.clock"] = lambda: NOW
    answers = {}
    for host in HOSTS:
        environ = EnvironBuilder(path).get_environ() | {"SERVER_NAME": "10.0.0.7"}
        del environ["HTTP_HOST"]
        environ |= {"HTTP_HOST": host} if host is not None else {}
        _, status, headers = run_wsgi_app(site, environ)
        answers[host] = status, headers["Cache-Control"]
    with site.app_context():
        db.engine.dispose()

    assert answers == dict.fromkeys(HOSTS, ("200 OK", "no-store"))
