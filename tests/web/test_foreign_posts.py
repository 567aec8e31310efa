"""Where a post may come from: our own pages, and programs that say nothing; never another site."""

import pytest

from cop import create_app
from cop.db.engine import db
from tests.builders import NOW
from tests.client import DECEMBER, HTMX, SeparateRequests, places, rows, token_of
from tests.conftest import settings_for
from tests.page import parse

OUR_OWN = "[target=_blank][href='/register']"  # the same form, at top level
FOREIGN = [
    {"Sec-Fetch-Site": "cross-site"},
    {"Sec-Fetch-Site": "same-site"},
    {"Sec-Fetch-Site": "none"},
    {"Sec-Fetch-Site": ""},
    {"Sec-Fetch-Site": "cross-site", "Origin": "http://localhost"},
    {"Origin": "https://evil.example"},
    {"Origin": "null"},
    {"Origin": "http://localhost:8001"},
    {"Origin": "https://localhost"},
    {"Origin": "http://localhost.evil.example"},
    {"Origin": "http://evillocalhost"},
    {"Origin": "http://evil.localhost"},
    {"Origin": "http://["},
    {"Origin": "http://localhost:99999999"},
    {"Origin": ""},
]
OURS = [
    {"Sec-Fetch-Site": "same-origin"},
    {"Sec-Fetch-Site": "same-origin", "Origin": "null"},
    {"Origin": "http://localhost"},
    {"Origin": "http://127.0.0.1"},
    {"Origin": "http://[::1]"},
    {},
]


BASE = "https://cop.example.org"


@pytest.fixture
def site(database_url):
    """A client of a site with an address of its own."""
    app = create_app(settings_for(database_url, base_url=BASE, posts_per_hour=0))
    app.extensions["cop.clock"] = lambda: NOW
    app.test_client_class = AtBase
    with app.app_context():
        yield app.test_client()
        db.engine.dispose()


class AtBase(SeparateRequests):
    """A client that asks the site by its own address."""

    def open(self, *args, **kwargs):
        return super().open(*args, **{"base_url": BASE} | kwargs)


def in_words(headers):
    return ", ".join(f"{name} {value or 'empty'}" for name, value in headers.items()) or "neither"


def good_form(client):
    ada = {"name": "Ada Example", "email": "ada@example.org", "sessions": DECEMBER}
    return ada | {"token": token_of(client)}


@pytest.mark.parametrize("path", ["/register", "/embed/register"], ids=["site", "frame"])
@pytest.mark.parametrize("headers", FOREIGN, ids=in_words)
def test_a_form_sent_from_another_site_is_refused_with_a_way_to_our_own(client, headers, path):
    answers = good_form(client)

    page = client.post(path, data=answers, headers=headers)
    fragment = client.post(path, data=answers, headers=headers | HTMX)

    assert (page.status_code, fragment.status_code) == (403, 403)
    assert places() == rows() == []
    for answer, title in ((page, "main > h1"), (fragment, ".summary h2")):
        soup = parse(answer)
        assert "cannot be sent from inside this page" in soup.select_one(title).get_text()
        assert soup.select_one(OUR_OWN)["rel"] == ["noopener"]
    assert "HX-Retarget" not in page.headers
    assert fragment.headers["HX-Retarget"] == "#problem"


@pytest.mark.parametrize("path", ["/register", "/embed/register"], ids=["site", "frame"])
@pytest.mark.parametrize("headers", OURS, ids=in_words)
def test_a_form_sent_from_our_own_page_passes(client, headers, path):
    response = client.post(path, data=good_form(client), headers=headers)

    assert response.status_code == 303
    assert len(places()) == 1


def test_what_another_site_sent_is_not_said_again_on_our_page(client):
    answers = good_form(client) | {"name": "Words of Mallory"}

    page = client.post("/register", data=answers, headers={"Sec-Fetch-Site": "cross-site"})

    assert page.status_code == 403
    assert "Mallory" not in page.get_data(as_text=True)


def test_the_hint_is_for_our_own_pages_too(client):
    response = client.post(
        "/register/email-hint", data={"email": "a@gmial.com"}, headers={"Sec-Fetch-Site": "none"}
    )

    assert response.status_code == 403


@pytest.mark.parametrize("headers", [*FOREIGN, {}], ids=in_words)
def test_the_console_refuses_what_does_not_come_from_its_own_pages(corin, headers):
    response = corin.post("/coordinator/sign-out", headers=headers)

    assert response.status_code == 403
    assert corin.get("/coordinator/").status_code == 200


@pytest.mark.parametrize(
    "origin",
    [
        "https://evilcop.example.org",
        "https://evil.cop.example.org",
        "https://cop.example.org.evil.test",
        "https://cop.example.org@evil.test",
        "https://cop.example.org:8443",
        "http://cop.example.org",
        "https://example.org",
        "cop.example.org",
    ],
)
@pytest.mark.parametrize("path", ["/register", "/embed/register"], ids=["site", "frame"])
def test_an_origin_that_only_looks_like_ours_is_refused(site, origin, path):
    answers = good_form(site)

    refused = site.post(path, data=answers, headers={"Origin": origin}, base_url=BASE)
    none = places()
    accepted = site.post(path, data=answers, headers={"Origin": BASE}, base_url=BASE)

    assert (refused.status_code, none) == (403, [])
    assert (accepted.status_code, len(places())) == (303, 1)


@pytest.mark.parametrize("host", ["localhost:99999", "localhost:x", "127.0.0.1:"])
def test_a_strange_port_is_no_fault_of_ours(client, host):
    headers = {"Host": host, "Origin": "http://localhost:1"}

    response = client.post("/register", data=good_form(client), headers=headers)

    assert response.status_code in {400, 403}


@pytest.mark.parametrize("headers", [{}, HTMX], ids=["page", "fragment"])
def test_a_foreign_post_without_end_is_refused_like_any_other(client, headers):
    foreign = {"Sec-Fetch-Site": "cross-site"} | headers

    response = client.post("/register", data={"name": "x" * 70_000}, headers=foreign)

    assert response.status_code in {403, 413}
