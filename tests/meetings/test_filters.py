"""Template filters: dates, times, availability, recurrence and Markdown."""

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta

import pytest
from bs4 import BeautifulSoup

from cop.community.community import load_community
from cop.meetings import filters, schedule
from tests.builders import NOW, a_meeting, a_registration

EXAMPLE = "https://example.org"
THIS_WINTER = datetime(2026, 12, 15, 16, 30, tzinfo=UTC)
LATE_THAT_NIGHT = datetime(2026, 12, 16, 4, 30, tzinfo=UTC)
LONG_AGO = datetime(2021, 6, 15, 15, 30, tzinfo=UTC)
HOURS = "11:30 AM – 1:00 PM ET"


@pytest.fixture
def community(app, app_session):
    """The community, while a page in English is being made."""
    with app.test_request_context("/"):
        yield load_community(app_session)


def test_a_session_is_shown_by_the_communitys_clock_with_its_year_where_it_is_not_near(
    app_session, community
):
    expected = {
        THIS_WINTER: (("Tue", "15", "Dec"), f"Tuesday, December 15, {HOURS}"),
        LATE_THAT_NIGHT: (
            ("Tue", "15", "Dec"),
            "Tuesday, December 15, 11:30 PM – 1:00 AM ET",
        ),
        datetime(2027, 2, 2, 16, 30, tzinfo=UTC): (
            ("Tue", "2", "Feb"),
            f"Tuesday, February 2, {HOURS}",
        ),
        LONG_AGO: (("Tue", "15", "Jun"), f"Tuesday, June 15, 2021, {HOURS}"),
        datetime(2028, 1, 18, 16, 30, tzinfo=UTC): (
            ("Tue", "18", "Jan"),
            f"Tuesday, January 18, 2028, {HOURS}",
        ),
    }

    for number, (starts_at, (lines, date_and_time)) in enumerate(expected.items()):
        meeting = a_meeting(app_session, slug=f"{number}", starts_at=starts_at)
        tile = filters.date_tile(meeting)

        assert (tile.weekday, tile.day, tile.month) == lines
        assert filters.date_and_time(meeting) == date_and_time


def test_a_date_has_its_year_only_where_it_is_not_near(community):
    expected = {
        THIS_WINTER: "December 15",
        LATE_THAT_NIGHT: "December 15",
        date(2027, 2, 16): "February 16",
        LONG_AGO: "June 15, 2021",
        date(2021, 6, 15): "June 15, 2021",
    }

    assert {moment: filters.short_date(moment) for moment in expected} == expected


def test_weeks_before_counts_calendar_days(community):
    after_the_clocks_change = datetime(2026, 11, 3, 4, 30, tzinfo=UTC)

    assert filters.weeks_before(after_the_clocks_change, 2) == "October 19"


def test_a_timestamp_is_short(community):
    moment = datetime(2026, 11, 21, 14, 14, tzinfo=UTC)

    assert filters.timestamp(moment) == "Nov 21, 9:14 AM"


def test_availability_reveals_no_exact_number(app_session, community):
    expected = {
        (None, 3, 1): "",
        (20, 3, 1): "Spots left",
        (20, 15, 1): "Only a few spots left",
        (20, 19, 1): "Only a few spots left",
        (2, 2, 1): "Full",
        (2, 2, -1): "Full",
    }
    for key in expected:
        capacity, held, starts_in = key
        starts_at = NOW + timedelta(hours=starts_in)
        meeting = a_meeting(app_session, slug=f"{key}", starts_at=starts_at, capacity=capacity)
        for number in range(held):
            a_registration(app_session, meeting, f"{number}@example.org")

    listed = schedule.read(app_session, now=NOW)

    shown = {key: filters.availability(listed.find(f"{key}")) for key in expected}
    assert shown == expected


