"""Everybody reaches everything in the frame: by keyboard, on small screens, with large text."""

import pytest
from playwright.sync_api import expect

from tests.browser.axe import is_sound
from tests.browser.embedding.front import HOST
from tests.browser.embedding.guests import opened, send, settled
from tests.browser.embedding.test_traces import PAGES, show  # noqa: F401 - a fixture
from tests.browser.test_small_screens import TOO_SMALL, TOO_WIDE
from tests.browser.visits import FAILED_ANSWER, fill_in, has_focus, is_confirmed, send_button

PRESSES = 120  # more than both pages have stops
SCREENS = {
    "320 pixels": {"viewport": {"width": 320, "height": 640}},
    "1280 pixels at 200 %": {"viewport": {"width": 640, "height": 400}, "device_scale_factor": 2},
}

# What has the focus, and whether it is drawn. Nothing while it is on its way between two frames.
FOCUS = """() => {
  const at = document.activeElement, style = getComputedStyle(at);
  return at === document.body ? null : {
    what: at.outerHTML.slice(0, 120),
    isFrame: at.matches("iframe"),
    isDrawn: parseFloat(style.outlineWidth) >= 2 && style.outlineStyle !== "none",
  };
}"""


def focus(page, frame):
    """What has the focus on the host's page, or in the frame."""
    around = page.evaluate(FOCUS)
    return frame.evaluate(FOCUS) if around and around["isFrame"] else around


def press(page, frame, key):
    """Press a key, and wait until the focus has come somewhere else: it may cross processes."""
    before = focus(page, frame)
    page.keyboard.press(key)
    for _ in range(PRESSES):
        at = focus(page, frame)
        if at and at != before:
            return
        page.wait_for_timeout(10)
    raise AssertionError(f"{key} leads nowhere from {before}")


def stops(page, frame, key):
    """Press a key until the focus is back on the host's page; return what it stopped at inside."""
    inside = []
    for _ in range(PRESSES):
        press(page, frame, key)
        if not page.evaluate(FOCUS)["isFrame"]:
            return inside
        at = focus(page, frame)
        assert at["isDrawn"], f"the focus is drawn on {at['what']}"
        expect(frame.locator(":focus")).to_be_in_viewport()
        inside.append(at["what"])
    raise AssertionError(f"{key} does not lead out of the frame: {inside[-3:]}")


@pytest.fixture(params=SCREENS.values(), ids=SCREENS)
def screen(request):
    return request.param


def test_tab_leads_into_the_frame_through_it_and_out_and_back(guest):
    page = guest(f"{HOST}/squarespace.html")
    frame = settled(page)
    page.locator("#before").focus()

    there = stops(page, frame, "Tab")
    expect(page.get_by_role("link", name="Open the registration page")).to_be_focused()
    back = stops(page, frame, "Shift+Tab")

    expect(page.locator("#before")).to_be_focused()
    assert there == back[::-1]
    assert len(there) > 5


def test_a_registration_in_the_frame_takes_the_keyboard_alone(guest, site):
    page = guest(f"{HOST}/squarespace.html")
    frame = settled(page)
    page.locator("#before").focus()

    def tab_to(locator):
        for _ in range(PRESSES):
            press(page, frame, "Tab")
            if locator.evaluate("(one) => one === document.activeElement"):
                return
        raise AssertionError(f"{locator} cannot be reached")

    tab_to(frame.locator(f"#act-{site.upcoming[0]} a"))
    page.keyboard.press("Enter")
    has_focus(frame.locator("#registration h2").first)
    tab_to(frame.get_by_label("Name", exact=True))
    page.keyboard.type("Ada Example")
    tab_to(frame.get_by_label("Email", exact=True))
    page.keyboard.type("framed-keyboard@ada.example.org")
    tab_to(send_button(frame))
    page.keyboard.press("Enter")

    is_confirmed(frame)
    has_focus(frame.get_by_role("heading", name="You're registered"))
    assert site.registrations("framed-keyboard@ada.example.org") == [(site.upcoming[0], "held")]


def test_axe_finds_nothing_in_a_framed_page(show):  # noqa: F811 - the fixture
    for path in (*PAGES.values(), "schedule?theme=dark", "register?theme=auto"):
        frame = show(path)

        is_sound(frame, frame.page)


def test_axe_finds_nothing_in_the_host_page_with_the_form_and_its_refusal(guest, site):
    page = guest(f"{HOST}/squarespace.html", expecting=[FAILED_ANSWER])
    frame = opened(settled(page), site.upcoming[0])
    is_sound(frame, page)

    send(frame)

    expect(frame.locator(".summary")).to_be_visible()
    is_sound(frame, page)


def test_every_framed_page_fits_and_everything_in_it_can_be_hit(show, screen):  # noqa: F811
    for path in PAGES.values():
        frame = show(path, **screen)

        assert frame.evaluate(TOO_WIDE) == [], path
        assert frame.evaluate(TOO_SMALL) == [], path


def test_a_registration_in_a_narrow_frame_fits_at_each_step(guest, site, screen):
    page = guest(f"{HOST}/squarespace.html", expecting=[FAILED_ANSWER], **screen)
    frame = opened(settled(page), site.upcoming[0])
    assert frame.evaluate(TOO_WIDE) == []

    send(frame)
    expect(frame.locator(".summary")).to_be_visible()
    assert frame.evaluate(TOO_WIDE) == []
    fill_in(frame, f"narrow-{screen['viewport']['width']}@{'long-name.' * 5}example.org")
    send(frame)

    is_confirmed(frame)
    assert frame.evaluate(TOO_WIDE) == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
