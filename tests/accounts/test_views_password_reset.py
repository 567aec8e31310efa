"""A forgotten password is reset by an emailed link, which works once, for an hour."""

import re
from datetime import timedelta
from urllib.parse import urlsplit

import pytest

from cop import create_app
from cop.accounts import accounts, password_reset
from cop.db.engine import db, write_tx
from cop.links import Purpose, sign_token
from cop.models.coordinator import CoordinatorSession
from cop.models.email import OutboxEmail
from tests.builders import CORIN, NOW, PASSWORD, a_coordinator, a_writer
from tests.client import (
    LINKS,
    SeparateRequests,
    advance_clock,
    error_summary,
    post,
    rows,
    sign_in,
)
from tests.conftest import settings_for
from tests.page import parse
from tests.statements import Statements

pytestmark = pytest.mark.both

FORGOTTEN, SIGN_IN, FRONT = "/coordinator/forgotten", "/coordinator/sign-in", "/coordinator/"
NEW = "five green herons whistle"


def ask(client, email=CORIN):
    return post(client, FORGOTTEN, email=email)


def links():
    """The paths in the emails, in the order of being asked for."""
    found = (re.search(r"\S+/coordinator/password/\S+", row["text"]) for row in rows(OutboxEmail))
    return [urlsplit(link[0]).path for link in found]


def request_at(*moments, email=CORIN):
    """Ask for a link at some times after now, without the form."""
    with write_tx() as db_session:
        for ahead in moments:
            writer = a_writer(db_session, now=NOW + ahead)
            password_reset.request_reset(db_session, email, writer=writer)


@pytest.fixture
def mallory(app, corin):
    """A client that is not signed in, at a site that has a coordinator."""
    return app.test_client()


def test_a_coordinator_gets_the_link_and_chooses_a_new_password(app, corin):
    mallory = app.test_client()
    ask(mallory, " Corin@Example.org ")

    [email] = rows(OutboxEmail)
    [link] = links()
    answer = post(mallory, link, password=NEW)
    page = mallory.page(answer.location)

    assert (email["to_address"], email["kind"]) == (CORIN, "password")
    assert (answer.status_code, answer.location) == (303, SIGN_IN)
    assert "Password changed." in page.select_one(".well").get_text()
    assert rows(CoordinatorSession) == []
    assert corin.get(FRONT).status_code == 303
    assert sign_in(mallory, password=PASSWORD).status_code == 422
    assert sign_in(mallory, password=NEW).status_code == 303


def test_the_answer_is_the_same_for_every_address(mallory):
    known, known_page = ask(mallory), parse(mallory.get(FORGOTTEN)).main.get_text()
    unknown = ask(mallory, "mallory@example.org")
    unknown_page = parse(mallory.get(FORGOTTEN)).main.get_text()

    assert (known.status_code, known.location) == (unknown.status_code, unknown.location)
    assert known_page == unknown_page
    assert "we've sent it a link" in known_page
    assert len(rows(OutboxEmail)) == 1


def test_an_unknown_address_takes_the_same_statements_but_one(mallory):
    mallory.get(FORGOTTEN)
    took = []

    for email in (CORIN, "mallory@example.org"):
        with Statements() as sent:
            ask(mallory, email)
        took.append(len(sent))

    assert took[0] - took[1] == 1


def test_an_invalid_address_is_refused(mallory):
    for email in ("", "corin", "x" * 300 + "@example.org"):
        response = ask(mallory, email)

        page = parse(response)
        assert response.status_code == 422
        assert page.find(id="email-refusal").get_text(strip=True) in error_summary(page)
        assert page.find(id="email")["value"] == email
    assert rows(OutboxEmail) == []


def test_the_link_works_once(mallory):
    request_at(timedelta())
    [link] = links()
    post(mallory, link, password=NEW)

    page = mallory.get(link)
    again = post(mallory, link, form_at=FORGOTTEN, password="six grey otters hum softly")

    assert (page.status_code, again.status_code) == (404, 404)
    assert "has been used, or it's more than an hour old" in parse(page).main.get_text()
    assert parse(page).select_one(f"main a[href='{FORGOTTEN}']")
    assert sign_in(mallory, password=NEW).status_code == 303


