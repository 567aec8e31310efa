"""A forgotten password is reset by an emailed link, which works once, for an hour."""

import re
from datetime import timedelta
from urllib.parse import urlsplit

import pytest

from cop import create_app
from cop.accounts import accounts
from cop.db.engine import db, write_tx
from cop.links import Purpose, sign_token
from cop.models.coordinator import CoordinatorSession
from cop.models.email import OutboxEmail
from tests.builders import NOW, PASSWORD
from tests.client import SeparateRequests, advance_clock, error_summary, post, rows, sign_in
from tests.conftest import settings_for
from tests.page import parse
from tests.statements import Statements

pytestmark = pytest.mark.both

FORGOTTEN, SIGN_IN, FRONT = "/coordinator/forgotten", "/coordinator/sign-in", "/coordinator/"
NEW = "five green herons whistle"
CORIN = "corin@example.org"


def ask(client, email=CORIN):
    return post(client, FORGOTTEN, email=email)


def links():
    """The paths in the mails, in the order of being asked for."""
    found = (re.search(r"\S+/coordinator/password/\S+", mail["text"]) for mail in rows(OutboxEmail))
    return [urlsplit(link[0]).path for link in found]


@pytest.fixture
def mallory(app, corin):
    """A client that is not signed in, at a site that has a coordinator."""
    return app.test_client()


def test_a_coordinator_gets_the_link_and_chooses_a_new_password(mallory):
    ask(mallory, " Corin@Example.org ")

    [mail] = rows(OutboxEmail)
    [link] = links()
    answer = post(mallory, link, password=NEW)
    page = mallory.page(answer.location)

    assert (mail["to_address"], mail["kind"]) == (CORIN, "password")
    assert (answer.status_code, answer.location) == (303, SIGN_IN)
    assert "You have a new password" in page.select_one(".well").get_text()
    assert sign_in(mallory, password=PASSWORD).status_code == 422
    assert sign_in(mallory, password=NEW).status_code == 303


@pytest.mark.parametrize("email", ["mallory@example.org", "corin@example.com"])
def test_the_answer_is_the_same_for_every_address(mallory, email):
    known, known_page = ask(mallory), parse(mallory.get(FORGOTTEN)).main.get_text()
    unknown, unknown_page = ask(mallory, email), parse(mallory.get(FORGOTTEN)).main.get_text()

    assert (known.status_code, known.location) == (unknown.status_code, unknown.location)
    assert known_page == unknown_page
    assert "an email is on its way" in known_page
    assert len(rows(OutboxEmail)) == 1


def test_an_unknown_address_takes_the_same_statements_but_one(mallory):
    mallory.get(FORGOTTEN)
    took = []

    for email in (CORIN, "mallory@example.org"):
        with Statements() as sent:
            ask(mallory, email)
        took.append(len(sent))

    assert took[0] - took[1] == 1


@pytest.mark.parametrize("email", ["", "corin", "a@b@c", "x" * 300 + "@example.org"], ids=len)
def test_an_invalid_address_is_refused(mallory, email):
    response = ask(mallory, email)

    page = parse(response)
    assert response.status_code == 422
    assert page.find(id="email-refusal").get_text(strip=True) in error_summary(page)
    assert page.find(id="email")["value"] == email
    assert rows(OutboxEmail) == []


def test_the_link_works_once(mallory):
    ask(mallory)
    [link] = links()
    post(mallory, link, password=NEW)

    page = mallory.get(link)
    again = post(mallory, link, form_at=FORGOTTEN, password="six grey otters hum softly")

    assert (page.status_code, again.status_code) == (404, 404)
    assert "has been used, or is older than an hour" in parse(page).main.get_text()
    assert parse(page).select_one(f"main a[href='{FORGOTTEN}']")
    assert sign_in(mallory, password=NEW).status_code == 303


def test_a_changed_password_ends_the_link(mallory):
    ask(mallory)
    [link] = links()
    with write_tx() as db_session:
        accounts.change_password(db_session, CORIN, password=NEW)

    assert mallory.get(link).status_code == 404


@pytest.mark.parametrize(("minutes", "status"), [(59, 200), (62, 404)])
def test_the_link_works_for_an_hour(app, mallory, minutes, status):
    ask(mallory)
    [link] = links()
    advance_clock(app, timedelta(minutes=minutes))

    shown = mallory.get(link).status_code
    sent = post(mallory, link, form_at=FORGOTTEN, password=NEW).status_code

    assert (shown, sent) == (status, 303 if status == 200 else 404)


def test_all_devices_are_signed_out(app, corin):
    mallory = app.test_client()
    ask(mallory)

    post(mallory, links()[0], password=NEW)

    assert corin.get(FRONT).status_code == 303
    assert rows(CoordinatorSession) == []


