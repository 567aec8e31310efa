"""Registering inside another site's page: as there, so at home."""

import re

import pytest
from playwright.sync_api import expect

from tests.browser.embedding.front import BUILDER, COP, HOST
from tests.browser.embedding.guests import (
    click,
    framed,
    height,
    is_inside_the_view,
    opened,
    point_at,
    send,
    settled,
)
from tests.browser.visits import FAILED_ANSWER, fill_in, has_focus, is_confirmed

HEADER = 88  # pixels at the top that the host's header covers


@pytest.fixture
def schedule(guest):
    """The schedule, in a page like those of the community's host."""
    return settled(guest(f"{HOST}/squarespace.html", expecting=[FAILED_ANSWER]))


@pytest.fixture(params=[{"width": 360, "height": 740}, {"width": 1280, "height": 720}], ids=["360 pixels", "1280 pixels"])  # fmt: skip
def window(request):
    return {"viewport": request.param}


def test_a_registration_in_the_frame_is_stored_without_a_cookie(schedule, site, exchanges):
    opened(schedule, site.upcoming[0])
    fill_in(schedule, "framed@ada.example.org")

    send(schedule)

    is_confirmed(schedule)
    assert site.registrations("framed@ada.example.org") == [(site.upcoming[0], "held")]
    own = [exchange for exchange in exchanges if exchange.url.startswith(COP)]
    assert {exchange.method for exchange in own} == {"GET", "POST"}
    assert not any("Cookie" in exchange.request_headers for exchange in own)


def test_the_form_and_its_confirmation_have_the_focus_and_are_in_view(guest, site, window):
    page = guest(f"{HOST}/squarespace.html", **window)
    schedule = settled(page)
    click(schedule.get_by_role("link", name="Register for all upcoming sessions"))
    heading = schedule.locator("#registration").get_by_role("heading", name="Register")
    has_focus(heading)
    is_inside_the_view(page, heading, below=HEADER)
    width = window["viewport"]["width"]
    fill_in(schedule, f"in-view-{width}@ada.example.org")

    send(schedule)

    heading = schedule.get_by_role("heading", name="You're registered")
    has_focus(heading)
    expect(schedule.get_by_role("status").first).to_have_text("Saved.")
    is_inside_the_view(page, heading, below=HEADER)


def test_the_host_page_does_not_move_before_anybody_acts(guest):
    page = guest(f"{HOST}/squarespace.html")
    schedule = framed(page)

    expect(schedule.get_by_role("heading", level=1)).to_be_visible()

    page.wait_for_function("heard.some(({type}) => type === 'height')")
    assert page.evaluate("scrollY") == 0
    assert page.evaluate("document.activeElement === document.body")


def test_the_last_place_taken_in_the_frame_shows_behind_the_form(schedule, site):
    full = site.upcoming[1]
    click(schedule.locator(f"#act-{full} a", has_text="Join the waiting list"))
    fill_in(schedule, "framed-waits@grace.example.org", name="Grace Sample")

    send(schedule)

    has_focus(schedule.get_by_role("heading", name="You're on the waiting list"))
    assert site.registrations("framed-waits@grace.example.org") == [(full, "waiting")]


def test_without_scripts_a_refusal_is_in_view_and_the_corrected_form_ends_at_the_confirmation(
    guest, site, exchanges, window
):
    page = guest(
        f"{HOST}/squarespace.html", java_script_enabled=False, expecting=[FAILED_ANSWER], **window
    )
    email = f"framed-plain-{window['viewport']['width']}@ada.example.org"
    frame = framed(page)
    click(frame.locator(f"#act-{site.upcoming[0]} a"))
    expect(frame.get_by_role("heading", level=1)).to_have_text(re.compile("^Register for"))
    fill_in(frame, email, name="")
    send(frame)
    # No browser moves the focus into a frame of another site by itself.
    is_inside_the_view(page, frame.locator(".summary"), below=HEADER)
    expect(frame.get_by_label("Email", exact=True)).to_have_value(email)

    frame.get_by_label("Name", exact=True).fill("Ada Example")
    send(frame)

    expect(frame.get_by_role("heading", level=1)).to_have_text("You're registered")
    assert re.fullmatch(rf"{COP}/embed/registered\?form=\w+", frame.url)
    statuses = [exchange.status for exchange in exchanges if exchange.method == "POST"]
    assert statuses == [422, 303]
    assert site.registrations(email) == [(site.upcoming[0], "held")]
    assert not any("Cookie" in exchange.request_headers for exchange in exchanges)


