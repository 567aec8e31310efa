"""Calendar feeds and files, the schedule as JSON, and the links of our pages to calendars."""

from datetime import UTC, date, datetime, timedelta

import pytest
from bs4 import BeautifulSoup
from icalendar import Calendar

from cop.calendar import calendar
from cop.community.community import load_community
from cop.db.engine import read_tx, write_tx
from cop.links import Links, Purpose, sign_token
from cop.mail.writer import LetterWriter
from cop.meetings import schedule
from cop.models.registration import Member
from tests.builders import NOW
from tests.client import (
    ALL_SIX,
    DECEMBER,
    FEBRUARY,
    HTMX,
    JANUARY,
    add_registrations,
    advance_clock,
    join_path,
    register,
    update_meeting,
)
from tests.statements import Statements

PUBLIC = ["/schedule.ics", f"/schedule/{DECEMBER}.ics", "/schedule.json"]
ADA, MARCH = "ada@example.org", ALL_SIX[3]
KEY = "k" * 40
PAST = {
    "starts_at": datetime(2026, 1, 1, tzinfo=UTC),
    "ends_at": datetime(2026, 1, 2, tzinfo=UTC),
}
ROOM = "https://zoom.example/j/123456789?pwd=secret"


def slugs(answer):
    return [event["URL"].rpartition("/")[2] for event in Calendar.from_ical(answer.data).events]


def own_feed(email=ADA, secret_key=KEY, **values):
    """The path of a member's own feed, once the member has these values."""
    with write_tx() as db_session:
        member = db_session.query(Member).filter_by(email_key=email).one()
        for name, value in values.items():
            setattr(member, name, value)
        return Links("", secret_key).calendar(member.id, member.calendar_version)


@pytest.mark.parametrize("path", PUBLIC)
def test_any_site_may_read_a_public_feed_which_is_sent_again_only_once_changed(app, client, path):
    full, head = client.get(path), client.head(path)
    advance_clock(app, timedelta(days=1))
    again = client.get(path, headers={"If-None-Match": full.headers["ETag"]})
    update_meeting(DECEMBER, topic="Something else")
    changed = client.get(path, headers={"If-None-Match": full.headers["ETag"]})

    assert [answer.status_code for answer in (full, again, changed)] == [200, 304, 200]
    assert full.headers["Cache-Control"] == "public, max-age=300"
    assert full.headers["Access-Control-Allow-Origin"] == "*"
    assert again.headers["Access-Control-Allow-Origin"] == "*"
    assert (head.data, dict(head.headers)) == (b"", dict(full.headers))
    assert again.data == b""
    assert changed.headers["ETag"] != full.headers["ETag"]


def test_the_feed_has_every_session_and_a_file_only_its_own(client):
    feed, file = client.get("/schedule.ics"), client.get(f"/schedule/{JANUARY}.ics")

    assert slugs(feed) == ALL_SIX
    assert slugs(file) == [JANUARY]
    assert client.get("/schedule/1999-01-01.ics").status_code == 404
    for answer, name in ((feed, "sessions"), (file, JANUARY)):
        expected = f'inline; filename="equity-in-data-{name}.ics"'
        assert answer.headers["Content-Type"] == "text/calendar; charset=utf-8"
        assert answer.headers["Content-Disposition"] == expected


def test_the_feed_shows_changes_and_addresses_of_the_visited_host(client):
    update_meeting(DECEMBER, status="cancelled", reason="Snow.", topic="How much?")
    update_meeting(JANUARY, moved_from=date(2027, 1, 12))

    answer = client.get("/schedule.ics", base_url="http://localhost:8123")

    canceled, moved, *_ = Calendar.from_ical(answer.data).events
    assert canceled["SUMMARY"] == "CANCELED: Equity in Data: How much?"
    assert canceled["URL"] == f"http://localhost:8123/schedule/{DECEMBER}"
    assert "Snow." in canceled["DESCRIPTION"]
    assert moved["DESCRIPTION"].startswith("Moved from January 12.")


