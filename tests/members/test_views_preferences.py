"""Which email a member wants, unsubscribing by one click, and which of their links still work."""

from datetime import timedelta

import pytest
from sqlalchemy import update

from cop.db.engine import write_tx
from cop.models.email import OutboxEmail
from cop.models.registration import Member
from cop.outbox.outbox import EmailKind
from tests.builders import NOW, an_email
from tests.client import (
    ADA,
    DECEMBER,
    GRACE,
    LINKS,
    add_registrations,
    advance_clock,
    calendar_path,
    confirm_list_path,
    example_path,
    find_member,
    join_path,
    main_text,
    member_path,
    outbox_emails,
    owner,
    press_button,
    register,
    registration_statuses,
    rows,
    text_of,
    unsubscribe_path,
)
from tests.page import parse

ONE_CLICK = {"List-Unsubscribe": "One-Click"}
CROSS_SITE = {"Sec-Fetch-Site": "cross-site"}


@pytest.fixture
def ada(client):
    add_registrations(DECEMBER, ADA, GRACE)
    return client


def queue(*kinds, email=ADA):
    """Queue an email of each kind to a member."""
    id_ = find_member(email).id
    with write_tx() as db_session:
        for kind in kinds:
            an_email(db_session, email, kind=kind).member_id = id_


def update_members(**values):
    with write_tx() as db_session:
        db_session.execute(update(Member).values(**values))


def set_preferences(client, *kinds):
    return press_button(client, member_path("/mail"), mail=list(kinds))


def test_opting_out_withdraws_the_queued_emails_of_that_kind_until_opting_in_again(ada):
    queue(EmailKind.REMINDER, EmailKind.TAKEAWAYS)
    queue(EmailKind.REMINDER, email=GRACE)

    answer = set_preferences(ada, "takeaways")

    page = ada.page(answer.location)
    assert [box["value"] for box in page.select("input[name=mail][checked]")] == ["takeaways"]
    assert find_member().opt_outs == ["reminders"]
    assert outbox_emails("reminder", "takeaways") == [(ADA, "Hello"), (GRACE, "Hello")]
    assert find_member(GRACE).opt_outs == []
    set_preferences(ada, "reminders", "takeaways", "unheard-of")
    assert find_member().opt_outs == []


def test_the_mailing_list_asks_for_confirmation_once_a_day(app, ada):
    set_preferences(ada, "list")
    answer = set_preferences(ada, "list")
    first_day = outbox_emails("list")
    message = text_of(ada.page(answer.location).select_one(".well[autofocus]"))
    advance_clock(app, timedelta(days=1, minutes=1))

    set_preferences(ada, "list")

    assert first_day == [(ADA, "Confirm your email to hear about future sessions")]
    assert message.endswith("To join the mailing list, use the button in the email we sent you.")
    assert len(outbox_emails("list")) == 2
    assert find_member().list_confirmed_at is None


def test_confirming_subscribes_until_the_page_unsubscribes(ada):
    set_preferences(ada, "list")

    answer = press_button(ada, confirm_list_path())
    page = ada.page(answer.location)
    set_preferences(ada, "list", "reminders")
    confirmed_at, emails = find_member().list_confirmed_at, outbox_emails("list")
    set_preferences(ada, "reminders")

    assert page.h1.get_text() == "You're on the mailing list"
    assert (confirmed_at, len(emails)) == (NOW, 1)
    assert (find_member().list_requested_at, find_member().list_confirmed_at) == (None, None)
    assert outbox_emails("list") == []


def test_confirming_after_unsubscribing_does_not_subscribe(ada):
    answer = press_button(ada, confirm_list_path())

    page = ada.page(answer.location)
    assert page.h1.get_text() == "You're not on the mailing list"
    assert not page.main.find("form")
    assert find_member().list_confirmed_at is None


def test_viewing_the_confirmation_page_does_not_subscribe(client):
    register(client, DECEMBER, list_opt_in="yes")

    page = client.page(confirm_list_path())

    assert page.main.form.button.get_text() == "Yes, email me about future sessions"
    assert find_member().list_confirmed_at is None
    assert find_member().verified_at is None


def test_renewing_links_ends_the_old_ones_and_emails_a_new_one(ada):
    old = [member_path(), join_path(), confirm_list_path(), calendar_path()]

    answer = press_button(ada, member_path("/links"))

    [email] = rows(OutboxEmail)
    next_page = ada.page(answer.location)
    assert [ada.get(address).status_code for address in old] == [404] * 4
    assert ada.get(member_path()).status_code == 200
    assert (email["kind"], member_path() in email["text"]) == ("link", True)
    assert member_path() not in str(next_page)
    assert "Your old links no longer work." in main_text(next_page)
    assert ada.get(member_path(email=GRACE)).status_code == 200


