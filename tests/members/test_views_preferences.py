"""Which mail a member wants, and which of their links still work."""

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


def test_what_is_not_wanted_is_switched_off_and_what_was_queued_of_it_taken_back(ada):
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


def test_what_is_wanted_again_is_switched_on_again(ada):
    press(ada, own("/mail"), mail=[])

    press(ada, own("/mail"), mail=["reminders", "takeaways", "unheard-of"])

    assert the_member().opt_outs == []


def test_the_mailing_list_asks_for_its_own_yes_once_a_day(app, ada):
    press(ada, own("/mail"), mail=["list"])
    press(ada, own("/mail"), mail=["list"])
    once = mails("list")
    turn_clock(app, timedelta(days=1, minutes=1))

    press(ada, own("/mail"), mail=["list"])

    assert once == [(ADA, "Please confirm: mail about future sessions")]
    assert len(mails("list")) == 2
    assert the_member().list_confirmed_at is None


def test_the_yes_puts_them_on_the_list_and_their_page_takes_them_off(ada):
    press(ada, own("/mail"), mail=["list"])

    answer = press(ada, yes_to_list())
    confirmed_at = the_member().list_confirmed_at
    page = ada.page(answer.location)
    press(ada, own("/mail"), mail=["reminders"])

    assert confirmed_at == NOW
    assert page.h1.get_text() == "You are on the mailing list"
    assert (the_member().list_requested_at, the_member().list_confirmed_at) == (None, None)


def test_who_is_on_the_list_stays_on_it_when_other_mail_is_chosen(ada):
    press(ada, own("/mail"), mail=["list"])
    press(ada, yes_to_list())

    press(ada, own("/mail"), mail=["list", "reminders"])

    assert the_member().list_confirmed_at == NOW
    assert len(mails("list")) == 1


def test_a_yes_after_leaving_puts_nobody_on_the_list(ada):
    press(ada, own("/mail"), mail=["list"])
    address = yes_to_list()
    press(ada, own("/mail"), mail=[])

    answer = press(ada, address)

    page = ada.page(answer.location)
    assert page.h1.get_text() == "You are not on the mailing list"
    assert not page.main.find("form")
    assert the_member().list_confirmed_at is None


def test_looking_at_the_question_is_no_yes(ada):
    register(ada, DECEMBER, list_opt_in="yes")

    page = ada.page(yes_to_list())

    assert page.main.form.button.get_text() == "Yes, write to me about future sessions"
    assert the_member().list_confirmed_at is None
    assert the_member().verified_at is None


def test_old_links_are_useless_once_the_member_says_so_and_a_new_one_comes_by_mail(ada):
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


def test_over_five_mails_a_day_the_links_stay_as_they_are(ada):
    before = the_member().token_version
    for _ in range(5):
        assert press(ada, own("/links")).status_code == 303

    answer = press(ada, own("/links"))

    assert answer.status_code == 422
    assert "try again tomorrow" in parse(answer).select_one(".summary").get_text()
    assert the_member().token_version == before + 5
    assert len(mails("link")) == 5


def test_a_stranger_who_uses_up_the_mails_of_a_day_keeps_nobody_from_ending_old_links(app, ada):
    for second in range(6):
        turn_clock(app, timedelta(seconds=second))
        press(ada, "/my-link", email=ADA)
    old = own()

    answer = press(ada, own("/links"))

    assert answer.status_code == 303
    assert ada.get(old).status_code == 404
    assert [to for to, _ in mails("link")].count(ADA) == 5 + 1


def test_who_cannot_be_mailed_keeps_the_link_that_works(ada):
    with write_tx() as db_session:
        db_session.query(Member).filter_by(email_key=ADA).update({"undeliverable_at": NOW})
    before = the_member().token_version

    answer = press(ada, own("/links"))

    assert answer.status_code == 422
    assert "a new link would not reach you" in parse(answer).select_one(".summary").get_text()
    assert the_member().token_version == before


def test_a_calendar_gets_another_address_and_the_old_one_shows_nothing(ada):
    old, before = feed(), owner()
    assert ada.get(old).status_code == 200

    answer = press(ada, own("/calendar"))

    new = feed()
    assert ada.get(old).status_code == 404
    assert ada.get(new).status_code == 200
    assert f"http://localhost{new}" in said(ada.page(answer.location))
    assert owner() == before


@pytest.mark.parametrize("below", ["/mail", "/links", "/calendar", "/address"])
def test_to_choose_is_to_prove_the_address(ada, below):
    press(ada, own(below))

    assert the_member().verified_at
    assert the_member(GRACE).verified_at is None