def test_json_has_everything_public_about_a_session(client):
    update_meeting(
        DECEMBER,
        topic="How much?",
        summary="On *less*.",
        guests="A guest",
        capacity=30,
        reading_title="Do no harm",
        reading_url="https://example.org",
        reading_minutes=20,
        prep_question="Which?",
        moved_from=date(2026, 12, 8),
        reason="Snow.",
    )

    answer = client.get("/schedule.json")

    assert answer.json["community"] == {
        "name": "Equity in Data Community of Practice",
        "short_name": "Equity in Data",
        "host": "CTData Collaborative",
        "zone": "America/New_York",
        "place": "Zoom",
        "url": "http://localhost/schedule",
    }
    assert answer.json["sessions"][0] == {
        "slug": DECEMBER,
        "starts_at": "2026-12-15T11:30:00-05:00",
        "ends_at": "2026-12-15T13:00:00-05:00",
        "status": "planned",
        "moved_from": "2026-12-08",
        "reason": "Snow.",
        "topic": "How much?",
        "summary": "On *less*.",
        "guests": "A guest",
        "reading": {"title": "Do no harm", "url": "https://example.org", "minutes": 20},
        "prep_question": "Which?",
        "places": "plenty",
        "url": f"http://localhost/schedule/{DECEMBER}",
        "register_url": f"http://localhost/register?session={DECEMBER}",
    }


def test_json_has_places_in_words_where_registration_is_open(client):
    cases = [
        ({"capacity": 30} | PAST, None, False),
        ({"capacity": None}, None, True),
        ({"capacity": 30}, "plenty", True),
        ({"capacity": 6}, "few", True),
        ({"capacity": 1}, "full", True),
        ({"capacity": 30, "status": "cancelled"}, None, False),
    ]
    for slug, (values, _, _) in zip(ALL_SIX, cases, strict=True):
        add_registrations(slug, ADA)
        update_meeting(slug, **values)

    listed = client.get("/schedule.json").json["sessions"]

    assert [found["slug"] for found in listed] == ALL_SIX  # soonest first, one that is over too
    shown = [(found["places"], found["register_url"] is not None) for found in listed]
    assert shown == [(places, is_open) for _, places, is_open in cases]


def test_nothing_public_counts_or_names_anybody_or_has_the_room_address(client):
    add_registrations(DECEMBER, *(f"someone-{number}@example.org" for number in range(23)))
    for slug in ALL_SIX:
        update_meeting(slug, capacity=67, registered_count=23, join_url=ROOM)
    pages = ["/", "/schedule", f"/schedule/{DECEMBER}", f"/registered?sessions={DECEMBER}"]

    texts = {path: client.get(path).get_data(as_text=True) for path in (*PUBLIC, *pages)}

    secrets = ("someone-", "zoom.example", "pwd=")
    assert [path for path, text in texts.items() if any(word in text for word in secrets)] == []
    for path in PUBLIC:
        assert not {"23", "44", "67"} & set(texts[path].replace(":", " ").replace(",", " ").split())


def test_a_member_s_own_feed_has_their_places_and_join_links_and_is_private(client):
    add_registrations(DECEMBER, ADA, "grace@example.org")
    add_registrations(JANUARY, ADA, status="waiting")
    add_registrations(FEBRUARY, "grace@example.org")
    add_registrations(FEBRUARY, ADA, status="cancelled")
    add_registrations(MARCH, ADA)
    update_meeting(DECEMBER, join_url=ROOM)
    update_meeting(MARCH, status="cancelled", sequence=1)
    path = own_feed()

    with Statements() as sent:
        answer = client.get(path)
    again = client.get(path, headers={"If-None-Match": answer.headers["ETag"]})

    read = Calendar.from_ical(answer.data)
    assert len(sent) == 3
    assert slugs(answer) == [DECEMBER, MARCH]
    assert read.events[1]["SUMMARY"] == "CANCELED: Equity in Data: Topic to be announced"
    assert read["NAME"] == "Your Equity in Data sessions"
    assert read.events[0]["LOCATION"] == f"http://localhost{join_path()}"
    for text in (b"zoom.example", b"grace", b"Ada", b"@example.org"):
        assert text not in answer.data
    assert answer.headers["Content-Type"] == "text/calendar; charset=utf-8"
    assert answer.headers["X-Robots-Tag"] == "noindex"
    assert {"private", "no-cache"} == set(answer.headers["Cache-Control"].split(", "))
    assert "Access-Control-Allow-Origin" not in answer.headers
    assert (again.status_code, again.data) == (304, b"")


