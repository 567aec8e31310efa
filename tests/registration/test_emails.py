"""Rules for every email; each is also written to `build/mails/` as a preview."""

import re
from dataclasses import replace
from pathlib import Path

import html5lib
import pytest
from bs4 import BeautifulSoup

from tests.mail import gallery
from tests.mail.gallery import EVERY, MEETING, TO_COORDINATORS, TO_MEMBERS
from tests.tokens import without_tokens

PREVIEWS = Path(__file__).parent.parent.parent / "build" / "mails"
OPTIONAL = {
    "reminder to prepare": "reminders",
    "reminder to join": "reminders",
    "takeaways": "takeaways",
}


def write_preview(name, letter):
    PREVIEWS.mkdir(parents=True, exist_ok=True)
    name = name.replace(" ", "-").replace(",", "")
    (PREVIEWS / f"{name}.html").write_text(letter.html)
    (PREVIEWS / f"{name}.txt").write_text(f"Subject: {letter.subject}\n\n{letter.text}")


@pytest.mark.parametrize("name", EVERY)
def test_an_email_is_valid_html_that_loads_nothing_and_complete_as_text(name):
    letter = EVERY[name]()
    write_preview(name, letter)

    parser = html5lib.HTMLParser()
    parser.parse(letter.html)
    soup = BeautifulSoup(letter.html, "lxml")
    links = {link["href"] for link in soup.select("a[href]")}
    assert parser.errors == []
    assert soup.html["lang"] == "en"
    assert soup.title.get_text() == letter.subject
    assert not soup.select("img, script, link, iframe, [background], [onload]")
    assert "url(" not in letter.html
    assert links <= set(re.findall(r"https?://[^\s]+", letter.text))
    assert MEETING.join_url not in f"{letter.text}{letter.html}{letter.calendar}"
    assert letter.subject
    assert "\n" not in letter.subject
    soup.style.decompose()
    assert "None" not in letter.text + soup.get_text()
    assert not re.search(r"%\(|\{\{|\n{4,}", letter.text + letter.html)


def test_an_email_to_a_member_links_to_their_page_and_names_the_sender():
    texts = {name: compose().text for name, compose in TO_MEMBERS.items()}
    community = gallery.COMMUNITY
    required = ("https://cop.example.org/r/", community.contact_name, community.name)

    assert [name for name in texts if not all(part in texts[name] for part in required)] == []


def test_an_unverified_address_gets_nothing_typed_and_a_link_to_remove_it():
    letters = [compose() for compose in TO_MEMBERS.values()]

    unverified = [letter for letter in letters if "Hello," in letter.text]

    assert len(unverified) == 9
    for letter in unverified:
        assert "Ada" not in without_tokens(letter.text + letter.html)
        assert "Not you? Remove this" in letter.text
        assert re.search(r"/r/[^/\s]+/erase", letter.text)


def test_an_email_to_a_coordinator_names_no_member():
    for compose in TO_COORDINATORS.values():
        letter = compose()

        assert "Ada" not in without_tokens(letter.text + letter.html)
        assert "/coordinator" in letter.text


def test_optional_emails_and_no_others_have_an_unsubscribe_link():
    letters = {name: compose() for name, compose in EVERY.items()}

    expected = {name: gallery.WRITER.links.unsubscribe(1, kind) for name, kind in OPTIONAL.items()}
    assert {n: each.unsubscribe_url for n, each in letters.items() if each.unsubscribe_url} == (
        expected
    )
    assert all(url in letters[name].text for name, url in expected.items())


def test_the_calendar_is_attached_for_held_places():
    entries = {
        "confirmation": 1,
        "confirmation to an unverified address": 2,
        "confirmation with a waiting list": 1,
        "waiting list only": 0,
        "moved": 1,
        "moved, on the waiting list": 0,
        "cancelled": 1,
        "moved to the waiting list": 1,
        "your registration canceled": 1,
        "waiting list left": 0,
        "another join address": 0,
        "your link": 0,
    }

    calendars = {name: TO_MEMBERS[name]().calendar or "" for name in entries}

    assert {name: calendars[name].count("BEGIN:VEVENT") for name in entries} == entries


def test_the_email_about_a_canceled_registration_says_if_coordinators_did_it():
    names = [
        "your registration canceled",
        "your registration canceled by a coordinator",
        "waiting list left",
        "off the waiting list by a coordinator",
    ]

    letters = [TO_MEMBERS[name]() for name in names]

    canceled, off_list = (
        "Your registration for December 15 is canceled",
        "You're no longer on the waiting list for December 15",
    )
    assert [letter.subject for letter in letters] == [canceled, canceled, off_list, off_list]
    sentences = [
        "Your registration for this session is canceled:",
        "The coordinators canceled your registration for this session:",
        "You're no longer on the waiting list for this session:",
        "The coordinators took you off the waiting list for this session:",
    ]
    for letter, sentence, number in zip(letters, sentences, range(4), strict=True):
        assert sentence in letter.text
        assert ("register again" in letter.text) == (number in {0, 2})
        assert ("METHOD:CANCEL" in (letter.calendar or "")) == (number in {0, 1})


def test_markup_in_a_topic_stays_text():
    hostile = replace(MEETING, topic="<script>alert(1)</script>", guests="<b>Bold & Co</b>")

    letter = gallery._confirmed(gallery.ADA, [hostile], [])

    assert "<script>" not in letter.html
    assert "<b>Bold" not in letter.html
    assert "Guest: <b>Bold & Co</b>" in letter.text
