"""The page that creates the first account."""

import pytest

from cop.accounts import accounts
from cop.db.engine import write_tx
from cop.models.coordinator import Coordinator
from tests.builders import NOW, PASSWORD
from tests.client import error_summary, post, rows, sign_in
from tests.page import parse

CORIN = {"name": "Corin", "email": "corin@example.org", "password": PASSWORD}


@pytest.fixture
def link(app):
    """The address that the first start prints."""
    with write_tx() as db_session:
        return f"/coordinator/set-up/{accounts.new_set_up_link(db_session, now=NOW)}"


def test_the_link_makes_the_first_account_and_signs_it_in(client, link):
    response = post(client, link, **CORIN)

    (made,) = rows(Coordinator)
    assert (response.status_code, response.location) == (303, "/coordinator/")
    assert client.get("/coordinator/").status_code == 200
    assert (made["name"], made["email"]) == ("Corin", "corin@example.org")
    assert PASSWORD not in made["password_hash"]
    assert made["password_hash"].startswith("$argon2id$")


def test_the_link_works_once(app, client, link):
    mallory = app.test_client()
    form = parse(mallory.get(link)).find("input", attrs={"name": "csrf_token"})["value"]
    post(client, link, **CORIN)

    page = mallory.get(link)
    answers = {"name": "Mallory", "email": "mallory@example.org", "password": PASSWORD}
    sent = mallory.post(
        link,
        data=answers | {"csrf_token": form},
        headers={"Sec-Fetch-Site": "same-origin"},
    )

    assert (page.status_code, sent.status_code) == (404, 404)
    assert "has been used" in parse(page).main.get_text()
    assert len(rows(Coordinator)) == 1


@pytest.mark.parametrize("token", ["x", "%00", "é", "a" * 3000])
def test_a_guessed_link_is_no_link(client, link, token):
    answer = client.get(f"/coordinator/set-up/{token}")

    assert answer.status_code == 404


@pytest.mark.parametrize("password", ["fourteen chars", "CorinCorinCorinCorin"])
def test_a_short_or_guessable_password_is_refused(client, link, password):
    response = post(client, link, **CORIN | {"password": password})

    page = parse(response)
    assert response.status_code == 422
    assert page.find(id="password-refusal").get_text(strip=True) in error_summary(page)
    assert (page.find(id="name")["value"], page.find(id="email")["value"]) == (
        "Corin",
        "corin@example.org",
    )
    assert "value" not in page.find(id="password").attrs
    assert rows(Coordinator) == []


@pytest.mark.parametrize(
    ("wrong", "kept"),
    [({"name": ""}, "email"), ({"email": "corin"}, "name"), ({"email": ""}, "name")],
    ids=["no name", "not an address", "no address"],
)
def test_missing_answers_leave_the_link_usable(client, link, wrong, kept):
    response = post(client, link, **CORIN | wrong)

    page = parse(response)
    assert response.status_code == 422
    assert error_summary(page)
    assert page.find(id=kept)["value"] == CORIN[kept]
    assert post(client, link, **CORIN).status_code == 303


def test_a_password_may_contain_any_characters(app, client, link):
    password = "grüne Otter 🦦 singen  leise"

    post(client, link, **CORIN | {"password": password})

    assert sign_in(app.test_client(), password=password).status_code == 303