def test_the_recurrence_rule_is_shown_in_words_or_by_its_hours_alone(community):
    expected = {
        "FREQ=MONTHLY;BYDAY=3TU": f"Third Tuesday of each month, {HOURS}",
        "FREQ=MONTHLY;BYDAY=+1MO": f"First Monday of each month, {HOURS}",
        "freq=monthly;byday=-1fr": f"Last Friday of each month, {HOURS}",
        "FREQ=WEEKLY;BYDAY=WE": f"Every Wednesday, {HOURS}",
        "FREQ=MONTHLY;INTERVAL=2;BYDAY=3TU": HOURS,
        "FREQ=MONTHLY;BYMONTHDAY=15": HOURS,
        "FREQ=WEEKLY;BYDAY=MO,TU": HOURS,
        "FREQ=DAILY": HOURS,
    }

    shown = {
        rule: filters.recurrence(replace(community, recurrence_rule=rule)) for rule in expected
    }
    assert shown == expected


def test_the_hours_are_those_of_the_communitys_wall_clock(community):
    expected = {
        ("America/Los_Angeles", time(17, 0)): "5:00 – 6:30 PM PT",
        ("America/New_York", time(0, 15)): "12:15 – 1:45 AM ET",
        ("America/New_York", time(12, 0)): "12:00 – 1:30 PM ET",
    }

    for (zone, start_time), hours in expected.items():
        rule = {"time_zone": zone, "start_time": start_time, "recurrence_rule": "FREQ=DAILY"}
        assert filters.recurrence(replace(community, **rule)) == hours


@pytest.mark.parametrize(
    ("text", "html"),
    [
        ("Plain *and* **strong**.", "<p>Plain <em>and</em> <strong>strong</strong>.</p>\n"),
        ("## Why we meet", "<h2>Why we meet</h2>\n"),
        ("# Only one h1 a page", "<h2>Only one h1 a page</h2>\n"),
        ("- one\n- two", "<ul>\n<li>one</li>\n<li>two</li>\n</ul>\n"),
        ("5 < 6 & 7", "<p>5 &lt; 6 &amp; 7</p>\n"),
        ("<em>HTML</em>", "<p>&lt;em&gt;HTML&lt;/em&gt;</p>\n"),
        (
            "[Mail](mailto:a@example.org)",
            '<p><a href="mailto:a@example.org" rel="noopener">Mail</a></p>\n',
        ),
        ("[Schedule](/schedule)", '<p><a href="/schedule" rel="noopener">Schedule</a></p>\n'),
    ],
    ids=["words", "heading", "first heading", "list", "signs", "HTML", "mail", "own page"],
)
def test_markdown_becomes_html(text, html):
    assert filters.markdown(text) == html


@pytest.mark.parametrize(
    ("text", "banned"),
    [
        ("<script>alert(1)</script>", "<script"),
        ('<img src=x onerror="alert(1)">', "<img"),
        ("<a href='javascript:alert(1)'>x</a>", "<a"),
        ("[x](javascript:alert(1))", "<a"),
        ("[x](JaVaScRiPt:alert(1))", "<a"),
        ("[x](java\tscript:alert(1))", "<a"),
        ("[x](&#106;avascript:alert(1))", 'href="java'),
        ("[x](data:text/html;base64,PHNjcmlwdD4=)", 'href="data'),
        ("[x](vbscript:msgbox)", 'href="vb'),
        ("<vbscript:msgbox>", 'href="vb'),
        (f"![x]({EXAMPLE}/pixel.gif)", "<img"),
        ("<style>*{display:none}</style>", "<style"),
        ('<iframe src="//example.org"></iframe>', "<iframe"),
        ("```html\n<script>alert(1)</script>\n```", "<script"),
    ],
)
def test_markdown_adds_nothing_active_to_a_page(text, banned):
    assert banned not in filters.markdown(text)


def test_a_link_has_only_harmless_attributes():
    html = filters.markdown(f'[x]({EXAMPLE} "a\\" onclick=alert(1) style=x")')

    [link] = BeautifulSoup(html, "html5lib").find_all("a")

    assert set(link.attrs) <= {"href", "rel", "title"}
