"""The way to the first coordinator's account."""

from datetime import timedelta

import pytest

from cop.accounts import accounts
from cop.db.engine import read_tx, write_tx
from cop.models.coordinator import Coordinator
from tests.builders import NOW, PASSWORD
from tests.client import post, refusals, rows, sign_in, turn_clock
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


@pytest.mark.parametrize(("ahead", "status"), [(24, 200), (24.01, 404)], ids=["a day", "longer"])
def test_the_link_works_for_a_day(app, client, link, ahead, status):
    turn_clock(app, timedelta(hours=ahead))

    answer = client.get(link)

    assert answer.status_code == status


def test_a_newer_link_ends_the_one_before(client, link):
    with write_tx() as db_session:
        newer = accounts.new_set_up_link(db_session, now=NOW)

    statuses = [client.get(p).status_code for p in (link, f"/coordinator/set-up/{newer}")]

    assert statuses == [404, 200]


def test_there_is_no_link_once_there_is_a_coordinator(corin, link):
    with read_tx() as db_session:
        assert accounts.any_exist(db_session)
    with write_tx() as db_session:
        token = accounts.new_set_up_link(db_session, now=NOW)

    answer = corin.get(link)

    assert token is None
    assert answer.status_code == 404


@pytest.mark.parametrize("token", ["x", "%00", "é", "a" * 3000])
def test_a_guessed_link_is_no_link(client, link, token):
    answer = client.get(f"/coordinator/set-up/{token}")

    assert answer.status_code == 404


@pytest.mark.parametrize(
    "password",
    [
        "fourteen chars",
        "x" * 129,
        "passwordpassword",
        "aaaaaaaaaaaaaaaaaaaa",
        "1234567890123456789",
        "corin@example.org",
        "CorinCorinCorinCorin",
        "qwertyuiopqwertyuiop",
        "equityindata2026",
        "Password1234567!",
    ],
    ids=ascii,
)
def test_a_password_that_is_short_or_guessed_first_is_refused(client, link, password):
    response = post(client, link, **CORIN | {"password": password})

    page = parse(response)
    assert response.status_code == 422
    assert page.find(id="password-refusal").get_text(strip=True) in refusals(page)
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
def test_what_is_missing_is_said_and_the_link_still_works(client, link, wrong, kept):
    response = post(client, link, **CORIN | wrong)

    page = parse(response)
    assert response.status_code == 422
    assert refusals(page)
    assert page.find(id=kept)["value"] == CORIN[kept]
    assert post(client, link, **CORIN).status_code == 303


def test_a_password_of_words_and_any_characters_is_fine(app, client, link):
    password = "grüne Otter 🦦 singen  leise"

    post(client, link, **CORIN | {"password": password})

    assert sign_in(app.test_client(), password=password).status_code == 303
