"""The page that creates the first account."""

import pytest

from cop.accounts import accounts
from cop.db.engine import write_tx
from cop.models.coordinator import Coordinator
from tests.builders import NOW
from tests.client import SAME_ORIGIN, error_summary, post, rows, sign_in
from tests.page import parse

PASSWORD = "grüne Otter 🦦 singen  leise"
CORIN = {"name": "Corin", "email": "corin@example.org", "password": PASSWORD}


@pytest.fixture
def link(app):
    """The address that the first start prints."""
    with write_tx() as db_session:
        return f"/coordinator/set-up/{accounts.new_set_up_link(db_session, now=NOW)}"


def test_the_link_makes_the_first_account_and_signs_it_in(app, client, link):
    response = post(client, link, **CORIN)

    [corin] = rows(Coordinator)
    assert (response.status_code, response.location) == (303, "/coordinator/")
    assert client.get("/coordinator/").status_code == 200
    assert (corin["name"], corin["email"]) == ("Corin", "corin@example.org")
    assert sign_in(app.test_client(), password=PASSWORD).status_code == 303


def test_the_link_works_once(app, client, link):
    mallory = app.test_client()
    token = parse(mallory.get(link)).find("input", attrs={"name": "csrf_token"})["value"]
    post(client, link, **CORIN)

    page = mallory.get(link)
    answers = CORIN | {"email": "mallory@example.org", "csrf_token": token}
    sent = mallory.post(link, data=answers, headers=SAME_ORIGIN)

    assert (page.status_code, sent.status_code) == (404, 404)
    assert "has been used" in parse(page).main.get_text()
    assert len(rows(Coordinator)) == 1


def test_a_guessed_link_is_no_link(client, link):
    for token in ("x", "%00", "é", "a" * 3000):
        assert client.get(f"/coordinator/set-up/{token}").status_code == 404


def test_an_invalid_answer_leaves_the_link_usable(client, link):
    invalid = [
        *[("name", ""), ("email", "corin"), ("email", "")],
        *[("password", "fourteen chars"), ("password", "CorinCorinCorinCorin")],
    ]

    for field, answer in invalid:
        response = post(client, link, **CORIN | {field: answer})

        page = parse(response)
        assert response.status_code == 422, answer
        assert page.find(id=f"{field}-refusal").get_text(strip=True) in error_summary(page)
        assert "value" not in page.find(id="password").attrs
        for other in {"name", "email"} - {field}:
            assert page.find(id=other)["value"] == CORIN[other]
    assert rows(Coordinator) == []
    assert post(client, link, **CORIN).status_code == 303
