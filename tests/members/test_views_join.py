"""The join link opens from 15 minutes before the start until the end, for held places."""

from datetime import timedelta

import pytest

from tests.builders import NOW
from tests.client import (
    ADA,
    CONFIRMATION,
    DECEMBER,
    GRACE,
    JANUARY,
    LINKS,
    add_confirmation,
    add_registrations,
    advance_clock,
    calendar_path,
    find_member,
    join_path,
    main_text,
    owner,
    press_button,
    registration_statuses,
    rows,
    text_of,
    update_community,
    update_meeting,
)
from tests.page import parse
from tests.tokens import without_tokens

pytestmark = pytest.mark.both

ZOOM = "https://zoom.example.org/j/123?pwd=abc"
# The December session begins at 11:30 in Connecticut and takes 90 minutes.
START = timedelta(days=23, hours=1, minutes=30)
A_MINUTE = timedelta(minutes=1)
CANCEL = {"cancel": "yes"}


@pytest.fixture
def ada(client):
    update_meeting(DECEMBER, join_url=ZOOM, capacity=1, topic="How much is enough?")
    add_registrations(DECEMBER, ADA)
    return client


@pytest.fixture
def started(app, ada):
    """The December session has just begun."""
    advance_clock(app, START)
    return ada


@pytest.mark.parametrize(
    ("moment", "is_open"),
    [
        (START - timedelta(minutes=15, seconds=1), False),
        (START - timedelta(minutes=15), True),
        (START + timedelta(minutes=89), True),
        (START + timedelta(minutes=90), False),
    ],
    ids=["too early", "at the first moment", "late", "at the end"],
)
def test_the_join_link_opens_15_minutes_before_and_closes_at_the_end(app, ada, moment, is_open):
    advance_clock(app, moment)

    page = ada.page(join_path())
    answer = press_button(ada, join_path())

    assert ("Join on Zoom" in main_text(page)) is is_open
    assert answer.status_code == (200 if is_open else 422)
    assert (ZOOM in answer.text) is is_open
    assert (rows()[0]["joined_at"] is not None) is is_open


def test_joining_is_recorded_the_first_time_and_forwards_by_itself(app, started):
    first = press_button(started, join_path())
    advance_clock(app, START + A_MINUTE)

    press_button(started, join_path())

    assert first.headers["Refresh"] == f"0; url={ZOOM}"
    assert parse(first).main.a["href"] == ZOOM
    assert first.cache_control.no_store
    assert rows()[0]["joined_at"] == NOW + START
    assert find_member().verified_at == NOW + START + A_MINUTE
    assert rows()[0]["attended"] is None


def test_the_join_page_records_nothing_and_shows_neither_the_join_url_nor_the_member(started):
    answer = started.get(join_path())

    assert "Refresh" not in answer.headers
    assert not [text for text in (ZOOM, "/r/", ADA) if text in answer.text]
    assert "Ada" not in without_tokens(answer.text)
    assert rows()[0]["joined_at"] is None
    assert find_member().verified_at is None


def test_an_early_join_link_says_when_it_opens_and_offers_the_calendar(ada):
    page = ada.page(join_path())

    assert "come back to this page on December 15 at 11:15 AM ET" in main_text(page)
    assert page.main.select("a[href^='https://calendar.google.com/']")
    assert text_of(page.main.select(".button")[-1]) == "Cancel my spot"


def test_somebody_on_the_waiting_list_sees_their_position_and_cannot_join(started):
    add_registrations(DECEMBER, "katherine@example.org", GRACE, status="waiting")

    page = started.page(join_path(GRACE))
    answer = press_button(started, join_path(GRACE))

    assert "You're number 2 on the waiting list." in main_text(page)
    assert answer.status_code == 422
    assert ZOOM not in answer.text


def test_canceling_on_the_join_page_asks_first_and_gives_the_place_to_the_next(ada):
    add_registrations(DECEMBER, GRACE, status="waiting")
    link = ada.page(join_path()).main.select(".button")[-1]["href"]
    question = ada.page(link)
    before = registration_statuses()

    answer = press_button(ada, join_path(), **CANCEL)

    page = ada.page(answer.location)
    assert question.h1.get_text() == "Cancel your spot on December 15?"
    assert question.main.form["action"] == join_path()
    assert question.main.form.button["name"] in CANCEL
    assert before == [(ADA, DECEMBER, "held"), (GRACE, DECEMBER, "waiting")]
    assert answer.status_code == 303
    assert "Your registration for this session is canceled." in main_text(page)
    assert page.main.select_one("a[href='/register?session=2026-12-15']")
    assert registration_statuses() == [(ADA, DECEMBER, "cancelled"), (GRACE, DECEMBER, "held")]


def test_after_the_end_the_join_page_links_to_the_takeaways_and_cancels_nothing(app, ada):
    advance_clock(app, START + timedelta(hours=2))

    page = ada.page(join_path())
    answer = press_button(ada, join_path(), **CANCEL)

    assert "This session is over." in main_text(page)
    assert page.main.select_one(f"a[href='/schedule/{DECEMBER}']")
    assert answer.status_code == 303
    assert registration_statuses() == [(ADA, DECEMBER, "held")]


def test_the_join_link_of_a_canceled_registration_opens_the_live_one(started):
    old = join_path()
    press_button(started, old, **CANCEL)
    add_registrations(DECEMBER, ADA)

    answer = press_button(started, old)

    assert ZOOM in answer.text
    assert [row["joined_at"] is not None for row in rows()] == [False, True]


def test_a_canceled_session_says_why_and_cannot_be_joined(started):
    update_meeting(DECEMBER, status="cancelled", reason="The guest is ill.")

    page = started.page(join_path())

    assert "This session is canceled. The guest is ill." in main_text(page)
    assert page.main.select_one("a[href='/schedule']")
    assert press_button(started, join_path()).status_code == 422
    assert press_button(started, join_path(), **CANCEL).status_code == 303
    assert registration_statuses() == [(ADA, DECEMBER, "held")]


def test_without_a_join_url_the_page_names_the_contact(started):
    update_meeting(DECEMBER, join_url=None)
    update_community(contact_email="contact@example.org")

    page = started.page(join_path())
    answer = press_button(started, join_path())

    assert "The join link isn't ready yet." in main_text(page)
    assert page.main.select_one("a[href='mailto:contact@example.org']")
    assert answer.status_code == 422
    assert rows()[0]["joined_at"] is None


def test_the_join_url_is_on_no_other_page(started):
    add_registrations(JANUARY, ADA)
    add_confirmation()
    addresses = ["/", "/schedule", f"/schedule/{DECEMBER}", "/schedule.json", "/schedule.ics"]
    addresses += [LINKS.member(owner(), below, on=NOW.date()) for below in ("", "/mine.json")]
    addresses += [calendar_path(), CONFIRMATION]

    shown = [address for address in addresses if "zoom.example" in started.get(address).text]

    assert shown == []


def test_a_join_url_with_other_letters_is_encoded_in_the_header(started):
    update_meeting(DECEMBER, join_url="https://zoom.example.org/j/ñ?a=ü")

    answer = press_button(started, join_path())

    assert answer.headers["Refresh"] == "0; url=https://zoom.example.org/j/%C3%B1?a=%C3%BC"
