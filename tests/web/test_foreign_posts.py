"""Posts from our own pages and from programs pass; posts from other sites never do."""

import pytest

from cop import create_app
from cop.db.engine import db
from tests.builders import NOW
from tests.client import DECEMBER, HTMX, SeparateRequests, form_token, registration_statuses, rows
from tests.conftest import settings_for
from tests.page import parse

OWN_PAGE = "[target=_blank][href='/register']"  # the same form outside of frames
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
    """A client that requests the site by its own address."""

    def open(self, *args, **kwargs):
        return super().open(*args, **{"base_url": BASE} | kwargs)


def in_words(headers):
    return ", ".join(f"{name} {value or 'empty'}" for name, value in headers.items()) or "neither"


def good_form(client):
    ada = {"name": "Ada Example", "email": "ada@example.org", "sessions": DECEMBER}
    return ada | {"token": form_token(client)}


@pytest.mark.parametrize("path", ["/register", "/embed/register"], ids=["site", "frame"])
@pytest.mark.parametrize("headers", FOREIGN, ids=in_words)
def test_a_form_sent_from_another_site_is_refused_with_a_way_to_our_own(client, headers, path):
    answers = good_form(client) | {"name": "Words of Mallory"}

    page = client.post(path, data=answers, headers=headers)
    fragment = client.post(path, data=answers, headers=headers | HTMX)

    assert (page.status_code, fragment.status_code) == (403, 403)
    assert registration_statuses() == rows() == []
    for answer, title in ((page, "main > h1"), (fragment, ".summary h2")):
        soup = parse(answer)
        assert "cannot be sent from inside this page" in soup.select_one(title).get_text()
        assert soup.select_one(OWN_PAGE)["rel"] == ["noopener"]
        assert "Mallory" not in answer.text
    assert "HX-Retarget" not in page.headers
    assert fragment.headers["HX-Retarget"] == "#problem"


@pytest.mark.parametrize("path", ["/register", "/embed/register"], ids=["site", "frame"])
@pytest.mark.parametrize("headers", OURS, ids=in_words)
def test_a_form_sent_from_our_own_page_passes(client, headers, path):
    response = client.post(path, data=good_form(client), headers=headers)

    assert response.status_code == 303
    assert len(registration_statuses()) == 1


def test_the_email_hint_is_for_our_own_pages_too(client):
    response = client.post(
        "/register/email-hint", data={"email": "a@gmial.com"}, headers={"Sec-Fetch-Site": "none"}
    )

    assert response.status_code == 403


@pytest.mark.parametrize("headers", [*FOREIGN, {}], ids=in_words)
def test_the_console_refuses_posts_from_elsewhere(corin, headers):
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
    none = registration_statuses()
    accepted = site.post(path, data=answers, headers={"Origin": BASE}, base_url=BASE)

    assert (refused.status_code, none) == (403, [])
    assert (accepted.status_code, len(registration_statuses())) == (303, 1)


@pytest.mark.parametrize("host", ["localhost:99999", "localhost:x", "127.0.0.1:"])
def test_an_invalid_port_is_no_error(client, host):
    headers = {"Host": host, "Origin": "http://localhost:1"}

    response = client.post("/register", data=good_form(client), headers=headers)

    assert response.status_code in {400, 403}


@pytest.mark.parametrize("headers", [{}, HTMX], ids=["page", "fragment"])
def test_a_foreign_post_that_is_too_large_is_refused_like_any_other(client, headers):
    foreign = {"Sec-Fetch-Site": "cross-site"} | headers

    response = client.post("/register", data={"name": "x" * 70_000}, headers=foreign)

    assert response.status_code in {403, 413}
