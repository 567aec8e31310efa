"""A member's own page, its downloads, and erasing."""

import csv
import io
from datetime import timedelta

import pytest
from sqlalchemy import insert, update

from cop.db.engine import write_tx
from cop.models.audit import Viewing
from cop.models.email import OutboxEmail
from cop.models.registration import Member
from cop.questions import registry
from tests.builders import NOW, a_meeting, a_registration
from tests.client import (
    ADA,
    ALL_SIX,
    DECEMBER,
    FEBRUARY,
    GRACE,
    JANUARY,
    LINKS,
    add_registrations,
    advance_clock,
    find_member,
    main_text,
    member_path,
    owner,
    press_button,
    register,
    registration_statuses,
    rows,
    text_of,
    update_meeting,
)
from tests.page import parse
from tests.statements import Statements

OF_THE_TEST = 1  # the statement that reads what Ada's link is


@pytest.fixture
def ada(client):
    register(client, DECEMBER, pronouns="she/her")
    return client


def test_the_page_shows_the_status_of_each_registration(client):
    others = [f"other{number}@example.org" for number in range(10)]
    add_registrations(JANUARY, *others[:2], status="waiting")
    add_registrations(FEBRUARY, *others, status="waiting")
    statuses = ("held", "waiting", "waiting", "cancelled", "held")
    for slug, status in zip(ALL_SIX, statuses, strict=False):
        add_registrations(slug, ADA, status=status)
    update_meeting("2027-04-20", status="cancelled", reason="The guest is ill.")

    page = client.page(member_path())

    sessions = page.select(".next, .sessions > li")
    december, january, february, march, april = map(text_of, sessions)
    assert "You're registered" in december
    assert "You're number 3 on the waiting list" in january
    assert "You're number 11 on the waiting list" in february
    assert "Registration canceled" in march
    assert "Session canceled" in april
    assert "The guest is ill." in april
    [join] = [link["href"] for link in page.main.select("a") if "/join/" in link["href"]]
    assert join == f"http://localhost{LINKS.join(owner(), rows()[-5]['id'])}"
    assert text_of(page.select_one("#join")) == "How to join"


def test_the_next_session_is_one_that_takes_place_and_a_wait_has_no_join_link(client):
    add_registrations(DECEMBER, ADA, status="cancelled")
    add_registrations(JANUARY, ADA)
    update_meeting(JANUARY, status="cancelled")
    add_registrations(FEBRUARY, ADA, status="waiting")

    page = client.page(member_path())

    assert "February 16" in text_of(page.select_one(".next"))
    assert [text_of(each).split(",")[1] for each in page.select(".sessions time")] == [
        " December 15",
        " January 19",
    ]
    assert text_of(page.select_one("#join")) == "If a spot opens"
    assert "/join/" not in str(page.main)


def test_a_held_session_has_a_join_link_and_its_values_say_why_they_are_stored(ada):
    page = ada.page(member_path())

    links = {text_of(link): link["href"] for link in page.select(".next a, aside a")}
    [join_link] = [url for text, url in links.items() if text.startswith("Join on Zoom")]
    assert join_link.startswith("http://localhost/join/")
    assert any(address.startswith("https://calendar.google.com/") for address in links.values())
    assert member_path(f"/sessions/{DECEMBER}/cancel") in links.values()
    entry = next(tag for tag in page.select(".registry > div") if tag.dt.string == "Pronouns")
    assert entry.dd.p.string == "she/her"
    assert registry.PRONOUNS.hint in text_of(entry)
    assert registry.PRONOUNS.seen_by in text_of(entry)
    assert "Deleted on December 22." in text_of(entry)


def test_past_sessions_are_shown_until_they_are_deleted(app, client):
    add_registrations(DECEMBER, ADA)
    advance_clock(app, timedelta(days=24))

    page = client.page(member_path())

    assert "You're not registered for any upcoming sessions." in main_text(page)
    assert "You were registered" in page.select_one("section[aria-labelledby=past]").get_text()


def test_the_page_names_the_coordinators_who_viewed_the_data(client, corin):
    add_registrations(DECEMBER, ADA)
    client.get(f"/coordinator/sessions/{DECEMBER}")
    client.get("/coordinator/export.csv?columns=name,access")

    took, opened = client.page(member_path()).select("#viewings + ul li")

    assert text_of(took).startswith("Nov 22, 10:00 AM: Corin downloaded the attendee list")
    assert text_of(took).endswith("for all sessions, with access needs.")
    assert text_of(opened) == (
        "Nov 22, 10:00 AM: Corin viewed the attendee list for the December 15 session."
    )


@pytest.mark.parametrize(
    ("resource", "columns", "of_all", "of_one"),
    [
        ("roster", [], None, "viewed the attendee list for the December 15 session."),
        (
            *("roster", ["asked_for_access"], None),
            "viewed who has access needs for the December 15 session.",
        ),
        ("export", ["name"], "downloaded the attendee list for all sessions.", None),
        ("people", [], "viewed the list of everyone registered.", None),
        ("list", [], "viewed the mailing list.", None),
        ("list", ["email"], "downloaded the mailing list.", None),
        (
            "mails",
            [],
            "viewed emails that we sent.",
            "viewed an email about the December 15 session.",
        ),
        ("new", [], "viewed a list that includes you.", None),
    ],
)
def test_a_viewing_is_a_sentence_on_the_page_and_in_the_csv(
    client, resource, columns, of_all, of_one
):
    add_registrations(DECEMBER, ADA)
    [meeting_id] = {row["meeting_id"] for row in rows()}
    sentences = {None: of_all, meeting_id: of_one}
    for id_ in (id_ for id_, sentence in sentences.items() if sentence):
        with write_tx() as db_session:
            values = {"resource": resource, "columns": columns, "viewed_at": NOW}
            db_session.add(Viewing(meeting_id=id_, **values))

        text = text_of(client.page(member_path()).select_one("#viewings + ul li"))
        table = client.get(member_path("/mine.csv")).data.decode()

        assert text == f"Nov 22, 10:00 AM: A former coordinator {sentences[id_]}"
        assert f"Nov 22, 10:00 AM; A former coordinator {sentences[id_]}" in table


