"""Writing a message: preview, confirm, send to as many people as the button says."""

import pytest

from cop.models.audit import Announcement, AuditEntry, Viewing
from cop.models.email import OutboxEmail
from cop.models.meeting import Meeting
from tests.builders import NOW
from tests.client import (
    DECEMBER,
    SAME_ORIGIN,
    add_registrations,
    error_summary,
    post,
    rows,
    update_meeting,
)
from tests.page import parse
from tests.statements import Statements

PATH = f"/coordinator/sessions/{DECEMBER}/write"
ANSWERS = {"audience": "held", "subject": "Bring a chart", "text": "Dear {name}, bring **one**."}


@pytest.fixture(autouse=True)
def _people(app):
    add_registrations(DECEMBER, "ada@example.org", "grace@example.org")
    add_registrations(DECEMBER, "katherine@example.org", status="waiting")


def preview(corin, **answers):
    """Send the form; the preview comes back."""
    return post(corin, PATH, **ANSWERS | answers)


def sent_from(page, button="send"):
    """The fields that a browser sends when a button of that page is pressed."""
    controls = page.select("main form input, main form textarea")
    values = {c["name"]: c.get("value", c.get_text().removeprefix("\n")) for c in controls}
    return values | {button: "yes"}


def press(corin, answers):
    return corin.post(PATH, data=answers, headers=SAME_ORIGIN)


def main(response):
    return " ".join(parse(response).main.get_text(" ").split())


def test_the_page_says_how_many_each_choice_reaches_by_attendance_once_it_has_begun(corin):
    before = corin.page(PATH)
    update_meeting(DECEMBER, starts_at=NOW)
    after = corin.page(PATH)

    labels, later_labels = (
        [label.get_text(strip=True) for label in page.select("fieldset label")]
        for page in (before, after)
    )
    assert labels == [
        "Registered: 2",
        "On the waiting list: 1",
        "Registered or on the waiting list: 3",
    ]
    assert later_labels == [*labels, "Attended: 0", "Registered, but did not attend: 0"]


def test_a_message_is_previewed_before_it_is_sent(corin):
    page = parse(preview(corin))

    assert page.h1.get_text() == "Send this to 2 people?"
    assert page.find("button", attrs={"name": "send"}).get_text() == "Send to 2 people"
    assert "Dear colleague, bring **one**." in page.pre.get_text()
    assert page.select_one(".framed strong").get_text() == "one"
    assert "/r/…" in page.pre.get_text()
    assert rows(OutboxEmail) == rows(Announcement) == []
    assert [row["resource"] for row in rows(Viewing)] == ["roster"]


def test_the_reader_of_the_preview_can_be_chosen(corin):
    page = parse(preview(corin))
    other = page.select("#reader option")[1]

    chosen = parse(press(corin, sent_from(page, "again") | {"reader": other["value"]}))

    assert "grace@example.org" in chosen.select_one(".headers").get_text()
    assert chosen.find("input", attrs={"name": "nonce"}) == page.find(
        "input", attrs={"name": "nonce"}
    )


def test_confirming_sends_and_stores_the_message(corin):
    response = press(corin, sent_from(parse(preview(corin))))

    page = corin.page(PATH)
    assert (response.status_code, response.location) == (303, PATH)
    assert [row["to_address"] for row in rows(OutboxEmail)] == [
        "ada@example.org",
        "grace@example.org",
    ]
    assert "Sending your message to 2 people." in page.select_one(".well").get_text()
    assert "Bring a chart" in page.main.summary.get_text()
    assert "to 2 people, by Corin" in " ".join(page.main.summary.get_text().split())
    assert page.select_one("details pre").get_text() == ANSWERS["text"]
    [december] = [row["id"] for row in rows(Meeting) if row["slug"] == DECEMBER]
    [act] = rows(AuditEntry)
    assert (act["action"], act["item_count"]) == ("wrote to people", 2)
    assert act["meeting_id"] == december
    assert (rows(Announcement)[0]["audience"], rows(Announcement)[0]["sent_at"]) == ("held", NOW)


