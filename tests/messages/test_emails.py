"""Messages: placeholders are filled in once, and no name becomes markup."""

from dataclasses import replace

import pytest
from bs4 import BeautifulSoup

from cop.messages import emails
from cop.models.audit import Announcement
from tests.mail.gallery import ADA, MEETING, SOMEBODY, WRITER

PAGE = "https://cop.example.org/schedule/2026-12-15"


def letter(text, to=ADA, subject="Hello"):
    return emails.letter(WRITER, to, MEETING, Announcement(subject=subject, text=text))


def test_each_placeholder_is_filled_in():
    text = "|".join(f"{{{name}}}" for name in emails.PLACEHOLDERS)

    line = letter(text).text.splitlines()[2]

    name, session, date, time, own, page = line.split("|")
    assert (name, session) == ("Ada Example", MEETING.topic)
    assert date == "Tuesday, December 15"
    assert time == "11:30 AM – 1:00 PM ET"
    assert own.startswith("https://cop.example.org/r/")
    assert page == PAGE


def test_a_subject_is_filled_in_too():
    email = letter("Hello.", subject="{name}: {date}")

    assert email.subject == "Ada Example: Tuesday, December 15"


def test_an_unverified_address_gets_no_name_and_can_remove_itself():
    email = letter("Dear {name}, hello.", to=replace(SOMEBODY, name="Mallory Nobody"))

    assert "Dear colleague, hello." in email.text
    assert "Dear colleague, hello." in email.html
    assert "Mallory" not in email.text + email.html + email.subject
    assert "Not you? Remove this" in email.text


@pytest.mark.parametrize(
    "name",
    ["[Ada](https://evil.example)", "<b>Ada</b>", "<https://evil.example>", "**Ada**", "{date}",
     "Ada & Co", '"><script>alert(1)</script>'],
)  # fmt: skip
def test_a_name_never_becomes_markup(name):
    email = letter("Dear {name}.", to=replace(ADA, name=name))

    [paragraph] = [p for p in BeautifulSoup(email.html, "lxml").select("div > div > p")
                   if p.get_text().startswith("Dear")]  # fmt: skip
    assert paragraph.get_text() == f"Dear {name}."
    assert paragraph.find(True) is None
    assert f"Dear {name}." in email.text


def test_link_placeholders_become_links_in_html_and_urls_in_text():
    email = letter("See {link to the session}.")

    link = BeautifulSoup(email.html, "lxml").find("a", href=PAGE)
    assert link.get_text() == "the session page"
    assert f"See {PAGE}." in email.text


def test_html_that_a_coordinator_types_stays_text():
    email = letter('<img src="https://evil.example/1.gif"> **bold**')

    soup = BeautifulSoup(email.html, "lxml")
    assert soup.img is None
    assert soup.strong.get_text() == "bold"


@pytest.mark.parametrize(
    ("text", "found"),
    [("{name} {date}", None), ("no braces", None), ("{nmae}", "nmae"), ("{}", ""), ("{name!r}", "name!r"), ("{ name}", " name"), ("{name {x} y}", "x"),
     ("{na*m*e}", "na*m*e"), ("}{", None), ("{link to\ntheir page}", "link to\ntheir page")],
)  # fmt: skip
def test_unknown_placeholders_are_found(text, found):
    assert emails.unknown_placeholder(text, emails.PLACEHOLDERS) == found
