"""Which email a member wants, and which of their links still work."""

from datetime import timedelta

import pytest

from cop.db.engine import write_tx
from cop.mail.letter import Letter
from cop.models.email import OutboxEmail
from cop.models.registration import Member
from cop.outbox import outbox
from cop.outbox.outbox import EmailKind, QueuedEmail
from tests.builders import NOW
from tests.client import (
    ADA,
    DECEMBER,
    GRACE,
    advance_clock,
    calendar_path,
    confirm_list_path,
    find_member,
    join_path,
    main_text,
    member_path,
    outbox_emails,
    owner,
    press_button,
    register,
    rows,
)
from tests.page import parse


@pytest.fixture
def ada(client):
    register(client, DECEMBER)
    register(client, DECEMBER, email=GRACE, name="Grace Sample")
    return client


def queue(kind, email=ADA):
    """Queue a mail of a kind to a member."""
    with write_tx() as db_session:
        found = db_session.query(Member).filter_by(email_key=email).one()
        mail = QueuedEmail(Letter("Hello", "Hello", "<p>Hello</p>"), email, kind, f"{kind}:{email}")
        outbox.queue(db_session, [mail], now=NOW)
        db_session.query(OutboxEmail).filter_by(dedup_key=mail.dedup_key).update(
            {"member_id": found.id}
        )


def test_opting_out_withdraws_the_queued_emails_of_that_kind(ada):
    for kind in (EmailKind.REMINDER, EmailKind.TAKEAWAYS):
        queue(kind)
    queue(EmailKind.REMINDER, GRACE)

    answer = press_button(ada, member_path("/mail"), mail=["takeaways"])

    page = ada.page(answer.location)
    ticked = [box["value"] for box in page.select("input[name=mail][checked]")]
    assert ticked == ["takeaways"]
    assert find_member().opt_outs == ["reminders"]
    assert [to for to, _ in outbox_emails("reminder")] == [GRACE]
    assert [to for to, _ in outbox_emails("takeaways")] == [ADA]
    assert find_member(GRACE).opt_outs == []


def test_opting_in_again_is_stored(ada):
    press_button(ada, member_path("/mail"), mail=[])

    press_button(ada, member_path("/mail"), mail=["reminders", "takeaways", "unheard-of"])

    assert find_member().opt_outs == []


def test_the_mailing_list_asks_for_confirmation_once_a_day(app, ada):
    press_button(ada, member_path("/mail"), mail=["list"])
    press_button(ada, member_path("/mail"), mail=["list"])
    once = outbox_emails("list")
    advance_clock(app, timedelta(days=1, minutes=1))

    press_button(ada, member_path("/mail"), mail=["list"])

    assert once == [(ADA, "Please confirm: mail about future sessions")]
    assert len(outbox_emails("list")) == 2
    assert find_member().list_confirmed_at is None


def test_confirming_subscribes_and_the_page_unsubscribes(ada):
    press_button(ada, member_path("/mail"), mail=["list"])

    answer = press_button(ada, confirm_list_path())
    confirmed_at = find_member().list_confirmed_at
    page = ada.page(answer.location)
    press_button(ada, member_path("/mail"), mail=["reminders"])

    assert confirmed_at == NOW
    assert page.h1.get_text() == "You are on the mailing list"
    assert (find_member().list_requested_at, find_member().list_confirmed_at) == (None, None)


def test_a_subscriber_stays_subscribed_when_other_preferences_change(ada):
    press_button(ada, member_path("/mail"), mail=["list"])
    press_button(ada, confirm_list_path())

    press_button(ada, member_path("/mail"), mail=["list", "reminders"])

    assert find_member().list_confirmed_at == NOW
    assert len(outbox_emails("list")) == 1


def test_confirming_after_unsubscribing_does_not_subscribe(ada):
    press_button(ada, member_path("/mail"), mail=["list"])
    address = confirm_list_path()
    press_button(ada, member_path("/mail"), mail=[])

    answer = press_button(ada, address)

    page = ada.page(answer.location)
    assert page.h1.get_text() == "You are not on the mailing list"
    assert not page.main.find("form")
    assert find_member().list_confirmed_at is None


def test_viewing_the_confirmation_page_does_not_subscribe(ada):
    register(ada, DECEMBER, list_opt_in="yes")

    page = ada.page(confirm_list_path())

    assert page.main.form.button.get_text() == "Yes, write to me about future sessions"
    assert find_member().list_confirmed_at is None
    assert find_member().verified_at is None


def test_renewing_links_ends_the_old_ones_and_emails_a_new_one(ada):
    press_button(ada, member_path())
    old = [member_path(), join_path(), confirm_list_path(), calendar_path()]

    answer = press_button(ada, member_path("/links"))

    [letter] = [mail for mail in rows(OutboxEmail) if mail["kind"] == "link"]
    assert [ada.get(address).status_code for address in old] == [404] * 4
    assert ada.get(member_path()).status_code == 200
    assert member_path() in letter["text"]
    assert member_path() not in ada.get(answer.location).text
    assert "Your old links are useless from now on." in main_text(ada.page(answer.location))
    assert ada.get(member_path(email=GRACE)).status_code == 200


def test_links_are_not_renewed_beyond_five_emails_a_day(ada):
    before = find_member().token_version
    for _ in range(5):
        assert press_button(ada, member_path("/links")).status_code == 303

    answer = press_button(ada, member_path("/links"))

    assert answer.status_code == 422
    assert "try again tomorrow" in parse(answer).select_one(".summary").get_text()
    assert find_member().token_version == before + 5
    assert len(outbox_emails("link")) == 5


def test_requests_by_strangers_do_not_keep_a_member_from_renewing_links(app, ada):
    for second in range(6):
        advance_clock(app, timedelta(seconds=second))
        press_button(ada, "/my-link", email=ADA)
    old = member_path()

    answer = press_button(ada, member_path("/links"))

    assert answer.status_code == 303
    assert ada.get(old).status_code == 404
    assert [to for to, _ in outbox_emails("link")].count(ADA) == 5 + 1


def test_an_undeliverable_member_keeps_the_link_that_works(ada):
    with write_tx() as db_session:
        db_session.query(Member).filter_by(email_key=ADA).update({"undeliverable_at": NOW})
    before = find_member().token_version

    answer = press_button(ada, member_path("/links"))

    assert answer.status_code == 422
    assert "a new link would not reach you" in parse(answer).select_one(".summary").get_text()
    assert find_member().token_version == before


def test_renewing_the_calendar_ends_its_old_address(ada):
    old, before = calendar_path(), owner()
    assert ada.get(old).status_code == 200

    answer = press_button(ada, member_path("/calendar"))

    new = calendar_path()
    assert ada.get(old).status_code == 404
    assert ada.get(new).status_code == 200
    assert f"http://localhost{new}" in main_text(ada.page(answer.location))
    assert owner() == before


@pytest.mark.parametrize("below", ["/mail", "/links", "/calendar", "/address"])
def test_changing_preferences_verifies_the_address(ada, below):
    press_button(ada, member_path(below))

    assert find_member().verified_at
    assert find_member(GRACE).verified_at is None
