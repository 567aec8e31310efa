"""Spellings of the client's address, behind proxies, and of the site's own host."""

import pytest

from cop import create_app
from cop.db.engine import db
from cop.web.environ import UNKNOWN, client_address, split_host
from tests.builders import NOW
from tests.client import DECEMBER, SeparateRequests
from tests.conftest import settings_for
from tests.page import parse

BASE = "https://cop.example.org"


@pytest.mark.parametrize(
    ("text", "address"),
    [
        *(("203.0.113.9", "203.0.113.9"), ("203.0.113.9:4711", "203.0.113.9")),
        *((" 203.0.113.9 ", "203.0.113.9"), ('"203.0.113.9:1"', "203.0.113.9")),
        *(("2001:DB8::1", "2001:db8::1"), ("[2001:db8::1]", "2001:db8::1")),
        *(("[2001:db8::1]:4711", "2001:db8::1"), ('"[2001:db8::1]:4711"', "2001:db8::1")),
        *(("fe80::1%eth0", "fe80::1"), ("::ffff:203.0.113.9", "203.0.113.9")),
        *(("[::ffff:203.0.113.9]:80", "203.0.113.9"), ("unknown", UNKNOWN), ("", UNKNOWN)),
        *(("_hidden", UNKNOWN), ("for=203.0.113.9", UNKNOWN), ("203.0.113.9;x", UNKNOWN)),
        *(("203.0.113.256", UNKNOWN), ("\xff", UNKNOWN), ("[", UNKNOWN), (":", UNKNOWN)),
        *(("203.0.113.9:" + "0" * 99, UNKNOWN), ("x" * 99_999, UNKNOWN)),
    ],
)
def test_an_address_is_parsed_however_a_proxy_writes_it(text, address):
    assert client_address(text) == address


@pytest.mark.parametrize(
    ("host", "name", "port"),
    [
        *(("cop.example.org", "cop.example.org", ""), ("COP.Example.org.", "cop.example.org", "")),
        *(("Cop.example.org.:8443", "cop.example.org", "8443"), ("[::1]", "localhost", "")),
        *(("[::1]:80", "localhost", "80"), ("127.0.0.1:1", "127.0.0.1", "1")),
        *(("a..", "a.", ""), ("a:b", "", ""), ("a:1:2", "", ""), ("", "", ""), (":1", "", "")),
    ],
)
def test_a_host_is_split_whatever_its_spelling(host, name, port):
    assert split_host(host) == (name, port)


@pytest.fixture
def site(app, database_url):
    """Make an app behind a proxy that accepts three forms an hour from one network."""
    made = []

    def make(**values):
        values = {"base_url": BASE, "trusted_proxies": 1, "posts_per_hour": 3} | values
        made.append(other := create_app(settings_for(database_url, **values)))
        other.extensions["cop.clock"] = lambda: NOW
        other.test_client_class = SeparateRequests
        return other

    yield make
    for other in made:
        with other.app_context():
            db.engine.dispose()


def token_at(client, headers):
    return parse(client.get("/register", headers=headers)).find(attrs={"name": "token"})["value"]


def statuses(site, froms):
    """Send a form from each address, as the proxy writes it; return the statuses."""
    client, answered = site.test_client(), []
    behind = {"Host": "cop.example.org", "X-Forwarded-Proto": "https"}
    token = token_at(client, behind)
    for number, address in enumerate(froms):
        typed = {"name": "Ada", "email": f"ada{number}@example.org", "sessions": DECEMBER}
        headers = behind | {"X-Forwarded-For": address}
        answer = client.post("/register", data=typed | {"token": token}, headers=headers)
        answered.append(answer.status_code)
    return answered


@pytest.mark.parametrize(
    "written", ["203.0.113.{0}", "203.0.113.{0}:4000{0}", "[2001:db8:{0}::1]:4000{0}"]
)
def test_networks_are_counted_apart_where_the_proxy_adds_ports(site, written):
    assert statuses(site(), [written.format(number) for number in range(1, 7)]) == [303] * 6


@pytest.mark.parametrize(
    "written",
    [
        *("203.0.113.9:4000{0}", "10.0.0.{0}, 203.0.113.9", "[2001:db8::{0}]:4000{0}"),
        *("junk{0}", "for=203.0.113.{0}", "unknown:{0}"),
    ],
)
def test_one_network_counts_as_one_whatever_is_added(site, written):
    froms = [written.format(number) for number in range(1, 6)]

    assert statuses(site(), froms) == [303] * 3 + [429] * 2


SPELLINGS = ["cop.example.org", "COP.EXAMPLE.ORG", "cop.example.org.", "Cop.Example.Org.:443"]


def test_a_host_in_capitals_or_with_a_final_dot_is_the_same_site(site):
    app = site()
    client = app.test_client()

    pages = [client.get("/schedule.json", headers={"Host": host}) for host in SPELLINGS]

    assert [page.status_code for page in pages] == [200] * 4
    assert {page.data for page in pages} == {pages[0].data}
    assert f"{BASE}/schedule" in pages[0].text
    assert len(app.extensions["cop.page_cache"]) == 1
    other = client.get("/schedule.json", headers={"Host": "cop.example.org.evil.example"})
    assert other.status_code == 400


@pytest.mark.parametrize(
    ("origin", "status"),
    [
        *((BASE, 303), ("https://COP.example.org", 303), (f"{BASE}.", 303)),
        *(("https://cop.example.org.evil.example", 403), (f"{BASE}..", 403), (f"{BASE}:8443", 403)),
        *((f"{BASE}.evil.example.", 403), ("http://cop.example.org", 403), ("null", 403)),
    ],
)
def test_an_origin_may_be_any_spelling_of_the_site_and_no_other(site, origin, status):
    client = site().test_client()
    token = token_at(client, {"Host": "cop.example.org"})
    typed = {"name": "Ada", "email": "ada@example.org", "sessions": DECEMBER, "token": token}

    answer = client.post(
        "/register", data=typed, headers={"Host": "cop.example.org", "Origin": origin}
    )

    assert answer.status_code == status


def test_an_unexpected_proxy_is_ignored_and_logged_once(site, caplog):
    app = site(trusted_proxies=0)

    answered = statuses(app, [f"203.0.113.{number}" for number in range(1, 6)])

    assert answered == [303] * 3 + [429] * 2
    assert len([line for line in caplog.messages if "COP_TRUSTED_PROXIES" in line]) == 1
