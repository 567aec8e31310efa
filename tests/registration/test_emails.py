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


@pytest.fixture(params=EVERY)
def mail(request):
    """(name, letter) of one mail, which is also written down to be looked at."""
    letter = EVERY[request.param]()
    PREVIEWS.mkdir(parents=True, exist_ok=True)
    name = request.param.replace(" ", "-").replace(",", "")
    (PREVIEWS / f"{name}.html").write_text(letter.html)
    (PREVIEWS / f"{name}.txt").write_text(f"Subject: {letter.subject}\n\n{letter.text}")
    return request.param, letter


def words(html):
    soup = BeautifulSoup(html, "lxml")
    for tag in soup(["style", "title"]):
        tag.decompose()
    return " ".join(soup.get_text(" ").split())


def addresses(html):
    return [link["href"] for link in BeautifulSoup(html, "lxml").select("a[href]")]


def test_the_html_is_valid_has_a_language_and_loads_nothing(mail):
    _, letter = mail
    parser = html5lib.HTMLParser()
    parser.parse(letter.html)
    soup = BeautifulSoup(letter.html, "lxml")

    assert parser.errors == []
    assert soup.html["lang"] == "en"
    assert soup.title.get_text() == letter.subject
    assert not soup.select("img, script, link, iframe, [background], [onload]")
    assert "url(" not in letter.html


def test_text_and_html_have_the_same_links(mail):
    _, letter = mail

    in_text = set(re.findall(r"https?://[^\s]+", letter.text))

    assert set(addresses(letter.html)) <= in_text


def test_no_email_shows_the_join_url(mail):
    _, letter = mail

    assert MEETING.join_url not in f"{letter.text}{letter.html}{letter.calendar}"


def test_no_email_shows_a_placeholder(mail):
    _, letter = mail

    assert letter.subject
    assert "\n" not in letter.subject
    assert "None" not in letter.text + words(letter.html)
    assert not re.search(r"%\(|\{\{|\n{4,}", letter.text + letter.html)


@pytest.mark.parametrize("name", TO_MEMBERS)
def test_an_email_to_a_member_links_to_their_page_and_names_the_sender(name):
    letter = TO_MEMBERS[name]()

    assert "https://cop.example.org/r/" in letter.text
    assert gallery.COMMUNITY.contact_name in letter.text
    assert gallery.COMMUNITY.name in letter.text


UNPROVEN = [name for name in TO_MEMBERS if "Hello," in TO_MEMBERS[name]().text]


@pytest.mark.parametrize("name", UNPROVEN)
def test_an_unverified_address_gets_nothing_typed_and_a_link_to_remove_it(name):
    letter = TO_MEMBERS[name]()

    assert "Ada" not in without_tokens(letter.text + letter.html)
    assert "Not you? Remove this" in letter.text
    assert re.search(r"/r/[^/\s]+/erase", letter.text)


def test_some_emails_go_to_unverified_addresses():
    assert len(UNPROVEN) == 8


@pytest.mark.parametrize("name", TO_COORDINATORS)
def test_an_email_to_a_coordinator_names_no_member(name):
    letter = TO_COORDINATORS[name]()

    assert "Ada" not in without_tokens(letter.text + letter.html)
    assert "/coordinator" in letter.text


@pytest.mark.parametrize(
    ("name", "kind"),
    [("reminder to prepare", "reminders"), ("reminder to join", "reminders"),
     ("takeaways", "takeaways")],
)  # fmt: skip
def test_optional_emails_have_an_unsubscribe_link(name, kind):
    letter = TO_MEMBERS[name]()

    assert letter.unsubscribe_url == gallery.WRITER.links.unsubscribe(1, kind)
    assert letter.unsubscribe_url in letter.text


def test_other_emails_have_no_unsubscribe_link():
    others = set(EVERY) - {"reminder to prepare", "reminder to join", "takeaways"}

    assert {EVERY[name]().unsubscribe_url for name in others} == {None}


@pytest.mark.parametrize(
    ("name", "attached"),
    [("confirmation", 1), ("confirmation to an unproven address", 2),
     ("confirmation with a waiting list", 1), ("waiting list only", 0), ("moved", 1),
     ("moved, to who waits", 0), ("cancelled", 1), ("another way in", 0), ("your link", 0)],
)  # fmt: skip
def test_the_calendar_is_attached_for_held_places(name, attached):
    letter = TO_MEMBERS[name]()

    assert (letter.calendar or "").count("BEGIN:VEVENT") == attached


def test_markup_in_a_topic_stays_text():
    hostile = replace(MEETING, topic="<script>alert(1)</script>", guests="<b>Bold & Co</b>")

    letter = gallery._confirmed(gallery.ADA, [hostile], [])

    assert "<script>" not in letter.html
    assert "<b>Bold" not in letter.html
    assert "Guest: <b>Bold & Co</b>" in letter.text
