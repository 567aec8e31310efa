"""Spellings of the client's address, behind proxies, and of the site's own host."""

import pytest

from cop.web.environ import UNKNOWN, client_address, split_host
from cop.web.forms import new_token
from tests.client import DECEMBER

BASE = "https://cop.example.org"
SPELLINGS = ["cop.example.org", "COP.EXAMPLE.ORG", "cop.example.org.", "Cop.Example.Org.:443"]
# As a proxy writes it, in this order, with one form an hour from each network.
FORWARDED = [
    ("203.0.113.9", 303),
    ("203.0.113.9:40001", 429),
    ("10.0.0.1, 203.0.113.9", 429),
    ("203.0.113.8:40001", 303),
    ("[2001:db8:1::1]:40001", 303),
    ("[2001:db8:1::2]:40002", 429),
    ("[2001:db8:2::1]:40001", 303),
    ("junk1", 303),
    ("for=203.0.113.2", 429),
]


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


def statuses(client, forwarded):
    """Send a form from each address, as the proxy writes it; return the statuses."""
    token = new_token()
    answers = []
    for number, address in enumerate(forwarded):
        typed = {"name": "Ada", "email": f"ada{number}@example.org", "sessions": DECEMBER}
        headers = {"X-Forwarded-Proto": "https", "X-Forwarded-For": address}
        data = typed | {"token": token}
        answers.append(client.post("/register", data=data, headers=headers, base_url=BASE))
    return [answer.status_code for answer in answers]


@pytest.mark.settings(base_url=BASE, trusted_proxies=1, posts_per_hour=1)
def test_behind_a_proxy_one_network_counts_as_one_whatever_is_added(client):
    addresses = [address for address, _ in FORWARDED]

    assert list(zip(addresses, statuses(client, addresses), strict=True)) == FORWARDED


@pytest.mark.settings(base_url=BASE)
def test_a_host_in_capitals_or_with_a_final_dot_is_the_same_site(app, client):
    pages = [client.get("/schedule.json", headers={"Host": host}) for host in SPELLINGS]

    assert [page.status_code for page in pages] == [200] * 4
    assert {page.data for page in pages} == {pages[0].data}
    assert f"{BASE}/schedule" in pages[0].text
    assert len(app.extensions["cop.page_cache"]) == 1


@pytest.mark.settings(base_url=BASE, posts_per_hour=3)
def test_an_unexpected_proxy_is_ignored_and_logged_once(client, caplog):
    answered = statuses(client, [f"203.0.113.{number}" for number in range(1, 6)])

    assert answered == [303] * 3 + [429] * 2
    assert len([line for line in caplog.messages if "COP_TRUSTED_PROXIES" in line]) == 1
