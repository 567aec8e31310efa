"""A lost link: the same answer for everybody, and an email for members."""

from datetime import timedelta

import pytest

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
    advance_clock,
    error_summary,
    form_values,
    main_text,
    member_path,
    outbox_emails,
    press_button,
    register,
    rows,
)
from tests.conftest import settings_for
from tests.page import parse
from tests.statements import Statements

UNKNOWN = "mallory@example.org"


@pytest.fixture
def ada(client):
    register(client, [DECEMBER, JANUARY])
    register(client, DECEMBER, email=GRACE, name="Grace Sample")
    return client


def ask(client, email=ADA):
    return press_button(client, "/my-link", email=email)


def test_the_answer_is_the_same_for_every_address(ada):
    known, unknown = ask(ada), ask(ada, UNKNOWN)

    assert known.status_code == unknown.status_code == 200
    assert known.text == unknown.text
    assert "It comes from no-reply@localhost, at most 5 a day." in main_text(parse(known))


def test_a_member_gets_their_link_with_their_sessions(ada):
    before = len(rows(OutboxEmail))

    ask(ada, " Ada@EXAMPLE.org ")

    [mail] = rows(OutboxEmail)[before:]
    assert (mail["kind"], mail["to_address"]) == ("link", ADA)
    assert member_path() in mail["text"]
    assert "Tuesday, December 15" in mail["text"]
    assert "Tuesday, January 19" in mail["text"]


def test_an_unknown_address_leaves_an_empty_withdrawn_email(ada):
    before = len(rows(OutboxEmail))

    ask(ada, UNKNOWN)

    [row] = rows(OutboxEmail)[before:]
    assert row["state"] == "withdrawn"
    assert "mallory" not in repr(row)
    assert {row[name] for name in ("to_address", "to_name", "subject", "text", "html")} == {""}


def test_known_and_unknown_addresses_take_the_same_statements(ada):
    took = []

    for email in (ADA, UNKNOWN):
        with Statements() as sent:
            ask(ada, email)
        took.append([statement.split()[0] for statement in sent])

    assert took[0] == took[1]
    assert len(took[0]) <= 8, took[0]


def test_at_most_five_link_emails_a_day(app, ada):
    for minutes in range(7):
        advance_clock(app, timedelta(minutes=minutes))
        assert ask(ada).status_code == 200

    todays = len([1 for to, _ in outbox_emails("link") if to == ADA])
    advance_clock(app, timedelta(days=1, minutes=5))
    ask(ada)

    assert todays == 5
    assert len([1 for to, _ in outbox_emails("link") if to == ADA]) == 6


def test_no_link_is_sent_to_an_undeliverable_address(ada):
    with write_tx() as db_session:
        db_session.query(Member).filter_by(email_key=ADA).update({"undeliverable_at": NOW})

    answer = ask(ada)

    assert answer.status_code == 200
    assert [to for to, _ in outbox_emails("link")] == [""]


@pytest.mark.parametrize("typed_in", ["", "ada", "ada@", "a\0da@", "x" * 300 + "@example.org"])
def test_an_invalid_address_is_refused_and_stays_in_the_form(ada, typed_in):
    answer = ask(ada, typed_in)

    page = parse(answer)
    assert answer.status_code == 422
    assert page.title.get_text().startswith("Error: ")
    assert error_summary(page)
    assert form_values(page)["email"] == [typed_in.replace("\0", "")]
    assert outbox_emails("link") == []


def test_requests_for_links_count_against_the_network_s_limit(app, database_url):
    limited = create_app(settings_for(database_url, posts_per_hour=2))
    client = limited.test_client()

    statuses = [ask(client, UNKNOWN).status_code for _ in range(3)]
    with limited.app_context():
        db.engine.dispose()

    assert statuses == [200, 200, 429]


def test_every_page_links_to_the_lost_link_page(client):
    page = client.page("/")

    link = page.footer.select_one("a[href='/my-link']")
    assert link.get_text() == "Lost your link?"
    assert client.page("/my-link").main.form["action"] == "/my-link"