def test_opening_the_link_does_not_use_it_up(corin, mallory):
    ask(mallory)

    statuses = [mallory.get(links()[0]).status_code for _ in range(3)]

    assert statuses == [200] * 3
    assert corin.get(FRONT).status_code == 200


@pytest.mark.parametrize(
    "password", ["", "short", "x" * 129, "passwordpassword", "CorinCorinCorin"]
)
def test_an_invalid_password_leaves_the_link_usable(mallory, password):
    ask(mallory)
    [link] = links()

    response = post(mallory, link, password=password)

    page = parse(response)
    assert response.status_code == 422
    assert page.find(id="password-refusal").get_text(strip=True) in error_summary(page)
    assert "value" not in page.find(id="password").attrs
    assert post(mallory, link, password=NEW).status_code == 303


def test_forged_tokens_and_tokens_for_another_purpose_are_refused(mallory, settings):
    ask(mallory)
    token = links()[0].rpartition("/")[2]
    forged = [
        "x",
        "%00",
        "é",
        "a" * 3000,
        token[:-1],
        sign_token(settings.secret_key, Purpose.MEMBER, 1, 0, "x" * 16),
        sign_token(settings.secret_key, Purpose.PASSWORD, 1, 0),
        sign_token(settings.secret_key, Purpose.PASSWORD, 99, int(NOW.timestamp() // 60), "x" * 16),
        sign_token("another key", Purpose.PASSWORD, 1, int(NOW.timestamp() // 60), "x" * 16),
    ]

    statuses = [mallory.get(f"/coordinator/password/{token}").status_code for token in forged]

    assert statuses == [404] * len(forged)


def test_a_coordinator_gets_at_most_five_emails_a_day(app, mallory):
    with write_tx() as db_session:
        accounts.add(db_session, "grace@example.org", name="Grace", password=PASSWORD)
    for minutes in range(7):
        advance_clock(app, timedelta(minutes=minutes))
        answer = ask(mallory)
    ask(mallory, "grace@example.org")
    to = [mail["to_address"] for mail in rows(OutboxEmail)]

    advance_clock(app, timedelta(days=1, minutes=1))
    ask(mallory)

    assert answer.status_code == 303
    assert to == [CORIN] * 5 + ["grace@example.org"]
    assert len(rows(OutboxEmail)) == 7


@pytest.mark.slow
def test_during_a_flood_of_requests_there_is_always_a_link_that_works(app, mallory):
    sent, minutes = 0, 24 * 60
    for minute in range(0, minutes, 5):
        advance_clock(app, timedelta(minutes=minute))
        ask(mallory)

        newest = links()[-1]
        sent = len(rows(OutboxEmail))
        assert mallory.get(newest).status_code == 200, f"after {minute} minutes and {sent} emails"

    assert sent <= 53
    assert post(mallory, newest, password=NEW).status_code == 303
    assert sign_in(mallory, password=NEW).status_code == 303


def test_emails_of_a_clock_that_was_ahead_do_not_count(app, mallory):
    for second in range(6):
        advance_clock(app, timedelta(days=800, seconds=second))
        ask(mallory)
    before = len(rows(OutboxEmail))

    advance_clock(app, timedelta())
    ask(mallory)

    assert len(rows(OutboxEmail)) == before + 1


@pytest.mark.parametrize("lost", ["password changed", "failed", "withdrawn"])
def test_beyond_the_limit_an_email_is_sent_if_no_link_works(app, mallory, lost):
    for second in range(6):
        advance_clock(app, timedelta(seconds=second))
        ask(mallory)
    with write_tx() as db_session:
        if lost == "password changed":
            accounts.change_password(db_session, CORIN, password=NEW)
        else:
            db_session.query(OutboxEmail).update({"state": lost})

    for second in range(6, 9):
        advance_clock(app, timedelta(seconds=second))
        ask(mallory)

    assert len(rows(OutboxEmail)) == 5 + 1
    assert mallory.get(links()[-1]).status_code == 200


def test_a_signed_in_coordinator_can_reset_the_password(corin):
    assert ask(corin).status_code == 303
    assert post(corin, links()[0], password=NEW).status_code == 303
    assert corin.get(FRONT).status_code == 303


def test_requests_are_limited_by_network(app, corin, database_url):
    limited = create_app(settings_for(database_url, posts_per_hour=2))
    limited.extensions["cop.clock"] = lambda: NOW
    limited.test_client_class = SeparateRequests
    client = limited.test_client()

    statuses = [ask(client, f"ada{number}@example.org").status_code for number in range(3)]
    with limited.app_context():
        db.engine.dispose()

    assert statuses == [303, 303, 429]
