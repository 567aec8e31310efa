"""The roster of a session that 1,000 people chose: alone in the database, and among 100,000 others."""

import random
import time
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

from sqlalchemy import insert

from cop import create_app
from cop.db.engine import db, write_tx
from cop.models.registration import Member, Registration
from cop.operations import seed
from cop.operations.schema import upgrade
from tests.bench.measuring import Figure, compared
from tests.bench.sites import coordinator
from tests.builders import a_meeting
from tests.client import HTMX, SAME_ORIGIN
from tests.conftest import settings_for
from tests.statements import Statements

HERE = 1000
ELSEWHERE = 200  # sessions among which all others are spread
MOST = 60  # ms
AT_ONCE = 10_000  # rows of an insert
SLUG = "1999-01-01-2"
PAGE, SEARCH = f"/coordinator/sessions/{SLUG}", f"/coordinator/sessions/{SLUG}/people"


def measure(*, is_quick):
    """Server time of the page and of a search, on two databases in turn."""
    many, times = (20_000, 15) if is_quick else (100_000, 60)
    with (
        TemporaryDirectory(prefix="cop-bench-") as folder,
        _site(Path(folder) / "few.sqlite3", HERE) as few,
        _site(Path(folder) / "many.sqlite3", many) as full,
    ):
        for what, ask in (("page", _page), ("search", _search)):
            small, large = _alternating(lambda site, ask=ask: ask(site), few, full, times=times)
            yield from _figures(what, small, large, many)
            with full.app.app_context(), Statements() as sent:
                ask(full)
            yield Figure(f"SQL statements of the roster's {what}", len(sent), "", "<= 5",
                         len(sent) <= 5)  # fmt: skip


class _Site:
    """An app on a database of its own, and a coordinator's client."""

    def __init__(self, app, client, csrf_token):
        self.app, self.client, self.csrf_token = app, client, csrf_token


@contextmanager
def _site(file, people):
    """A session with its people, and as many more registrations at others as make up the number."""
    app = create_app(settings_for(f"sqlite:///{file}"))
    upgrade(app)
    now = datetime.now(UTC)
    with app.app_context():
        with write_tx() as db_session:
            seed.create_site(db_session, now=now)
            _fill(db_session, now, people)
        with db.engine.connect() as connection:
            connection.exec_driver_sql("ANALYZE")
    client = coordinator(app)
    page = client.get(PAGE).get_data(as_text=True)
    yield _Site(app, client, page.partition('name="csrf_token" value="')[2].partition('"')[0])
    with app.app_context():
        db.engine.dispose()


def _fill(db_session, now, people):
    chance = random.Random(7)
    members = [{"id": n, "email": f"p{n}@example.org", "email_key": f"p{n}@example.org",
                "opt_outs": [], "token_version": 1, "calendar_version": 1}
               for n in range(1, people + 1)]  # fmt: skip
    it = a_meeting(db_session, slug=SLUG, starts_at=now + timedelta(days=20), capacity=900)
    others = [a_meeting(db_session, slug=f"1999-02-01-{n + 2}", starts_at=now + timedelta(days=n - 100)).id
              for n in range(ELSEWHERE)]  # fmt: skip
    chance.shuffle(members)
    rows = [_row(n, member["id"], it.id if n < HERE else others[n % ELSEWHERE], now)
            for n, member in enumerate(members)]  # fmt: skip
    chance.shuffle(rows)
    for table, values in ((Member, members), (Registration, rows)):
        for start in range(0, len(values), AT_ONCE):
            db_session.execute(insert(table), values[start : start + AT_ONCE])


def _row(number, member_id, meeting_id, now):
    status = "held" if number % 10 < 9 else "waiting"
    said = {"name": f"José Nuñez {number}", "organization": f"Harbor Data Lab {number % 40}"}
    lists = {"hats": ["analyst", "evaluator"], "access": ["asl"] if number % 20 == 0 else []}
    at = {"registered_at": now - timedelta(minutes=number), "language": "en"}
    ids = {"member_id": member_id, "meeting_id": meeting_id, "status": status}
    return said | lists | at | ids | {"taking_part": [], "first_time": number % 3 == 0}


def _page(site):
    assert site.client.get(PAGE).status_code == 200


def _search(site):
    sent = {"text": "jose lab 7", "sort": "name", "csrf_token": site.csrf_token}
    response = site.client.post(SEARCH, data=sent, headers=SAME_ORIGIN | HTMX)
    assert response.status_code == 200


def _alternating(ask, *sites, times):
    """The seconds that each site takes, asked in turn."""
    took = {site: [] for site in sites}
    for number in range(times + 3):
        for site in sites:
            began = time.perf_counter()
            ask(site)
            if number >= 3:  # the first ones compile
                took[site].append(time.perf_counter() - began)
    return took.values()


def _figures(what, small, large, many):
    small, large = ([seconds * 1000 for seconds in took] for took in (small, large))
    of = f"roster {what}, {HERE} people of {many:,} in the database"
    yield compared(f"{of}; of {HERE} in all", "ms", large, small, at_most=1.5)
    yield Figure("the same, median", median(large), "ms", f"< {MOST} ms", median(large) < MOST)
