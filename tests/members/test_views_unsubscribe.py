"""Stopping mail of one kind: by a button, or by one click in a mail program."""

import pytest

from cop.db.engine import write_tx
from cop.models.registration import Member
from tests.builders import NOW
from tests.client import (
    DECEMBER,
    GRACE,
    LINKS,
    example,
    mails,
    places,
    press,
    register,
    rows,
    said,
    stop,
    the_member,
)
from tests.members.test_views_preferences import queue
from tests.page import parse

ONE_CLICK = {"List-Unsubscribe": "One-Click"}
PROGRAMS = [
    {},
    {"Sec-Fetch-Site": "cross-site"},
    {"Origin": "https://mail.example.com"},
    {"Origin": "null"},
    {"Sec-Fetch-Site": "same-origin"},
]


@pytest.fixture
def ada(client):
    register(client, DECEMBER)
    register(client, DECEMBER, email=GRACE, name="Grace Sample")
    return client


@pytest.mark.parametrize("headers", PROGRAMS, ids=lambda headers: str(headers) or "nothing")
def test_a_mail_program_stops_it_with_one_click(ada, headers):
    answer = ada.post(stop("reminders"), data=ONE_CLICK, headers=headers)

    assert answer.status_code == 200
    assert the_member().opt_outs == ["reminders"]
    assert the_member(GRACE).opt_outs == []


def test_looking_stops_nothing(ada):
    page = ada.page(stop("reminders"))

    assert page.main.form.button.get_text() == "Stop this mail"
    assert the_member().opt_outs == []


@pytest.mark.parametrize(
    ("kind", "other"), [("reminders", "takeaways"), ("takeaways", "reminders")]
)
def test_what_was_queued_of_it_is_taken_back_and_nothing_else(ada, kind, other):
    kind_of = {"reminders": "reminder", "takeaways": "takeaways"}
    queue(kind_of[kind])
    queue(kind_of[kind], GRACE)
    queue(kind_of[other])

    press(ada, stop(kind))

    assert [to for to, _ in mails(kind_of[kind])] == [GRACE]
    assert len(mails(kind_of[other])) == 1
    assert len(mails("confirmation")) == 2


def test_the_place_stays_and_doing_it_again_changes_nothing(ada):
    before = places()

    answers = [press(ada, stop("reminders")) for _ in range(2)]
    press(ada, stop("takeaways"))

    assert [answer.status_code for answer in answers] == [200, 200]
    assert the_member().opt_outs == ["reminders", "takeaways"]
    assert places() == before
    assert "Your places stay." in said(parse(answers[1]))
    assert parse(answers[1]).main.select_one("a[href='/my-link']")


def test_the_mailing_list_is_left_the_same_way(ada):
    with write_tx() as db_session:
        values = {"list_requested_at": NOW, "list_confirmed_at": NOW}
        db_session.query(Member).update(values)

    answer = press(ada, stop("list"))

    assert answer.status_code == 200
    assert (the_member().list_requested_at, the_member().list_confirmed_at) == (None, None)
    assert the_member(GRACE).list_confirmed_at == NOW


def test_stopping_mail_proves_no_address(ada):
    press(ada, stop("reminders"))

    assert the_member().verified_at is None


@pytest.mark.parametrize(
    "address",
    [
        "/unsubscribe/unknown",
        LINKS.unsubscribe(9999, "reminders"),
        LINKS.unsubscribe(1, "confirmation"),
        LINKS.unsubscribe(1, ""),
    ],
    ids=["garbage", "nobody's", "what cannot be stopped", "nothing"],
)
def test_a_link_that_stops_nothing_says_so(ada, address):
    before = rows(Member)

    statuses = {ada.get(address).status_code, ada.post(address, data=ONE_CLICK).status_code}

    assert statuses == {404}
    assert rows(Member) == before


def test_no_other_address_takes_a_post_from_elsewhere(app, client):
    posts = [rule for rule in app.url_map.iter_rules() if "POST" in rule.methods]

    passed = {
        rule.rule
        for rule in posts
        if client.post(example(app, rule), headers={"Sec-Fetch-Site": "cross-site"}).status_code
        != 403
    }

    assert len(posts) > 20
    assert passed == {"/unsubscribe/<token>"}