def test_two_clicks_send_once(corin):
    answers = sent_from(parse(preview(corin)))

    for _ in range(2):
        response = press(corin, answers)

    assert response.status_code == 303
    assert len(rows(OutboxEmail)) == 2
    assert len(rows(Announcement)) == 1
    assert "Nothing was sent again." in main(corin.get(PATH))


def test_more_recipients_than_shown_have_to_be_confirmed_again(corin):
    answers = sent_from(parse(preview(corin)))
    add_registrations(DECEMBER, "mallory@example.org")

    refused = press(corin, answers)
    again = press(corin, sent_from(parse(refused)))

    assert refused.status_code == 422
    assert "this group grew from 2 to 3 people" in error_summary(parse(refused))[0]
    assert parse(refused).find("button", attrs={"name": "send"}).get_text() == "Send to 3 people"
    assert again.status_code == 303
    assert len(rows(OutboxEmail)) == 3


@pytest.mark.parametrize(
    ("answers", "expected"),
    [
        ({"audience": "everybody"}, "Choose who gets this email."),
        ({"subject": " \n"}, "Enter a subject."),
        ({"text": ""}, "Enter a message."),
        ({"subject": "x" * 151}, "Use at most 150 characters. You have 151."),
        ({"text": "x" * 5001}, "Use at most 5000 characters. You have 5001."),
        ({"text": "{passwort}"}, "We can't fill in {passwort}. In braces, use only: {name},"),
        ({"subject": "{link to their page}"}, "We can't fill in {link to their page}."),
        ({"audience": "came"}, "We can't email anyone in this group."),
    ],
)
def test_a_refused_message_keeps_what_was_typed(corin, answers, expected):
    typed = ANSWERS | answers

    previewed = preview(corin, **typed)
    response = press(corin, sent_from(parse(previewed)) | typed | {"confirmed_count": "9"})

    page = parse(response)
    assert (previewed.status_code, response.status_code) == (422, 422)
    assert error_summary(page) == error_summary(parse(previewed))
    assert error_summary(page)[0].startswith(expected)
    assert page.find(id="text").get_text().removeprefix("\n") == typed["text"]
    assert page.find(id="subject")["value"] == typed["subject"].strip()
    assert rows(OutboxEmail) == []


def test_an_invalid_count_sends_nothing(corin):
    answers = sent_from(parse(preview(corin)))
    numbers = ("", "x", "-1", "1e9", "9" * 40)

    statuses = [
        press(corin, answers | {"confirmed_count": number}).status_code for number in numbers
    ]

    assert statuses == [422] * len(numbers)
    assert rows(OutboxEmail) == []


def test_going_back_keeps_what_was_typed(corin):
    page = parse(press(corin, sent_from(parse(preview(corin)), "change")))

    assert page.find(id="text").get_text().removeprefix("\n") == ANSWERS["text"]
    assert page.find(id="subject")["value"] == ANSWERS["subject"]
    assert page.find("input", checked=True)["value"] == "held"


def test_a_session_without_people_offers_no_form_and_an_unknown_one_is_not_found(corin):
    page = corin.page(PATH.replace(DECEMBER, "2027-01-19"))

    assert "There's nobody to email yet." in page.main.get_text()
    assert page.main.form is None
    assert corin.get(PATH.replace(DECEMBER, "1999-01-01")).status_code == 404


def test_the_page_takes_five_statements(corin):
    add_registrations(DECEMBER, *[f"ada{number}@example.org" for number in range(20)])
    corin.get(PATH)  # once a minute, the use of the session is stored

    with Statements() as sent:
        corin.get(PATH)

    assert 0 < len(sent) <= 5


def test_a_page_that_is_too_old_sends_nothing_and_is_shown_again(corin):
    answers = sent_from(parse(preview(corin)))
    stale = press(corin, answers | {"nonce": "forged or too old"})

    again = press(corin, sent_from(parse(stale)))

    assert stale.status_code == 422
    assert "open for more than 12 hours" in error_summary(parse(stale))[0]
    assert again.status_code == 303
    assert len(rows(Announcement)) == 1
