"""A lost link: the same answer for everybody, and an email for members."""

from datetime import timedelta

import pytest
from sqlalchemy import update

from cop import create_app
from cop.db.engine import db, write_tx
from cop.models.email import OutboxEmail
from cop.models.registration import Member
from tests.builders import NOW
from tests.client import (
    ADA,
    DECEMBER,
    GRACE,
    JANUARY,
    add_registrations,
    advance_clock,
    error_summary,
    form_values,
    main_text,
    member_path,
    outbox_emails,
    press_button,
    rows,
)
from tests.conftest import settings_for
from tests.page import parse
from tests.statements import Statements

UNKNOWN = "mallory@example.org"


@pytest.fixture
def ada(client):
    add_registrations(DECEMBER, ADA, GRACE)
    add_registrations(JANUARY, ADA)
    return client


def request_link(client, email=ADA):
    return press_button(client, "/my-link", email=email)


def test_a_member_gets_their_link_with_their_sessions(ada):
    request_link(ada, " Ada@EXAMPLE.org ")

    [email] = rows(OutboxEmail)
    assert (email["kind"], email["to_address"]) == ("link", ADA)
    assert member_path() in email["text"]
    assert "Tuesday, December 15" in email["text"]
    assert "Tuesday, January 19" in email["text"]


def test_known_and_unknown_addresses_get_the_same_answer_by_the_same_statements(ada):
    answers, statements = [], []

    for email in (ADA, UNKNOWN):
        with Statements() as sent:
            answers.append(request_link(ada, email))
        statements.append([statement.split()[0] for statement in sent])

    assert {answer.status_code for answer in answers} == {200}
    assert answers[0].text == answers[1].text
    assert "from no-reply@localhost. You can ask for it up to 5 times a day." in main_text(
        parse(answers[0])
    )
    assert statements[0] == statements[1]
    assert len(statements[0]) <= 8, statements[0]


def test_an_unknown_address_leaves_an_empty_withdrawn_email(ada):
    request_link(ada, UNKNOWN)

    [row] = rows(OutboxEmail)
    assert row["state"] == "withdrawn"
    assert "mallory" not in repr(row)
    assert {row[name] for name in ("to_address", "to_name", "subject", "text", "html")} == {""}


def test_at_most_five_link_emails_a_day(app, ada):
    for minutes in range(7):
        advance_clock(app, timedelta(minutes=minutes))
        assert request_link(ada).status_code == 200

    first_day = [to for to, _ in outbox_emails("link")]
    advance_clock(app, timedelta(days=1, minutes=5))
    request_link(ada)

    assert first_day.count(ADA) == 5
    assert [to for to, _ in outbox_emails("link")].count(ADA) == 6


def test_no_link_is_sent_to_an_undeliverable_address(ada):
    with write_tx() as db_session:
        db_session.execute(update(Member).values(undeliverable_at=NOW))

    assert request_link(ada).status_code == 200
    assert [to for to, _ in outbox_emails("link")] == [""]


@pytest.mark.parametrize("typed", ["", "ada", "a\0da@", "x" * 300 + "@example.org"])
def test_an_invalid_address_is_refused_and_stays_in_the_form(client, typed):
    answer = request_link(client, typed)

    page = parse(answer)
    assert answer.status_code == 422
    assert page.title.get_text().startswith("Error: ")
    assert error_summary(page)
    assert form_values(page)["email"] == [typed.replace("\0", "")]
    assert rows(OutboxEmail) == []


def test_requests_for_links_count_against_the_network_s_limit(app, database_url):
    limited = create_app(settings_for(database_url, posts_per_hour=2))
    client = limited.test_client()

    statuses = [request_link(client, UNKNOWN).status_code for _ in range(3)]
    with limited.app_context():
        db.engine.dispose()

    assert statuses == [200, 200, 429]


def test_every_page_links_to_the_lost_link_page(client):
    page = client.page("/")

    link = page.footer.select_one("a[href='/my-link']")
    assert link.get_text() == "Lost your link?"
    assert client.page("/my-link").main.form["action"] == "/my-link"
