"""A lost link: the same answer for everybody, and a mail for who is registered."""

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
    mails,
    own,
    press,
    refusals,
    register,
    rows,
    said,
    turn_clock,
    typed,
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
    return press(client, "/my-link", email=email)


def test_the_answer_is_the_same_for_every_address(ada):
    known, unknown = ask(ada), ask(ada, UNKNOWN)

    assert known.status_code == unknown.status_code == 200
    assert known.text == unknown.text
    assert "It comes from no-reply@localhost, at most 5 a day." in said(parse(known))


def test_who_is_registered_gets_their_link_with_their_sessions(ada):
    before = len(rows(OutboxEmail))

    ask(ada, " Ada@EXAMPLE.org ")

    [mail] = rows(OutboxEmail)[before:]
    assert (mail["kind"], mail["to_address"]) == ("link", ADA)
    assert own() in mail["text"]
    assert "Tuesday, December 15" in mail["text"]
    assert "Tuesday, January 19" in mail["text"]


def test_who_is_not_leaves_a_row_that_says_nothing_and_goes_nowhere(ada):
    before = len(rows(OutboxEmail))

    ask(ada, UNKNOWN)

    [row] = rows(OutboxEmail)[before:]
    assert row["state"] == "withdrawn"
    assert "mallory" not in repr(row)
    assert {row[name] for name in ("to_address", "to_name", "subject", "text", "html")} == {""}


def test_it_takes_the_same_statements_for_everybody(ada):
    took = []

    for email in (ADA, UNKNOWN):
        with Statements() as sent:
            ask(ada, email)
        took.append([statement.split()[0] for statement in sent])

    assert took[0] == took[1]
    assert len(took[0]) <= 8, took[0]


def test_five_mails_a_day_and_no_sixth(app, ada):
    for minutes in range(7):
        turn_clock(app, timedelta(minutes=minutes))
        assert ask(ada).status_code == 200

    todays = len([1 for to, _ in mails("link") if to == ADA])
    turn_clock(app, timedelta(days=1, minutes=5))
    ask(ada)

    assert todays == 5
    assert len([1 for to, _ in mails("link") if to == ADA]) == 6


def test_nothing_is_mailed_to_an_address_from_which_mail_came_back(ada):
    with write_tx() as db_session:
        db_session.query(Member).filter_by(email_key=ADA).update({"undeliverable_at": NOW})

    answer = ask(ada)

    assert answer.status_code == 200
    assert [to for to, _ in mails("link")] == [""]


@pytest.mark.parametrize("typed_in", ["", "ada", "ada@", "a\0da@", "x" * 300 + "@example.org"])
def test_what_is_no_address_is_refused_and_kept(ada, typed_in):
    answer = ask(ada, typed_in)

    page = parse(answer)
    assert answer.status_code == 422
    assert page.title.get_text().startswith("Error: ")
    assert refusals(page)
    assert typed(page)["email"] == [typed_in.replace("\0", "")]
    assert mails("link") == []


def test_it_counts_among_the_forms_that_a_network_may_send(app, database_url):
    limited = create_app(settings_for(database_url, posts_per_hour=2))
    client = limited.test_client()

    statuses = [ask(client, UNKNOWN).status_code for _ in range(3)]
    with limited.app_context():
        db.engine.dispose()

    assert statuses == [200, 200, 429]


def test_every_page_leads_there(client):
    page = client.page("/")

    link = page.footer.select_one("a[href='/my-link']")
    assert link.get_text() == "Lost your link?"
    assert client.page("/my-link").main.form["action"] == "/my-link"


def test_it_may_be_asked_from_our_own_pages_only(ada):
    answer = ada.post("/my-link", data={"email": ADA}, headers={"Sec-Fetch-Site": "cross-site"})

    assert answer.status_code == 403
    assert mails("link") == []