def test_only_the_latest_signed_calendar_token_opens_a_calendar(client):
    add_registrations(DECEMBER, ADA)
    replaced = own_feed()
    own = own_feed(calendar_version=1)
    forged = own_feed(secret_key="x" * 40)
    others = [
        sign_token(KEY, purpose, 1, 1) for purpose in Purpose if purpose is not Purpose.CALENDAR
    ]
    odd = [
        sign_token(KEY, Purpose.CALENDAR, *parts) for parts in ((1,), (1, "1"), (1, 1, 0), (999, 1))
    ]

    paths = [replaced, forged, *(f"/calendar/{token}.ics" for token in (*others, *odd, "unknown"))]

    assert {client.get(path).status_code for path in paths} == {404}
    assert client.get(own).status_code == 200


def calendar_links(soup):
    """Return a page's links to calendars: the words before the comma -> the address."""
    links = soup.select("a[href$='.ics'], a[href*='calendar']")
    return {link.get_text().partition(",")[0].strip(): link["href"] for link in links}


def test_the_page_of_an_open_session_links_to_calendars(client):
    soup = client.page(f"/schedule/{DECEMBER}")

    with read_tx() as db_session:
        writer = LetterWriter(load_community(db_session), Links("http://localhost"), NOW)
        meeting = schedule.read(db_session, now=NOW).find(DECEMBER)
    assert calendar_links(soup) == {
        "Google": calendar.google_link(writer, meeting),
        "Outlook (work or school)": calendar.outlook_link(writer, meeting, is_work=True),
        "Outlook.com": calendar.outlook_link(writer, meeting, is_work=False),
        "Apple and others": f"/schedule/{DECEMBER}.ics",
    }
    outside = soup.select("a[href^='https:'][target=_blank]")
    assert [link["rel"] for link in outside] == [["noopener"]] * 3


def test_the_page_of_a_canceled_or_past_session_links_to_none(client):
    update_meeting(DECEMBER, status="cancelled")
    update_meeting(JANUARY, **PAST)

    assert calendar_links(client.page(f"/schedule/{DECEMBER}")) == {}
    assert calendar_links(client.page(f"/schedule/{JANUARY}")) == {}


def test_the_confirmation_links_each_held_session_to_calendars(client):
    update_meeting(JANUARY, capacity=1)
    add_registrations(JANUARY, "grace@example.org")
    path = register(client, [DECEMBER, JANUARY]).location

    for soup in (client.page(path), client.page(path, headers=HTMX)):
        files = [link["href"] for link in soup.select("a[href$='.ics']")]
        assert files == [f"/schedule/{DECEMBER}.ics"]
        assert len(soup.select("a[href*='google.com'], a[href*='outlook.']")) == 3


def test_the_schedule_links_its_feed_for_people_and_programs(client):
    soup = BeautifulSoup(client.get("/schedule").data, "lxml")

    alternate = soup.head.find("link", rel="alternate")
    offered = [link["href"] for link in soup.select(".aside a[href$='schedule.ics']")]
    assert (alternate["type"], alternate["href"]) == ("text/calendar", "/schedule.ics")
    assert offered == ["webcal://localhost/schedule.ics", "http://localhost/schedule.ics"]
