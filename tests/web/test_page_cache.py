"""Cached pages: never served once they would be rendered differently."""

import gzip
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import brotli
import pytest

from cop import create_app
from cop.community.rhythm import Occurrence
from cop.dates import NEAR_DAYS
from cop.db.engine import db, read_tx, write_tx
from cop.meetings import planning
from cop.meetings.schedule import IN_FEEDS_FOR
from cop.models.meeting import Meeting
from cop.web import page_cache
from cop.web.page_cache import MAX_ENTRIES, PageCache
from tests.builders import ADA, NOW, cancel_meeting, edit, register
from tests.client import DECEMBER, HTMX, add_registrations, advance_clock, update_meeting
from tests.statements import Statements

pytestmark = pytest.mark.both

CACHED = [
    *("/", "/schedule", "/schedule/past", "/your-data", "/schedule.ics", "/schedule.json"),
    *(f"/schedule/{DECEMBER}.ics", "/embed/", "/embed/schedule", "/embed/next"),
]
NOT_CACHED = ["/register", f"/schedule/{DECEMBER}", "/my-link", "/nothing", "/schedule/1999-01-01"]
DECODERS = {"br": brotli.decompress, "gzip": gzip.decompress, None: bytes}
ENCODINGS = {
    "br, gzip": "br",
    "gzip, deflate": "gzip",
    "br;q=0, gzip": "gzip",
    "identity": None,
    "": None,
    "zstd": None,
}


def text(client, path="/schedule", **headers):
    answer = client.get(path, headers={name.replace("_", "-"): v for name, v in headers.items()})
    assert answer.status_code == 200
    return answer.get_data(as_text=True)


def in_another_process(settings, act):
    """Act through an app of its own, as another process on the same database does."""
    app = create_app(settings)
    with app.app_context():
        with write_tx() as db_session:
            act(db_session)
        db.engine.dispose()


def december(db_session):
    return db_session.query(Meeting).filter_by(slug=DECEMBER).one()


def test_a_cached_page_takes_one_statement_and_is_the_same(client):
    for path in CACHED:
        first = client.get(path)

        with Statements() as sent:
            again = client.get(path)

        assert len(sent) == 1, path
        assert again.data == first.data
        assert dict(again.headers) == dict(first.headers)


def test_a_page_with_a_form_or_an_error_is_not_cached(app, client):
    for path in NOT_CACHED:
        client.get(path)

    assert len(app.extensions["cop.page_cache"]) == 0


EDITS = {
    "a topic": lambda s: edit(s, december(s), topic="New topic"),
    "cancelled": lambda s: cancel_meeting(s, december(s)),
    "a registration": lambda s: register(s, DECEMBER, ADA),
    "one more meeting": lambda s: planning.add_meeting(
        s,
        Occurrence(NOW.date(), NOW + timedelta(days=3), NOW + timedelta(days=3, hours=1)),
        now=NOW,
        by_rule=False,
    ),
}


@pytest.mark.parametrize("edit", EDITS.values(), ids=EDITS)
def test_a_change_is_seen_by_the_next_request(client, edit):
    update_meeting(DECEMBER, capacity=6)
    paths = ["/schedule", "/schedule.json", "/embed/schedule"]
    before = [client.get(path) for path in paths]

    with write_tx() as db_session:
        edit(db_session)

    for path, old in zip(paths, before, strict=True):
        new = client.get(path, headers={"If-None-Match": old.headers["ETag"]})
        assert (path, new.status_code) == (path, 200)
        assert new.data != old.data


def test_a_change_of_another_process_is_seen_by_the_next_request(client, settings):
    before = client.get("/schedule")

    in_another_process(settings, EDITS["a topic"])
    after = client.get("/schedule", headers={"If-None-Match": before.headers["ETag"]})

    assert after.status_code == 200
    assert after.data != before.data


MOMENTS = {
    "a session begins": ("starts_at", timedelta()),
    "a session ends": ("ends_at", timedelta()),
    "a session leaves the feeds": ("ends_at", IN_FEEDS_FOR),
}


@pytest.mark.parametrize(("when", "later"), MOMENTS.values(), ids=MOMENTS)
def test_a_page_expires_when_it_changes_by_itself(app, client, when, later):
    with read_tx() as db_session:
        moment = getattr(december(db_session), when) + later
    update_meeting(DECEMBER, capacity=1)
    add_registrations(DECEMBER, "ada@example.org")  # full: the waiting list ends with the start
    path = "/schedule.ics" if later else "/schedule"
    advance_clock(app, moment - NOW - timedelta(seconds=1))
    before = text(client, path)

    still = text(client, path)
    advance_clock(app, moment - NOW)
    after = text(client, path)

    assert before == still
    assert after != before


def test_a_date_gets_its_year_at_midnight_without_an_edit(app, client):
    zone = ZoneInfo("America/New_York")
    midnight = datetime(2026, 12, 15, tzinfo=zone) + timedelta(days=NEAR_DAYS)
    seen = []

    for moment in (midnight - timedelta(seconds=1), midnight):
        advance_clock(app, moment - NOW)
        seen.append("December 15, 2026" in text(client))

    assert seen == [False, True]


