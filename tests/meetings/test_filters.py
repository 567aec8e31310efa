"""Template filters: dates, times, availability, recurrence and Markdown."""

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta

import pytest
from bs4 import BeautifulSoup

from cop.community.community import load_community
from cop.db.engine import read_tx, write_tx
from cop.meetings import filters, schedule
from tests.builders import NOW, a_meeting, a_registration

EXAMPLE = "https://example.org"


@pytest.fixture
def community(app):
    """The community, while a page in English is being made."""
    with read_tx() as db_session:
        facts = load_community(db_session)
    with app.test_request_context("/"):
        yield facts


def listing(app, starts_at, *, held=0, **values):
    """A meeting as the schedule reads it now."""
    with write_tx() as db_session:
        meeting = a_meeting(db_session, slug="it", starts_at=starts_at, **values)
        for number in range(held):
            a_registration(db_session, meeting, f"{number}@example.org")
        return schedule.read(db_session, now=NOW).find("it")


THIS_WINTER = datetime(2026, 12, 15, 16, 30, tzinfo=UTC)
LATE_THAT_NIGHT = datetime(2026, 12, 16, 4, 30, tzinfo=UTC)
LONG_AGO = datetime(2021, 6, 15, 15, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("starts_at", "shown"),
    [
        (THIS_WINTER, ("Tue", "15", "Dec")),
        (LATE_THAT_NIGHT, ("Tue", "15", "Dec")),
        (datetime(2027, 2, 2, 16, 30, tzinfo=UTC), ("Tue", "2", "Feb")),
        (LONG_AGO, ("Tue", "15", "Jun 21")),
        (datetime(2028, 1, 18, 16, 30, tzinfo=UTC), ("Tue", "18", "Jan 28")),
    ],
    ids=["near", "late in the evening", "next year, but near", "long ago", "far away"],
)
def test_the_tile_shows_the_day_in_the_communitys_zone(app, community, starts_at, shown):
    tile = filters.date_tile(listing(app, starts_at))

    assert (tile.weekday, tile.day, tile.month) == shown


@pytest.mark.parametrize(
    ("moment", "expected"),
    [
        (THIS_WINTER, "December 15"),
        (LATE_THAT_NIGHT, "December 15"),
        (date(2027, 2, 16), "February 16"),
        (LONG_AGO, "June 15, 2021"),
        (date(2021, 6, 15), "June 15, 2021"),
    ],
    ids=["near", "late in the evening", "a date", "long ago", "a date long ago"],
)
def test_a_date_has_its_year_only_where_it_is_not_near(community, moment, expected):
    assert filters.short_date(moment) == expected


@pytest.mark.parametrize(
    ("starts_at", "expected"),
    [
        (THIS_WINTER, "Tuesday, December 15, 11:30 am to 1:00 pm Eastern Time"),
        (LONG_AGO, "Tuesday, June 15, 2021, 11:30 am to 1:00 pm Eastern Time"),
        (LATE_THAT_NIGHT, "Tuesday, December 15, 11:30 pm to 1:00 am Eastern Time"),
    ],
    ids=["in winter", "in summer, long ago", "past midnight"],
)
def test_a_session_is_shown_with_its_date_hours_and_zone(app, community, starts_at, expected):
    assert filters.date_and_time(listing(app, starts_at)) == expected


def test_weeks_before_counts_calendar_days(community):
    after_the_clocks_change = datetime(2026, 11, 3, 4, 30, tzinfo=UTC)

    assert filters.weeks_before(after_the_clocks_change, 2) == "October 19"


def test_a_timestamp_is_short(community):
    moment = datetime(2026, 11, 21, 14, 14, tzinfo=UTC)

    assert filters.timestamp(moment) == "Nov 21, 9:14 am"