def test_links_are_renewed_five_times_a_day_whatever_strangers_request(app, ada):
    before = find_member().token_version
    for second in range(6):
        advance_clock(app, timedelta(seconds=second))
        press_button(ada, "/my-link", email=ADA)
    for _ in range(5):
        assert press_button(ada, member_path("/links")).status_code == 303

    answer = press_button(ada, member_path("/links"))

    assert answer.status_code == 422
    assert "try again tomorrow" in parse(answer).select_one(".summary").get_text()
    assert find_member().token_version == before + 5
    assert [to for to, _ in outbox_emails("link")].count(ADA) == 5 + 5


def test_an_undeliverable_member_keeps_the_link_that_works(ada):
    update_members(undeliverable_at=NOW)
    before = owner()

    answer = press_button(ada, member_path("/links"))

    assert answer.status_code == 422
    assert "we didn't replace your current link" in parse(answer).select_one(".summary").get_text()
    assert owner() == before


def test_links_are_renewed_only_after_a_question(ada):
    found = {link["href"] for link in ada.page(member_path()).main.select("a")}

    for below, title in (
        ("/links", "Turn off your old links?"),
        ("/calendar", "Get a new calendar link?"),
    ):
        question = ada.page(member_path(below))

        assert member_path(below) in found
        assert question.h1.get_text() == title
        assert question.main.form["action"] == member_path(below)
        assert question.main.select_one(f"a[href='{member_path()}']")


def test_renewing_the_calendar_ends_its_old_address(ada):
    old, before = calendar_path(), owner()
    assert ada.get(old).status_code == 200

    answer = press_button(ada, member_path("/calendar"))

    new = calendar_path()
    assert ada.get(old).status_code == 404
    assert ada.get(new).status_code == 200
    assert f"http://localhost{new}" in main_text(ada.page(answer.location))
    assert owner() == before


def test_an_email_program_unsubscribes_with_one_click_which_verifies_nothing(ada):
    for headers in (
        {},
        CROSS_SITE,
        {"Origin": "https://mail.example.com"},
        {"Origin": "null"},
        {"Sec-Fetch-Site": "same-origin"},
    ):
        update_members(opt_outs=[])

        answer = ada.post(unsubscribe_path("reminders"), data=ONE_CLICK, headers=headers)

        assert answer.status_code == 200
        assert find_member().opt_outs == ["reminders"], headers
    assert find_member(GRACE).opt_outs == []
    assert find_member().verified_at is None


def test_viewing_the_page_does_not_unsubscribe(ada):
    page = ada.page(unsubscribe_path("reminders"))

    assert page.main.form.button.get_text() == "Stop these emails"
    assert find_member().opt_outs == []


@pytest.mark.parametrize(
    ("kind", "stopped", "other"),
    [
        ("reminders", EmailKind.REMINDER, EmailKind.TAKEAWAYS),
        ("takeaways", EmailKind.TAKEAWAYS, EmailKind.REMINDER),
    ],
)
def test_unsubscribing_withdraws_the_queued_emails_of_that_kind_only(ada, kind, stopped, other):
    queue(stopped, other, EmailKind.CONFIRMATION)
    queue(stopped, email=GRACE)

    press_button(ada, unsubscribe_path(kind))

    assert [to for to, _ in outbox_emails(stopped)] == [GRACE]
    assert [to for to, _ in outbox_emails(other, EmailKind.CONFIRMATION)] == [ADA, ADA]


def test_unsubscribing_keeps_the_place_and_is_idempotent(ada):
    before = registration_statuses()

    answers = [press_button(ada, unsubscribe_path("reminders")) for _ in range(2)]
    press_button(ada, unsubscribe_path("takeaways"))

    assert [answer.status_code for answer in answers] == [200, 200]
    assert find_member().opt_outs == ["reminders", "takeaways"]
    assert registration_statuses() == before
    assert "Your registrations haven't changed." in main_text(parse(answers[1]))
    assert parse(answers[1]).main.select_one("a[href='/my-link']")


def test_the_mailing_list_is_left_by_the_same_link(ada):
    update_members(list_requested_at=NOW, list_confirmed_at=NOW)

    answer = press_button(ada, unsubscribe_path("list"))

    assert answer.status_code == 200
    assert (find_member().list_requested_at, find_member().list_confirmed_at) == (None, None)
    assert find_member(GRACE).list_confirmed_at == NOW


def test_an_invalid_unsubscribe_link_is_not_found(ada):
    before = rows(Member)

    for address in (
        "/unsubscribe/unknown",
        LINKS.unsubscribe(9999, "reminders"),
        LINKS.unsubscribe(1, "confirmation"),
        LINKS.unsubscribe(1, ""),
    ):
        assert ada.get(address).status_code == 404, address
        assert ada.post(address, data=ONE_CLICK).status_code == 404, address
    assert rows(Member) == before


def test_only_unsubscribing_takes_cross_site_posts(app, client):
    posts = [rule for rule in app.url_map.iter_rules() if "POST" in rule.methods]

    passed = {
        rule.rule
        for rule in posts
        if client.post(example_path(app, rule), headers=CROSS_SITE).status_code != 403
    }

    assert len(posts) > 20
    assert passed == {"/unsubscribe/<token>"}