def test_the_link_works_for_an_hour_however_often_it_is_opened(app, mallory):
    request_at(timedelta())
    [link] = links()

    for minutes, status in ((0, 200), (59, 200), (62, 404)):
        advance_clock(app, timedelta(minutes=minutes))
        assert mallory.get(link).status_code == status
    assert post(mallory, link, form_at=FORGOTTEN, password=NEW).status_code == 404


def test_an_invalid_password_leaves_the_link_usable(mallory):
    request_at(timedelta())
    [link] = links()

    for password in ("", "x" * 129, "CorinCorinCorin"):
        response = post(mallory, link, password=password)

        page = parse(response)
        assert response.status_code == 422
        assert page.find(id="password-refusal").get_text(strip=True) in error_summary(page)
        assert "value" not in page.find(id="password").attrs
    assert post(mallory, link, password=NEW).status_code == 303


def test_forged_tokens_are_refused(mallory):
    request_at(timedelta())
    token, minute = links()[0].rpartition("/")[2], int(NOW.timestamp() // 60)
    forged = [
        *("%00", "é", token[:-1]),
        LINKS.new_password(99, minute, "x" * 16).rpartition("/")[2],
        sign_token(LINKS.secret_key, Purpose.PASSWORD, 1, 0),
        sign_token("another key", Purpose.PASSWORD, 1, minute, "x" * 16),
    ]

    statuses = [mallory.get(f"/coordinator/password/{token}").status_code for token in forged]

    assert statuses == [404] * len(forged)


def test_a_coordinator_gets_at_most_five_emails_a_day(corin):
    with write_tx() as db_session:
        a_coordinator(db_session, "Grace")

    request_at(*(timedelta(minutes=minutes) for minutes in range(7)))
    request_at(timedelta(minutes=7), email="grace@example.org")
    recipients = [row["to_address"] for row in rows(OutboxEmail)]
    request_at(timedelta(days=1, minutes=1))

    assert recipients == [CORIN] * 5 + ["grace@example.org"]
    assert len(rows(OutboxEmail)) == 7


@pytest.mark.slow
def test_during_a_flood_of_requests_there_is_always_a_link_that_works(app, mallory):
    for minute in range(0, 24 * 60, 5):
        advance_clock(app, timedelta(minutes=minute))
        request_at(timedelta(minutes=minute))

        newest = links()[-1]
        assert mallory.get(newest).status_code == 200, f"after {minute} minutes"

    assert len(links()) <= 53
    assert post(mallory, newest, password=NEW).status_code == 303
    assert sign_in(mallory, password=NEW).status_code == 303


def test_emails_of_a_clock_that_was_ahead_do_not_count(corin):
    request_at(*(timedelta(days=800, seconds=second) for second in range(6)))
    before = len(rows(OutboxEmail))

    request_at(timedelta())

    assert len(rows(OutboxEmail)) == before + 1


@pytest.mark.parametrize("lost", ["password changed", "failed", "withdrawn"])
def test_beyond_the_limit_an_email_is_sent_if_no_link_works(mallory, lost):
    request_at(*(timedelta(seconds=second) for second in range(6)))
    with write_tx() as db_session:
        if lost == "password changed":
            accounts.change_password(db_session, CORIN, password=NEW)
        else:
            db_session.query(OutboxEmail).update({"state": lost})

    request_at(*(timedelta(seconds=second) for second in range(6, 9)))

    assert len(rows(OutboxEmail)) == 5 + 1
    statuses = [mallory.get(link).status_code for link in links()]
    assert statuses == [404 if lost == "password changed" else 200] * 5 + [200]


def test_requests_are_limited_by_network(app, corin, database_url):
    limited = create_app(settings_for(database_url, posts_per_hour=2))
    limited.extensions["cop.clock"] = lambda: NOW
    limited.test_client_class = SeparateRequests
    client = limited.test_client()

    statuses = [ask(client, f"ada{number}@example.org").status_code for number in range(3)]
    with limited.app_context():
        db.engine.dispose()

    assert statuses == [303, 303, 429]