@pytest.mark.parametrize(
    ("places", "starts_in", "expected"),
    [
        ({"capacity": None, "held": 3}, 1, ""),
        ({"capacity": 20, "held": 3}, 1, "Places left"),
        ({"capacity": 20, "held": 15}, 1, "5 or fewer places left"),
        ({"capacity": 20, "held": 19}, 1, "5 or fewer places left"),
        ({"capacity": 2, "held": 2}, 1, "Full, waiting list open"),
        ({"capacity": 2, "held": 2}, -1, "Full"),
    ],
    ids=["no limit", "many", "five", "one", "full", "full and begun"],
)
def test_availability_reveals_no_exact_number(app, community, places, starts_in, expected):
    meeting = listing(app, NOW + timedelta(hours=starts_in), **places)

    assert filters.availability(meeting) == expected


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        ("FREQ=MONTHLY;BYDAY=3TU", "Third Tuesday of each month"),
        ("FREQ=MONTHLY;BYDAY=+1MO", "First Monday of each month"),
        ("freq=monthly;byday=-1fr", "Last Friday of each month"),
        ("FREQ=WEEKLY;BYDAY=WE", "Every Wednesday"),
    ],
    ids=["third", "first, with a plus", "last, in small letters", "weekly"],
)
def test_the_recurrence_rule_is_shown_in_words(community, rule, expected):
    assert filters.recurrence(replace(community, recurrence_rule=rule)) == (
        f"{expected}, 11:30 am to 1:00 pm Eastern Time"
    )


@pytest.mark.parametrize(
    "rule",
    [
        "FREQ=MONTHLY;INTERVAL=2;BYDAY=3TU",
        "FREQ=MONTHLY;BYMONTHDAY=15",
        "FREQ=WEEKLY;BYDAY=MO,TU",
        "FREQ=DAILY",
    ],
)
def test_a_rule_without_words_is_shown_by_its_hours_alone(community, rule):
    assert (
        filters.recurrence(replace(community, recurrence_rule=rule))
        == "11:30 am to 1:00 pm Eastern Time"
    )


@pytest.mark.parametrize(
    ("zone", "starts", "expected"),
    [
        ("America/Los_Angeles", time(17, 0), "5:00 pm to 6:30 pm Pacific Time"),
        ("America/New_York", time(0, 15), "12:15 am to 1:45 am Eastern Time"),
        ("America/New_York", time(12, 0), "12:00 pm to 1:30 pm Eastern Time"),
    ],
    ids=["Pacific", "after midnight", "noon"],
)
def test_the_hours_are_those_of_the_communitys_wall_clock(community, zone, starts, expected):
    elsewhere = replace(community, time_zone=zone, start_time=starts, recurrence_rule="FREQ=DAILY")

    assert filters.recurrence(elsewhere) == expected


@pytest.mark.parametrize(
    ("text", "html"),
    [
        ("Plain *and* **strong**.", "<p>Plain <em>and</em> <strong>strong</strong>.</p>\n"),
        ("## Why we meet", "<h2>Why we meet</h2>\n"),
        ("# Only one h1 a page", "<h2>Only one h1 a page</h2>\n"),
        ("- one\n- two", "<ul>\n<li>one</li>\n<li>two</li>\n</ul>\n"),
        ("5 < 6 & 7", "<p>5 &lt; 6 &amp; 7</p>\n"),
        ("<em>HTML</em>", "<p>&lt;em&gt;HTML&lt;/em&gt;</p>\n"),
        ("[Mail](mailto:a@example.org)", '<p><a href="mailto:a@example.org" rel="noopener">Mail</a></p>\n'),
        ("[Schedule](/schedule)", '<p><a href="/schedule" rel="noopener">Schedule</a></p>\n'),
    ],
    ids=["words", "heading", "first heading", "list", "signs", "HTML", "mail", "own page"],
)  # fmt: skip
def test_markdown_becomes_html(app, text, html):
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
def test_markdown_adds_nothing_active_to_a_page(app, text, banned):
    assert banned not in filters.markdown(text)


def test_a_link_has_only_harmless_attributes(app):
    html = filters.markdown(f'[x]({EXAMPLE} "a\\" onclick=alert(1) style=x")')

    [link] = BeautifulSoup(html, "html5lib").find_all("a")

    assert set(link.attrs) <= {"href", "rel", "title"}