def test_setting_the_clock_back_brings_the_earlier_page_back(app, client):
    now = text(client)
    advance_clock(app, timedelta(days=30))
    later = text(client)

    advance_clock(app, timedelta())

    assert later != now
    assert text(client) == now


def test_themes_zones_hosts_and_fragments_are_cached_apart(client):
    addresses = ["/schedule", "/embed/schedule", "/embed/schedule?theme=dark"]

    pages = {path: text(client, path) for path in addresses}
    again = {path: text(client, path) for path in reversed(addresses)}
    other_host = client.get("/", base_url="http://127.0.0.1").text
    fragment = client.get("/schedule", headers=HTMX)

    assert again == pages
    assert len(set(pages.values())) == 3
    assert "http://127.0.0.1/" in other_host
    assert "http://127.0.0.1/" not in text(client, "/")
    assert "HX-Request" in fragment.vary


VARIATIONS = {
    "host and port": lambda n: {"headers": {"Host": f"cop.example.org:{n + 1}"}},
    "spelling of the host": lambda n: {"headers": {"Host": f"{'cOpP'[n % 4]}OP.example.org."[1:]}},
    "unknown host": lambda n: {"headers": {"Host": f"evil{n}.example"}},
    "query": lambda n: {"query_string": f"utm_source={n}&lang=x{n}&theme=dark"},
    "encoding": lambda n: {"headers": {"Accept-Encoding": f"x{n}, br;q=0.{n}, gzip;q={n}"}},
    "scheme": lambda n: {"headers": {"X-Forwarded-Proto": f"http{n}"}},
    "htmx": lambda n: {"headers": {"HX-Request": "true", "HX-Target": f"x{n}"}},
    "path": lambda n: {"path": "/%73chedule" if n % 2 else "/schedul%65"},
    "method": lambda _: {"method": "HEAD"},
    "address": lambda n: {"headers": {"X-Forwarded-For": f"203.0.113.{n}:{n}"}},
}


@pytest.mark.parametrize("vary", VARIATIONS.values(), ids=VARIATIONS)
@pytest.mark.settings(trusted_proxies=1, base_url="https://cop.example.org")
def test_anything_that_a_page_does_not_depend_on_makes_no_more_pages(
    app, client, monkeypatch, vary
):
    monkeypatch.setattr(page_cache, "MAX_ENTRIES", 5)
    usual = {"Host": "cop.example.org", "Accept-Encoding": "br", "X-Forwarded-Proto": "https"}
    good = client.get("/schedule", headers=usual)

    for number in range(10):
        varied = vary(number)
        headers = usual | varied.pop("headers", {})
        client.open(**{"path": "/schedule", "headers": headers} | varied)
    cached = len(app.extensions["cop.page_cache"])
    with Statements() as sent:
        again = client.get("/schedule", headers=usual)

    assert cached <= 3  # without compression, and each of two kinds of it
    assert (again.status_code, again.data, len(sent)) == (200, good.data, 1)


def test_without_a_base_address_only_the_port_in_use_is_cached(app, client):
    page = client.get("/schedule.json")

    mapped = [client.get("/schedule.json", headers={"Host": f"localhost:{n}"}) for n in (8123, 9)]

    assert "http://localhost:8123/schedule" in mapped[0].text
    assert "http://localhost/schedule" in page.text
    assert len(app.extensions["cop.page_cache"]) == 1


@pytest.mark.parametrize("path", ["/schedule", "/schedule.json"])
def test_a_page_is_compressed_as_the_browser_accepts(client, path):
    plain = client.get(path)

    for accepted, encoding in ENCODINGS.items():
        answer = client.get(path, headers={"Accept-Encoding": accepted})
        again = client.get(
            path, headers={"Accept-Encoding": accepted, "If-None-Match": answer.headers["ETag"]}
        )

        assert (accepted, answer.headers.get("Content-Encoding")) == (accepted, encoding)
        assert DECODERS[encoding](answer.data) == plain.data
        assert (answer.headers["ETag"] == plain.headers["ETag"]) is (encoding is None)
        assert "Accept-Encoding" in answer.vary
        assert (again.status_code, again.data) == (304, b"")


def test_of_too_many_pages_the_oldest_is_dropped():
    cache = PageCache()

    for number in range(MAX_ENTRIES + 5):
        cache.put(number, f"page {number}")

    assert len(cache) == MAX_ENTRIES
    assert cache.get(4) is None
    assert cache.get(5) == "page 5"


def test_a_cached_page_is_logged_and_answers_head_requests(client, caplog):
    full = client.get("/schedule")
    caplog.clear()

    head = client.head("/schedule")
    again = client.get("/schedule", headers={"If-None-Match": full.headers["ETag"]})

    logged = [(line.route, line.method, line.status) for line in caplog.records]
    assert logged == [("public.schedule", "HEAD", 200), ("public.schedule", "GET", 304)]
    assert len({line.request_id for line in caplog.records}) == 2
    assert (head.data, dict(head.headers)) == (b"", dict(full.headers))
    assert again.data == b""
