"""Unsubscribe from one kind of email: by a button, or by one click in an email program."""

import pytest

from cop.db.engine import write_tx
from cop.models.registration import Member
from tests.builders import NOW
from tests.client import (
    DECEMBER,
    GRACE,
    LINKS,
    example_path,
    find_member,
    main_text,
    outbox_emails,
    press_button,
    register,
    registration_statuses,
    rows,
    unsubscribe_path,
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
def test_an_email_program_unsubscribes_with_one_click(ada, headers):
    answer = ada.post(unsubscribe_path("reminders"), data=ONE_CLICK, headers=headers)

    assert answer.status_code == 200
    assert find_member().opt_outs == ["reminders"]
    assert find_member(GRACE).opt_outs == []


def test_viewing_the_page_does_not_unsubscribe(ada):
    page = ada.page(unsubscribe_path("reminders"))

    assert page.main.form.button.get_text() == "Stop this mail"
    assert find_member().opt_outs == []


@pytest.mark.parametrize(
    ("kind", "other"), [("reminders", "takeaways"), ("takeaways", "reminders")]
)
def test_unsubscribing_withdraws_the_queued_emails_of_that_kind_only(ada, kind, other):
    kind_of = {"reminders": "reminder", "takeaways": "takeaways"}
    queue(kind_of[kind])
    queue(kind_of[kind], GRACE)
    queue(kind_of[other])

    press_button(ada, unsubscribe_path(kind))

    assert [to for to, _ in outbox_emails(kind_of[kind])] == [GRACE]
    assert len(outbox_emails(kind_of[other])) == 1
    assert len(outbox_emails("confirmation")) == 2


def test_unsubscribing_keeps_the_place_and_is_idempotent(ada):
    before = registration_statuses()

    answers = [press_button(ada, unsubscribe_path("reminders")) for _ in range(2)]
    press_button(ada, unsubscribe_path("takeaways"))

    assert [answer.status_code for answer in answers] == [200, 200]
    assert find_member().opt_outs == ["reminders", "takeaways"]
    assert registration_statuses() == before
    assert "Your places stay." in main_text(parse(answers[1]))
    assert parse(answers[1]).main.select_one("a[href='/my-link']")


def test_the_mailing_list_is_left_by_the_same_link(ada):
    with write_tx() as db_session:
        values = {"list_requested_at": NOW, "list_confirmed_at": NOW}
        db_session.query(Member).update(values)

    answer = press_button(ada, unsubscribe_path("list"))

    assert answer.status_code == 200
    assert (find_member().list_requested_at, find_member().list_confirmed_at) == (None, None)
    assert find_member(GRACE).list_confirmed_at == NOW


def test_unsubscribing_does_not_verify_the_address(ada):
    press_button(ada, unsubscribe_path("reminders"))

    assert find_member().verified_at is None


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
def test_an_invalid_unsubscribe_link_is_not_found(ada, address):
    before = rows(Member)

    statuses = {ada.get(address).status_code, ada.post(address, data=ONE_CLICK).status_code}

    assert statuses == {404}
    assert rows(Member) == before


def test_only_unsubscribing_takes_cross_site_posts(app, client):
    posts = [rule for rule in app.url_map.iter_rules() if "POST" in rule.methods]

    passed = {
        rule.rule
        for rule in posts
        if client.post(
            example_path(app, rule), headers={"Sec-Fetch-Site": "cross-site"}
        ).status_code
        != 403
    }

    assert len(posts) > 20
    assert passed == {"/unsubscribe/<token>"}
