"""How many SQL statements an answer takes, on every page, with few and with many rows."""

from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

from cop import create_app
from cop.db.engine import db, write_tx
from cop.operations import seed
from cop.operations.schema import upgrade
from tests.bench.measuring import Figure
from tests.bench.sites import coordinator, file_in
from tests.builders import NOW, a_meeting, a_registration
from tests.client import DECEMBER, PAST, SAME_ORIGIN, add_registrations, console_paths, form_token
from tests.conftest import settings_for
from tests.statements import Statements
from tests.web.test_statements import GET

PUBLIC, KEPT, REGISTERING, CONSOLE = 3, 1, 12, 5


def measure(*, is_quick):
    """The most that any address takes, with the address that takes it."""
    few, many = 5, 60 if is_quick else 300
    with TemporaryDirectory(prefix="cop-bench-") as name:
        counted = [_counted(Path(name), rows) for rows in (few, many)]
    for what, most in (("a public GET that is not kept", PUBLIC), ("a kept page", KEPT),
                       ("a registration", REGISTERING), ("a page of the console", CONSOLE)):  # fmt: skip
        yield _figure(what, [counts[what] for counts in counted], most)


def _counted(folder, rows):
    """For each kind of address, how many statements each of them takes."""
    with _site(folder, rows) as app:
        fresh, kept = _public(app)
        return {
            "a public GET that is not kept": fresh,
            "a kept page": kept,
            "a registration": _registering(app),
            "a page of the console": _console(app),
        }


@contextmanager
def _site(folder, rows):
    """The tests' world, with so many sessions more, and as many people at one of them."""
    app = create_app(settings_for(file_in(folder), posts_per_hour=0))
    app.extensions["cop.clock"] = lambda: NOW
    upgrade(app)
    with app.app_context():
        with write_tx() as db_session:
            seed.create_site(db_session, now=NOW)
            a_meeting(db_session, slug=PAST, starts_at=NOW - timedelta(days=5))
        for slug in (DECEMBER, PAST):  # the first of whom is the person whose page is looked at
            add_registrations(
                slug, *(f"grace{number}@example.org" for number in range(rows)), access=["cart"]
            )
        with write_tx() as db_session:
            for number in range(rows):
                starts_at = NOW + timedelta(days=2 * number - rows, hours=1)
                meeting = a_meeting(
                    db_session, starts_at=starts_at, slug=f"1999-01-01-{number + 2}"
                )
                a_registration(db_session, meeting, f"ada{number}@example.org", access=["asl"])
        yield app
        db.engine.dispose()


def _public(app):
    """Of those that stay on the shelf, only the second answer is a kept one."""
    client, shelf, fresh, kept = app.test_client(), app.extensions["cop.page_cache"], {}, {}
    for path in GET:
        before = len(shelf)
        fresh[path] = _count(app, lambda path=path: client.get(path))
        if len(shelf) > before:
            kept[path] = _count(app, lambda path=path: client.get(path))
    assert kept
    return fresh, kept


def _registering(app):
    client = app.test_client()
    answers = {"name": "Ada Example", "email": "ada@example.org", "sessions": DECEMBER}
    answers |= {"token": form_token(client)}

    def post():
        assert client.post("/register", data=answers, headers=SAME_ORIGIN).status_code == 303

    return {"/register": _count(app, post)}


def _console(app):
    client = coordinator(app, now=NOW)
    client.get("/coordinator/")  # that somebody is there is noted once a minute
    counted = {}
    for path in console_paths(app, method="GET"):
        with app.app_context(), Statements() as sent:
            response = client.get(path)
        if response.status_code == 200:  # some are only for sessions to come, or that are over
            counted[path] = len(sent)
    return counted


def _count(app, act):
    with app.app_context(), Statements() as sent:
        act()
    return len(sent)


def _figure(what, counted, most):
    few, many = counted
    address = max(many, key=many.get)
    over = sorted(path for path in many if max(few[path], many[path]) > most)
    highest = max(*few.values(), *many.values())
    also = f"; over it: {', '.join(over)}" if over else ""
    return Figure(f"SQL statements of {what}, the most of {len(many)} ({address}){also}", highest,
                  "", f"<= {most}", not over)  # fmt: skip