def test_where_the_hosts_script_is_stripped_the_frame_scrolls_and_works(guest, site):
    page = guest(f"{HOST}/without-script.html", expecting=[FAILED_ANSWER])
    frame = framed(page)
    expect(frame.get_by_role("contentinfo")).to_be_visible()
    assert height(page) == 0.8 * page.viewport_size["height"]  # though the theme says "auto"
    point_at(frame.get_by_role("heading", level=1))
    page.mouse.wheel(0, 300)
    frame.wait_for_function("() => scrollY > 0")
    assert frame.evaluate("getComputedStyle(document.documentElement).overflowY") != "hidden"

    opened(frame, site.upcoming[0])
    fill_in(frame, "stripped@ada.example.org")
    send(frame)

    is_confirmed(frame)
    has_focus(frame.get_by_role("heading", name="You're registered"))
    assert site.registrations("stripped@ada.example.org") == [(site.upcoming[0], "held")]


def test_in_a_narrow_frame_of_a_site_builder_the_first_button_is_seen_without_scrolling(guest):
    page = guest(
        f"{BUILDER}/google-site.html",
        viewport={"width": 360, "height": 740},
        expecting=["allow-scripts and allow-same-origin"],
    )
    frame = framed(framed(page, "#outer"))

    button = frame.locator(".button").first

    expect(button).to_be_visible()
    page.locator("#outer").evaluate("(outer) => outer.scrollIntoView({block: 'end'})")
    is_inside_the_view(page, button, below=HEADER)


@pytest.mark.parametrize("scripts", [True, False], ids=["with scripts", "without scripts"])
def test_in_frames_of_a_site_builder_the_form_works(guest, site, scripts):
    email = f"builder-{scripts}@ada.example.org".lower()
    page = guest(
        f"{BUILDER}/google-site.html",
        java_script_enabled=scripts,
        expecting=["allow-scripts and allow-same-origin"],
    )
    frame = framed(framed(page, "#outer"))
    click(frame.locator(f"#act-{site.upcoming[0]} a"))
    fill_in(frame, email)

    send(frame)

    is_confirmed(frame)
    assert site.registrations(email) == [(site.upcoming[0], "held")]


def test_the_form_alone_and_a_session_alone_can_be_framed(guest, site):
    page = guest(f"{HOST}/frames-anything.html")
    for path in (f"register?session={site.upcoming[2]}", f"schedule/{site.upcoming[2]}"):
        email = f"{path.partition('?')[0].replace('/', '-')}@ada.example.org"
        frame = page.locator("#any")
        frame.evaluate("(frame, address) => { frame.src = address }", f"{COP}/embed/{path}")
        inside = framed(page, "#any")
        expect(inside.locator("#registration form")).to_be_visible()

        fill_in(inside, email)
        send(inside)

        is_confirmed(inside)
        assert site.registrations(email) == [(site.upcoming[2], "held")]


def test_the_card_opens_its_form_in_place(guest, site):
    page = guest(f"{HOST}/two-embeds.html")
    card = settled(page, "#next")
    settled(page, "#all")
    expect(card.locator(".tile")).to_have_count(1)
    expect(card.locator(".places")).to_have_count(1)

    opened(card, site.upcoming[0])
    fill_in(card, "card@ada.example.org")
    send(card)

    is_confirmed(card)
    card.wait_for_url(re.compile(rf"{COP}/embed/registered\?form=\w+$"))
    assert site.registrations("card@ada.example.org") == [(site.upcoming[0], "held")]
