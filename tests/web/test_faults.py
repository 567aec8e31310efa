"""The database unavailable, locked or read-only: a 503 that keeps the form, and no restart."""

import threading
from contextlib import closing, contextmanager
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import event

from cop.db.engine import db, sqlite_file, sqlite_module
from cop.models.registration import Member, Submission
from tests import databases
from tests.client import (
    DECEMBER,
    HTMX,
    SAME_ORIGIN,
    form_token,
    form_values,
    register,
    registration_statuses,
    rows,
)
from tests.page import parse

pytestmark = pytest.mark.both

TYPED = {
    "name": 'Ada "&" Example',
    "email": "ada@example.org",
    "sessions": DECEMBER,
    "hats": ["analyst", "evaluator"],
}


def _name(url):
    return url.rpartition("/")[2]


def _cut_off(name):
    databases.run_on_server(
        f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'"
    )


@contextmanager
def gone(url):
    """Move the database elsewhere for a while."""
    if file := sqlite_file(url):
        db.engine.dispose()
        elsewhere = [(f, Path(f"{f}.elsewhere")) for f in file.parent.glob("cop.sqlite3*")]
        for here, there in elsewhere:
            here.rename(there)
        file.mkdir()
        yield
        file.rmdir()
        for here, there in elsewhere:
            there.rename(here)
        return
    name = _name(url)
    _cut_off(name)
    databases.run_on_server(f"ALTER DATABASE {name} RENAME TO {name}_elsewhere")
    yield
    databases.run_on_server(f"ALTER DATABASE {name}_elsewhere RENAME TO {name}")


@contextmanager
def locked(url):
    """Hold the locks from another connection."""
    if file := sqlite_file(url):
        # The same library as the site's: two of them on one file do not see each other's locks.
        with (
            on_every_checkout("PRAGMA busy_timeout=100"),
            closing(sqlite_module.connect(file, isolation_level=None)) as other,
        ):
            other.execute("BEGIN EXCLUSIVE")
            yield
        return
    with on_every_checkout("SET lock_timeout = 100"), psycopg.connect(url) as other:
        other.execute("SELECT id FROM meeting FOR UPDATE")
        other.execute("SELECT id FROM community FOR UPDATE")
        yield


@contextmanager
def read_only(url):
    """Make the database refuse writes."""
    if sqlite_file(url):
        with on_every_checkout("PRAGMA query_only=ON"):
            yield
        return
    db.engine.dispose()
    databases.run_on_server(f"ALTER DATABASE {_name(url)} SET default_transaction_read_only = on")
    yield
    databases.run_on_server(f"ALTER DATABASE {_name(url)} RESET default_transaction_read_only")
    _cut_off(_name(url))


@contextmanager
def on_every_checkout(statement):
    """Run a statement on each connection taken from the pool; leave none of them behind."""

    def run(connection, *_):
        connection.cursor().execute(statement)
        connection.commit()

    db.engine.dispose()
    event.listen(db.engine, "checkout", run)
    try:
        yield
    finally:
        event.remove(db.engine, "checkout", run)
        db.engine.dispose()


FAULTS = pytest.mark.parametrize("fault", [gone, locked, read_only])


@FAULTS
def test_an_outage_keeps_the_form_and_ends_without_a_restart(client, database_url, fault):
    answers = TYPED | {"token": form_token(client)}

    with fault(database_url):
        page = client.post("/register", data=answers, headers=SAME_ORIGIN)
        fragment = client.post("/register", data=answers, headers=SAME_ORIGIN | HTMX)
    assert rows() == rows(Member) == rows(Submission) == []
    preserved = form_values(parse(page).main)
    again = client.post("/register", data=preserved, headers=SAME_ORIGIN)

    assert (page.status_code, fragment.status_code) == (503, 503)
    assert int(page.headers["Retry-After"]) > 0
    assert preserved == {n: v if isinstance(v, list) else [v] for n, v in answers.items()}
    assert parse(page).select_one("main form")["action"] == "/register"
    assert "you won't be registered twice" in parse(page).main.get_text()
    assert again.status_code == 303
    assert registration_statuses() == [("ada@example.org", DECEMBER, "held")]


@pytest.mark.parametrize(
    ("path", "typed"),
    [
        ("/registered", {"organization": "Harbor Lab", "hats": ["analyst", "evaluator"]}),
        ("/registered/email", {"email": "grace@example.org"}),
    ],
)
def test_an_outage_keeps_what_was_typed_on_the_confirmation(client, database_url, path, typed):
    confirmation = register(client, DECEMBER).location
    path = confirmation.replace("/registered", path)

    with read_only(database_url):
        page = parse(client.post(path, data=typed, headers=SAME_ORIGIN))
    form = page.select_one("main form")
    again = client.post(form["action"], data=form_values(page.main), headers=SAME_ORIGIN)

    assert form["action"] == path
    assert again.status_code == 303
    assert {"Harbor Lab", "grace@example.org"} & {
        rows()[0]["organization"],
        rows(Member)[0]["email"],
    }


def test_a_page_without_a_database_is_a_503(client, database_url):
    pages = ["/", "/schedule", "/register", f"/schedule/{DECEMBER}", "/readyz"]
    before = {client.get(path).status_code for path in pages}

    with gone(database_url):
        during = {client.get(path).status_code for path in pages}
        alive = client.get("/healthz").status_code
    after = {client.get(path).status_code for path in pages}

    assert (before, during, after) == ({200}, {503}, {200})
    assert alive == 200


def test_pages_are_read_while_another_transaction_writes(client, database_url):
    with locked(database_url):
        statuses = {client.get(path).status_code for path in ("/", "/schedule", "/register")}

    assert statuses == {200}


@FAULTS
def test_the_console_is_a_503_too(corin, database_url, fault):
    with fault(database_url):
        during = corin.get("/coordinator/export.csv")
    after = corin.get("/coordinator/export.csv")

    assert during.status_code in ({200, 503} if fault is locked else {503})
    assert after.status_code == 200


@pytest.mark.postgresql  # SQLite has no server
def test_connections_that_the_server_closed_are_replaced(client, database_url):
    client.get("/")
    _cut_off(_name(database_url))

    statuses = [client.get("/").status_code for _ in range(3)]

    assert statuses == [200, 200, 200]


def test_conflicting_transactions_are_all_answered(app):
    answers = []

    def post(number):
        client = app.test_client()
        form = TYPED | {"token": form_token(client), "sessions": "all"}
        form["email"] = f"ada{number}@example.org"
        answers.append(client.post("/register", data=form).status_code)

    threads = [threading.Thread(target=post, args=[number]) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert answers == [303] * 8
    assert len(registration_statuses()) == 48
