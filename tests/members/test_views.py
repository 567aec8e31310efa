"""A member's own page, its downloads, and erasing."""

import csv
import io
from datetime import timedelta

import pytest
from sqlalchemy import insert

from cop.db.engine import write_tx
from cop.models.audit import Viewing
from cop.models.email import OutboxEmail
from cop.models.registration import Member
from tests.builders import NOW, a_meeting, a_registration
from tests.client import (
    ADA,
    DECEMBER,
    GRACE,
    JANUARY,
    add_registrations,
    advance_clock,
    find_member,
    main_text,
    member_path,
    press_button,
    register,
    registration_statuses,
    rows,
    text_of,
    update_meeting,
)
from tests.page import parse
from tests.statements import Statements

AFTER_DECEMBER = timedelta(days=24)
OF_THE_TEST = 1  # finding out what Ada's link is


def update_member(email=ADA, **values):
    with write_tx() as db_session:
        found = db_session.query(Member).filter_by(email_key=email).one()
        for name, value in values.items():
            setattr(found, name, value)


@pytest.fixture
def ada(client):
    register(client, DECEMBER, pronouns="she/her")
    return client


@pytest.mark.parametrize(
    ("status", "ahead", "shown"),
    [
        ("held", 0, "You hold a place"),
        ("waiting", 2, "3rd on the waiting list"),
        ("waiting", 10, "11th on the waiting list"),
        ("cancelled", 0, "You gave up this place"),
    ],
)
def test_the_page_shows_the_status_of_a_registration(client, status, ahead, shown):
    add_registrations(
        DECEMBER, *(f"other{number}@example.org" for number in range(ahead)), status="waiting"
    )
    add_registrations(DECEMBER, ADA, status=status)

    page = client.page(member_path())

    assert shown in page.select_one(".sessions").get_text(" ")


def test_a_held_session_has_a_join_link_and_calendar_links(ada):
    session = ada.page(member_path()).select_one(".sessions li")

    links = {link.get_text(" ", strip=True): link["href"] for link in session.select("a")}
    assert links["Your way in December 15"].startswith("http://localhost/join/")
    assert any(address.startswith("https://calendar.google.com/") for address in links.values())
    assert member_path(f"/sessions/{DECEMBER}/cancel") in links.values()


def test_a_canceled_session_has_no_join_link(ada):
    update_meeting(DECEMBER, status="cancelled", reason="The guest is ill.")

    page = ada.page(member_path())

    assert "Cancelled session" in main_text(page)
    assert "The guest is ill." in main_text(page)
    assert not page.select("a[href*='/join/']")


def test_past_sessions_are_shown_until_they_are_deleted(app, ada):
    advance_clock(app, AFTER_DECEMBER)

    page = ada.page(member_path())

    assert "You are registered for no session to come." in main_text(page)
    assert "You held a place" in page.select_one("section[aria-labelledby=past]").get_text()


def test_each_value_says_why_it_is_stored_who_sees_it_and_until_when(ada):
    page = ada.page(member_path())

    entry = next(tag for tag in page.select(".registry > div") if tag.dt.string == "Pronouns")
    assert entry.dd.p.string == "she/her"
    assert "So that the hosts refer to you rightly." in entry.get_text()
    assert "Seen by the hosts of the session goes on December 22" in text_of(entry)


def test_the_page_names_the_coordinators_who_viewed_the_data(client, corin):
    register(client, DECEMBER)
    client.get(f"/coordinator/sessions/{DECEMBER}")
    client.get("/coordinator/export.csv?columns=name,access")

    took, opened = client.page(member_path()).select("[aria-labelledby=viewings] li")

    assert text_of(took).startswith("Nov 22, 10:00 am: Corin took the list away as a file")
    assert text_of(took).endswith("all sessions, with what would help you take part")
    assert text_of(opened) == "Nov 22, 10:00 am: Corin opened the list, Tuesday, December 15"


