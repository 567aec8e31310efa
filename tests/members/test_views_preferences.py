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
    feed,
    mails,
    own,
    owner,
    press,
    register,
    rows,
    said,
    the_member,
    turn_clock,
    way_in,
    yes_to_list,
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

    answer = press(ada, own("/mail"), mail=["takeaways"])

    page = ada.page(answer.location)
    ticked = [box["value"] for box in page.select("input[name=mail][checked]")]
    assert ticked == ["takeaways"]
    assert the_member().opt_outs == ["reminders"]
    assert [to for to, _ in mails("reminder")] == [GRACE]
    assert [to for to, _ in mails("takeaways")] == [ADA]
    assert the_member(GRACE).opt_outs == []


def test_opting_in_again_is_stored(ada):
    press(ada, own("/mail"), mail=[])

    press(ada, own("/mail"), mail=["reminders", "takeaways", "unheard-of"])

    assert the_member().opt_outs == []


def test_the_mailing_list_asks_for_confirmation_once_a_day(app, ada):
    press(ada, own("/mail"), mail=["list"])
    press(ada, own("/mail"), mail=["list"])
    once = mails("list")
    turn_clock(app, timedelta(days=1, minutes=1))

    press(ada, own("/mail"), mail=["list"])

    assert once == [(ADA, "Please confirm: mail about future sessions")]
    assert len(mails("list")) == 2
    assert the_member().list_confirmed_at is None


def test_confirming_subscribes_and_the_page_unsubscribes(ada):
    press(ada, own("/mail"), mail=["list"])

    answer = press(ada, yes_to_list())
    confirmed_at = the_member().list_confirmed_at
    page = ada.page(answer.location)
    press(ada, own("/mail"), mail=["reminders"])

    assert confirmed_at == NOW
    assert page.h1.get_text() == "You are on the mailing list"
    assert (the_member().list_requested_at, the_member().list_confirmed_at) == (None, None)


def test_a_subscriber_stays_subscribed_when_other_preferences_change(ada):
    press(ada, own("/mail"), mail=["list"])
    press(ada, yes_to_list())

    press(ada, own("/mail"), mail=["list", "reminders"])

    assert the_member().list_confirmed_at == NOW
    assert len(mails("list")) == 1


def test_confirming_after_unsubscribing_does_not_subscribe(ada):
    press(ada, own("/mail"), mail=["list"])
    address = yes_to_list()
    press(ada, own("/mail"), mail=[])

    answer = press(ada, address)

    page = ada.page(answer.location)
    assert page.h1.get_text() == "You are not on the mailing list"
    assert not page.main.find("form")
    assert the_member().list_confirmed_at is None


def test_viewing_the_confirmation_page_does_not_subscribe(ada):
    register(ada, DECEMBER, list_opt_in="yes")

    page = ada.page(yes_to_list())

    assert page.main.form.button.get_text() == "Yes, write to me about future sessions"
    assert the_member().list_confirmed_at is None
    assert the_member().verified_at is None


def test_renewing_links_ends_the_old_ones_and_emails_a_new_one(ada):
    press(ada, own())
    old = [own(), way_in(), yes_to_list(), feed()]

    answer = press(ada, own("/links"))

    [letter] = [mail for mail in rows(OutboxEmail) if mail["kind"] == "link"]
    assert [ada.get(address).status_code for address in old] == [404] * 4
    assert ada.get(own()).status_code == 200
    assert own() in letter["text"]
    assert own() not in ada.get(answer.location).text
    assert "Your old links are useless from now on." in said(ada.page(answer.location))
    assert ada.get(own(email=GRACE)).status_code == 200


def test_links_are_not_renewed_beyond_five_emails_a_day(ada):
    before = the_member().token_version
    for _ in range(5):
        assert press(ada, own("/links")).status_code == 303

    answer = press(ada, own("/links"))

    assert answer.status_code == 422
    assert "try again tomorrow" in parse(answer).select_one(".summary").get_text()
    assert the_member().token_version == before + 5
    assert len(mails("link")) == 5


def test_requests_by_strangers_do_not_keep_a_member_from_renewing_links(app, ada):
    for second in range(6):
        turn_clock(app, timedelta(seconds=second))
        press(ada, "/my-link", email=ADA)
    old = own()

    answer = press(ada, own("/links"))

    assert answer.status_code == 303
    assert ada.get(old).status_code == 404
    assert [to for to, _ in mails("link")].count(ADA) == 5 + 1


def test_an_undeliverable_member_keeps_the_link_that_works(ada):
    with write_tx() as db_session:
        db_session.query(Member).filter_by(email_key=ADA).update({"undeliverable_at": NOW})
    before = the_member().token_version

    answer = press(ada, own("/links"))

    assert answer.status_code == 422
    assert "a new link would not reach you" in parse(answer).select_one(".summary").get_text()
    assert the_member().token_version == before


def test_renewing_the_calendar_ends_its_old_address(ada):
    old, before = feed(), owner()
    assert ada.get(old).status_code == 200

    answer = press(ada, own("/calendar"))

    new = feed()
    assert ada.get(old).status_code == 404
    assert ada.get(new).status_code == 200
    assert f"http://localhost{new}" in said(ada.page(answer.location))
    assert owner() == before


@pytest.mark.parametrize("below", ["/mail", "/links", "/calendar", "/address"])
def test_changing_preferences_verifies_the_address(ada, below):
    press(ada, own(below))

    assert the_member().verified_at
    assert the_member(GRACE).verified_at is None
