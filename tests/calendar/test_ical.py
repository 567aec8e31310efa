"""Folded and escaped lines of calendar files are read back as they were written."""

from datetime import timedelta

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from icalendar import Calendar, vCalAddress

from cop.calendar.ical import (
    MAX_OCTETS,
    component,
    escape_text,
    format_offset,
    quote_parameter,
    serialize,
)


def readable(text):
    """Return a text with the line ends and without the control characters of a calendar."""
    lines = "\n".join(text.splitlines())
    return "".join(c for c in lines if c in "\n\t" or not (c < " " or "\x7f" <= c <= "\x9f"))


@given(st.text(st.characters(codec="utf-8"), max_size=400))
@settings(max_examples=50)
@example("\\Nothing; is, lost\\n")
@example("é" * 200)
@example("x" + "é" * 200)
@example("xx" + "𝔘" * 80)
@example("👩🏽‍💻" * 40 + "e\u0301" * 40)
@example("BEGIN:VEVENT")
def test_a_text_is_read_back_and_no_line_is_too_long(words):
    file = serialize(component("VCALENDAR", component("VEVENT", [f"SUMMARY:{escape_text(words)}"])))

    for line in file.split(b"\r\n"):
        assert len(line) <= MAX_OCTETS
        assert not set(b"\r\n") & set(line)
        line.decode()  # no character is cut in two
    unfolded = file.decode().replace("\r\n ", "").split("\r\n")[2].removeprefix("SUMMARY:")
    assert unfolded == escape_text(words)
    assert Calendar.from_ical(file).walk("VEVENT")[0]["SUMMARY"] == readable(words)


@pytest.mark.parametrize(
    ("text", "escaped"),
    [
        ("a\r\nb\rc\u2028d", "a\\nb\\nc\\nd"),
        ("a\x00b\x1bc\x7f", "abc"),
        ("a;b,c\\d", "a\\;b\\,c\\\\d"),
    ],
)
def test_line_ends_and_control_characters_are_escaped_or_removed(text, escaped):
    assert escape_text(text) == escaped


@pytest.mark.parametrize("name", ['Sa "rah"; Eisele, D: Ünï', "a^b", "two\nlines"])
def test_a_quoted_parameter_is_read_back(name):
    line = f"ORGANIZER;CN={quote_parameter(name)}:mailto:sarah@example.org"
    file = serialize(component("VCALENDAR", component("VEVENT", [line])))

    found = Calendar.from_ical(file).walk("VEVENT")[0]["ORGANIZER"]

    assert isinstance(found, vCalAddress)
    assert found == "mailto:sarah@example.org"
    assert found.params["CN"] == name


@pytest.mark.parametrize(
    ("offset", "text"),
    [
        (timedelta(), "+0000"),
        (-timedelta(hours=5), "-0500"),
        (timedelta(hours=5, minutes=45), "+0545"),
        (-timedelta(hours=4, minutes=56, seconds=2), "-045602"),
    ],
)
def test_an_offset_is_formatted_to_the_second(offset, text):
    assert format_offset(offset) == text