@pytest.mark.parametrize("how_many", [1, 60])
def test_a_page_takes_six_statements_however_much_is_stored(app, ada, how_many):
    with write_tx() as db_session:
        for number in range(how_many):
            starts_at = NOW + timedelta(days=3 * number - how_many, hours=1)
            meeting = a_meeting(db_session, starts_at=starts_at, slug=f"1999-01-01-{number + 2}")
            a_registration(db_session, meeting, ADA, "waiting")
            looks = [{"resource": "roster", "meeting_id": meeting.id, "viewed_at": NOW}] * 3
            db_session.execute(insert(Viewing), looks)
    took = {}

    for below in ("", "/erase", "/mine.json", "/mine.csv", f"/sessions/{DECEMBER}"):
        with Statements() as sent:
            assert ada.get(member_path(below)).status_code == 200
        took[below] = len(sent) - OF_THE_TEST

    assert max(took.values()) <= 6, took


def test_an_unverified_address_is_asked_for_confirmation(ada):
    page = ada.page(member_path())

    buttons = [button.get_text() for button in page.select(".well button")]
    assert buttons == ["Yes, this is me", "Not me: remove this"]
    assert find_member().verified_at is None


def test_confirming_verifies_the_address_and_is_not_asked_again(ada):
    answer = press_button(ada, member_path())

    page = ada.page(answer.location)
    assert answer.status_code == 303
    assert find_member().verified_at == NOW
    assert "Is this you?" not in main_text(page)
    assert "we know that this address is yours" in main_text(page)


def test_get_requests_change_nothing(ada):
    before = rows(Member), rows(), rows(OutboxEmail)

    for below in ("", f"/sessions/{DECEMBER}", f"/sessions/{DECEMBER}/cancel", "/erase"):
        assert ada.get(member_path(below)).status_code == 200
        assert ada.head(member_path(below)).status_code == 200

    assert (rows(Member), rows(), rows(OutboxEmail)) == before


def test_an_undeliverable_address_can_be_tried_again(ada):
    update_member(undeliverable_at=NOW - timedelta(days=1), verified_at=NOW)
    page = ada.page(member_path())

    answer = press_button(ada, member_path("/address"))

    assert "Mail to ada@example.org came back on November 21" in main_text(page)
    assert "Mail to you comes back" not in main_text(ada.page(answer.location))
    assert find_member().undeliverable_at is None


def test_a_subscriber_without_registrations_has_a_page(client):
    with write_tx() as db_session:
        db_session.add(Member(email=ADA, email_key=ADA, list_confirmed_at=NOW))

    page = client.page(member_path())

    assert "kept until you leave the mailing list" in main_text(page)
    assert client.page(member_path("/erase")).h1


def test_all_data_can_be_downloaded_as_json(ada):
    answer = ada.get(member_path("/mine.json"))

    [held] = answer.json["registrations"]
    values = {each["label"]: each["value"] for each in held["values"]}
    assert answer.headers["Content-Disposition"] == (
        'attachment; filename="equity-in-data-mine.json"'
    )
    assert (held["session"], values["Pronouns"]) == (DECEMBER, "she/her")
    assert answer.json["you"][0]["value"].startswith("ada@example.org")
    assert answer.json["mails"][0]["subject"] == "You are registered: December 15"
    assert answer.cache_control.no_store


def test_all_data_can_be_downloaded_as_csv_with_formulas_guarded(client):
    register(client, DECEMBER, pronouns="=1+1")

    answer = client.get(member_path("/mine.csv"))

    text = answer.data.decode("utf-8-sig")
    table = list(csv.reader(io.StringIO(text, newline="")))
    assert table[0] == ["label", "value", "session"]
    assert ["Pronouns", "'=1+1", DECEMBER] in table
    assert answer.cache_control.no_store


def test_erasing_asks_first_and_counts_what_is_deleted(ada):
    register(ada, JANUARY)

    page = main_text(ada.page(member_path("/erase")))

    assert "2 registrations with all their answers go." in page
    assert "2 mails to you go." in page
    assert "Your place on December 15 goes to the next in line." in page


def test_erasing_deletes_everything_and_the_link_expires(ada):
    register(ada, DECEMBER, name="Grace Sample", email=GRACE)
    address = member_path()

    answer = press_button(ada, member_path("/erase"))

    page = parse(answer)
    assert answer.status_code == 200
    assert page.h1.get_text() == "Everything is deleted"
    assert not [value for value in ("Ada Example", ADA, address) if value in answer.text]
    assert registration_statuses() == [(GRACE, DECEMBER, "held")]
    assert ada.get(address).status_code == 404
