"""Posts from our own pages and from programs pass; posts from other sites never do."""

import pytest

from cop.models.registration import Member
from cop.web.forms import new_token
from tests.client import DECEMBER, HTMX, registration_statuses, rows
from tests.page import parse

OUR_FORM = "[target=_blank][href='/register']"  # the same form outside of frames
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
OWN = [
    {"Sec-Fetch-Site": "same-origin"},
    {"Sec-Fetch-Site": "same-origin", "Origin": "null"},
    {"Origin": "http://localhost"},
    {"Origin": "http://127.0.0.1"},
    {"Origin": "http://[::1]"},
    {},
]
BASE = "https://cop.example.org"
ALIKE = [BASE, "https://COP.example.org", f"{BASE}."]
UNLIKE = [
    *("https://evilcop.example.org", "https://evil.cop.example.org", "https://example.org"),
    *("https://cop.example.org.evil.test", "https://cop.example.org@evil.test"),
    *("https://cop.example.org:8443", "http://cop.example.org", "cop.example.org"),
    *(f"{BASE}..", f"{BASE}.evil.example.", "null"),
]
FORMS = ["/register", "/embed/register"]


def good_form(number=0):
    ada = {"name": "Ada Example", "email": f"ada{number}@example.org", "sessions": DECEMBER}
    return ada | {"token": new_token()}


@pytest.mark.parametrize("path", FORMS, ids=["site", "frame"])
def test_a_form_sent_from_another_site_is_refused_with_a_link_to_our_own(client, path):
    answers = good_form() | {"name": "Words of Mallory"}

    for headers in FOREIGN:
        page = client.post(path, data=answers, headers=headers)
        fragment = client.post(path, data=answers, headers=headers | HTMX)

        assert (page.status_code, fragment.status_code) == (403, 403), headers
        for answer, title in ((page, "main > h1"), (fragment, ".summary h2")):
            soup = parse(answer)
            assert "can't send this form from here" in soup.select_one(title).get_text()
            assert soup.select_one(OUR_FORM)["rel"] == ["noopener"]
            assert "Mallory" not in answer.text
        assert "HX-Retarget" not in page.headers
        assert fragment.headers["HX-Retarget"] == "#problem"
    assert rows(Member) == []


@pytest.mark.parametrize("path", FORMS, ids=["site", "frame"])
def test_a_form_sent_from_our_own_page_passes(client, path):
    statuses = [
        client.post(path, data=good_form(number), headers=headers).status_code
        for number, headers in enumerate(OWN)
    ]

    assert statuses == [303] * len(OWN)
    assert len(registration_statuses()) == len(OWN)


def test_the_email_hint_is_for_our_own_pages_too(client):
    response = client.post(
        "/register/email-hint", data={"email": "a@gmial.com"}, headers={"Sec-Fetch-Site": "none"}
    )

    assert response.status_code == 403


def test_the_console_refuses_posts_from_elsewhere(corin):
    passed = [
        headers
        for headers in (*FOREIGN, {})
        if corin.post("/coordinator/sign-out", headers=headers).status_code != 403
    ]

    assert passed == []
    assert corin.get("/coordinator/").status_code == 200


@pytest.mark.settings(base_url=BASE)
def test_an_origin_may_be_any_spelling_of_the_site_s_and_no_other(client):
    statuses = {
        (path, origin): client.post(
            path, data=good_form(number), headers={"Origin": origin}, base_url=BASE
        ).status_code
        for path in FORMS
        for number, origin in enumerate((*UNLIKE, *ALIKE))
    }

    assert statuses == {
        (path, origin): 303 if origin in ALIKE else 403
        for path in FORMS
        for origin in (*UNLIKE, *ALIKE)
    }
    assert len(registration_statuses()) == len(ALIKE)


@pytest.mark.parametrize("host", ["localhost:99999", "localhost:x", "127.0.0.1:"])
def test_an_invalid_port_is_no_error(client, host):
    headers = {"Host": host, "Origin": "http://localhost:1"}

    response = client.post("/register", data=good_form(), headers=headers)

    assert response.status_code in {400, 403}


@pytest.mark.parametrize("headers", [{}, HTMX], ids=["page", "fragment"])
def test_a_foreign_post_that_is_too_large_is_refused_like_any_other(client, headers):
    foreign = {"Sec-Fetch-Site": "cross-site"} | headers

    response = client.post("/register", data={"name": "x" * 70_000}, headers=foreign)

    assert response.status_code in {403, 413}
