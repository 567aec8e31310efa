"""The public pages."""

import json
from datetime import timedelta

from cop.db.engine import write_tx
from cop.operations import seed
from tests.builders import NOW, a_meeting
from tests.client import (
    ALL_SIX,
    DECEMBER,
    FEBRUARY,
    JANUARY,
    main_text,
    update_community,
    update_meeting,
)


def event(client):
    """What search engines are told about the next session."""
    page = client.page(f"/schedule/{DECEMBER}")
    return json.loads(page.find("script", type="application/ld+json").string)


def test_a_page_is_sound_without_and_with_sessions_that_took_place(app, client):
    pages = ["/", "/schedule", "/register", "/your-data", "/accessibility", "/schedule/2026-12-15"]

    assert all(client.page(path).h1 for path in pages)

    with write_tx() as db_session:
        seed.add_demo(db_session, now=NOW)
    assert all(client.page(path).h1 for path in pages)


def test_search_engines_read_the_session_without_its_join_address(client):
    hostile = "</script><b>Who's counted?"
    update_meeting(DECEMBER, topic=hostile, join_url="https://zoom.example.com/j/1")

    found = event(client)

    assert found["@type"] == "Event"
    assert found["name"] == hostile
    assert found["startDate"] == "2026-12-15T11:30:00-05:00"
    assert found["endDate"] == "2026-12-15T13:00:00-05:00"
    assert found["eventStatus"] == "https://schema.org/EventScheduled"
    assert found["location"]["url"] == f"http://localhost/schedule/{DECEMBER}"
    assert "zoom" not in json.dumps(found)


def test_search_engines_read_that_a_session_was_moved_or_canceled(client):
    for values, status in (
        ({"moved_from": NOW.date()}, "EventRescheduled"),
        ({"status": "cancelled"}, "EventCancelled"),
    ):
        update_meeting(DECEMBER, **values)

        assert event(client)["eventStatus"] == f"https://schema.org/{status}"


def test_a_shared_page_has_a_preview_image_and_a_phone_an_icon(client):
    page = client.page("/schedule")

    image = page.find("meta", property="og:image")["content"]
    icon = page.find("link", rel="apple-touch-icon")["href"]
    for address in (image.removeprefix("http://localhost"), icon):
        assert client.get(address, buffered=True).mimetype == "image/png"


def test_the_about_page_opens_with_its_title_and_first_paragraphs(client):
    update_community(about="# Fair numbers\n\nWe meet **monthly**.\n\n## Why\n\nBecause.")

    page = client.page("/")

    assert page.h1.get_text() == "Fair numbers"
    assert page.select_one(".lead strong").get_text() == "monthly"
    assert "Because." in page.select_one(".prose").get_text()
    assert "Fair numbers" not in page.select_one(".prose").get_text()


def test_an_about_text_without_a_title_opens_with_the_communitys_name(client):
    for about in ("Just text.", "", "## Why\n\nBecause.", "#no title"):
        update_community(about=about)

        assert client.page("/").h1.get_text() == "Equity in Data Community of Practice", about


def test_the_schedule_shows_the_sessions_of_the_past_year_by_year_and_leads_to_all(app, client):
    with write_tx() as db_session:
        for days_ago in (5, 340, 364, 365, 2000):
            starts_at = NOW - timedelta(days=days_ago)
            a_meeting(db_session, starts_at=starts_at, topic=f"{days_ago} days ago")
    past = client.page("/schedule").find(id="past").parent

    assert [heading.get_text() for heading in past.find_all("h3")] == ["2026", "2025"]
    assert [row.get_text() for row in past.select("h4 a")] == [
        f"{days_ago} days ago" for days_ago in (5, 340, 364)
    ]
    assert past.select_one("a[href='/schedule/past']")
    assert "What we've talked about" in main_text(client.page("/"))


def test_a_topic_can_be_suggested_where_it_is_missing_and_an_address_is_known(client):
    unasked = client.page("/schedule").select("a[href^='mailto:']")
    update_community(contact_email="ask@example.org")
    update_meeting(JANUARY, topic="Who counts?")

    links = client.page("/schedule").select(".sessions a[href^='mailto:']")

    assert unasked == []
    assert links[0].get_text() == "Suggest a topic, Tuesday, February 16"
    assert links[0]["href"] == (
        "mailto:ask@example.org?subject=A%20topic%20for%20Tuesday%2C%20February%2016"
    )
    assert len(links) == len(ALL_SIX) - 2  # not for January, nor for the next one


def test_a_session_that_is_not_open_leads_to_the_next_one(client):
    update_meeting(FEBRUARY, status="cancelled")

    canceled, open_ = (client.page(f"/schedule/{slug}") for slug in (FEBRUARY, JANUARY))

    register = f"/register?session={DECEMBER}"
    assert canceled.select_one(f".invitation a[href='{register}']")
    assert not open_.select(".invitation")
    assert "Register for December 15" in canceled.select_one(".invitation").get_text()