def test_a_page_takes_six_statements_however_much_is_stored(app, client):
    add_registrations(DECEMBER, ADA)
    with write_tx() as db_session:
        for number in range(30):
            starts_at = NOW + timedelta(days=3 * number - 30, hours=1)
            meeting = a_meeting(db_session, starts_at=starts_at, slug=f"1999-01-01-{number + 2}")
            a_registration(db_session, meeting, ADA, "waiting")
            viewings = [{"resource": "roster", "meeting_id": meeting.id, "viewed_at": NOW}] * 3
            db_session.execute(insert(Viewing), viewings)
    counts = {}

    for below in ("", "/erase", "/mine.json", "/mine.csv", f"/sessions/{DECEMBER}"):
        with Statements() as sent:
            assert client.get(member_path(below)).status_code == 200
        counts[below] = len(sent) - OF_THE_TEST

    assert max(counts.values()) <= 6, counts


def test_an_unverified_address_is_asked_for_confirmation_once(ada):
    page = ada.page(member_path())
    before = find_member().verified_at

    answer = press_button(ada, member_path())

    confirmed = main_text(ada.page(answer.location))
    assert [button.get_text() for button in page.select(".well .button")] == [
        "Yes, this is me",
        "No, delete this",
    ]
    assert (before, find_member().verified_at) == (None, NOW)
    assert "Is this you?" not in confirmed
    assert "confirmed that this is your email" in confirmed


def test_get_requests_change_nothing(ada):
    before = rows(Member), rows(), rows(OutboxEmail)

    session = f"/sessions/{DECEMBER}"
    asking = ("/erase", "/links", "/calendar", f"{session}/cancel", f"{session}/delete/pronouns")
    for below in ("", session, *asking):
        assert ada.get(member_path(below)).status_code == 200
        assert ada.head(member_path(below)).status_code == 200

    assert (rows(Member), rows(), rows(OutboxEmail)) == before


def test_an_undeliverable_address_can_be_tried_again(client):
    add_registrations(DECEMBER, ADA)
    with write_tx() as db_session:
        db_session.execute(update(Member).values(undeliverable_at=NOW - timedelta(days=1)))
    page = client.page(member_path())

    answer = press_button(client, member_path("/address"))

    assert "An email to ada@example.org came back on November 21" in main_text(page)
    assert "Our emails don't reach you" not in main_text(client.page(answer.location))
    assert find_member().undeliverable_at is None


def test_a_subscriber_without_registrations_has_a_page(client):
    with write_tx() as db_session:
        db_session.add(Member(email=ADA, email_key=ADA, list_confirmed_at=NOW))

    page = client.page(member_path())

    assert "Kept until you leave the mailing list." in main_text(page)
    assert " 0 " not in main_text(client.page(member_path("/erase")))


def test_all_data_can_be_downloaded_as_json(ada):
    answer = ada.get(member_path("/mine.json"))

    [registration] = answer.json["registrations"]
    values = {each["label"]: each["value"] for each in registration["values"]}
    assert answer.headers["Content-Disposition"] == (
        'attachment; filename="equity-in-data-mine.json"'
    )
    assert (registration["session"], values["Pronouns"]) == (DECEMBER, "she/her")
    assert answer.json["you"][0]["value"].startswith("ada@example.org")
    assert answer.json["mails"][0]["subject"] == "You're registered for December 15"
    assert answer.cache_control.no_store


def test_all_data_can_be_downloaded_as_csv_with_formulas_guarded(client):
    add_registrations(DECEMBER, ADA, pronouns="=1+1")

    answer = client.get(member_path("/mine.csv"))

    text = answer.data.decode("utf-8-sig")
    table = list(csv.reader(io.StringIO(text, newline="")))
    assert table[0] == ["label", "value", "session"]
    assert ["Pronouns", "'=1+1", DECEMBER] in table
    assert answer.cache_control.no_store


def test_erasing_asks_first_and_then_deletes_everything(ada):
    register(ada, JANUARY)
    add_registrations(DECEMBER, GRACE)
    address = member_path()
    question = main_text(ada.page(member_path("/erase")))

    answer = press_button(ada, member_path("/erase"))

    assert "We'll delete 2 registrations and all their answers." in question
    assert "We'll delete our copies of 2 emails to you." in question
    assert "Your spot on December 15 will be free for someone else" in question
    assert answer.status_code == 200
    assert parse(answer).h1.get_text() == "We deleted everything about you"
    assert not [value for value in ("Ada Example", ADA, address) if value in answer.text]
    assert registration_statuses() == [(GRACE, DECEMBER, "held")]
    assert ada.get(address).status_code == 404
