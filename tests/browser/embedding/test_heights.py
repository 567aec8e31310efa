"""The height of the frame on its host's page, and messages of others that must not change it."""

import pytest
from playwright.sync_api import expect

from tests.browser.embedding.front import COP, HOST
from tests.browser.embedding.guests import (
    EMBED,
    click,
    fits,
    framed,
    height,
    height_messages,
    is_inside_the_view,
    opened,
    send,
    settled,
)
from tests.browser.visits import fill_in, is_confirmed

PAINTED = """performance.timeOrigin
  + performance.getEntriesByName("first-paint")[0].startTime"""


@pytest.fixture
def page(guest):
    return guest(f"{HOST}/squarespace.html")


@pytest.fixture
def forged(guest):
    """Pages with a frame of another site that sends messages like this site's."""

    def forged(name, target, message):
        page = guest(f"{HOST}/{name}")
        frame = framed(page)
        expect(frame.get_by_role("heading", level=1)).to_be_visible()
        forger = framed(page, "#forger")
        forger.evaluate(f"(message) => {target}.postMessage(message, '*')", message)
        # Messages arrive in order: after this one, the other has arrived.
        forger.evaluate(f"() => {target}.postMessage({{type: 'last'}}, '*')")
        receiver = frame if target != "parent" else page
        receiver.wait_for_function("heard.some(({type}) => type === 'last')")
        return page

    return forged


def test_the_frame_grows_with_what_it_shows_and_shrinks_again(page, site):
    frame = settled(page)
    closed = height(page)

    opened(frame, site.upcoming[0])
    fits(frame)
    with_form = height(page)
    fill_in(frame, "grows@ada.example.org")
    send(frame)
    is_confirmed(frame)
    fits(frame)
    confirmed = height(page)

    click(frame.get_by_role("button", name="Save answers"))
    expect(frame.get_by_role("heading", name="Thank you for your answers")).to_be_visible()
    fits(frame)

    assert closed < with_form < confirmed
    assert closed < height(page) < confirmed
    assert len(height_messages(page)) < 10


def test_the_frame_shrinks_when_the_form_is_closed(page, site):
    frame = opened(settled(page), site.upcoming[0])
    fits(frame)
    unfolded = height(page)

    click(frame.get_by_role("button", name="Close"))

    page.wait_for_function(
        "([which, before]) => document.querySelector(which).clientHeight < before - 200",
        arg=[EMBED, unfolded],
    )
    fits(frame)


def test_the_frame_follows_when_the_window_is_made_narrow(page):
    frame = settled(page)
    wide = height(page)

    page.set_viewport_size({"width": 320, "height": 720})

    page.wait_for_function(
        "([which, before]) => document.querySelector(which).clientHeight > before",
        arg=[EMBED, wide],
    )
    fits(frame)


@pytest.mark.parametrize("width", [320, 1280])
def test_nothing_moves_by_itself_after_the_first_height_or_in_what_is_painted(guest, width):
    page = guest(f"{HOST}/squarespace.html", viewport={"width": width, "height": 720})
    frame = framed(page)
    page.locator(EMBED).scroll_into_view_if_needed()
    fits(frame)
    page.wait_for_timeout(1_000)  # what would move has moved
    rested, messages = height(page), height_messages(page)
    page.wait_for_timeout(1_000)

    first = messages[0]["at"]
    moved = sum(shift["value"] for shift in page.evaluate("shifts") if shift["at"] > first)
    painted = frame.evaluate(PAINTED)
    inside = sum(shift["value"] for shift in frame.evaluate("shifts") if shift["at"] > painted)

    assert moved < 0.05
    assert inside == 0
    assert (height(page), height_messages(page)) == (rested, messages)
    assert len(messages) < 10


def test_each_of_two_frames_has_its_own_height(guest, site):
    page = guest(f"{HOST}/two-embeds.html")
    card = settled(page, "#next")
    settled(page, "#all")
    before = height(page, "#all")
    assert height(page, "#next") < before

    opened(card, site.upcoming[0])

    fits(card)
    assert height(page, "#all") == before


def test_the_script_may_be_twice_on_a_page(guest, site):
    page = guest(f"{HOST}/script-twice.html")
    frame = settled(page)

    opened(frame, site.upcoming[0])

    fits(frame)
    assert len(height_messages(page)) < 10


def test_a_frame_that_is_added_late_is_found(guest):
    page = guest(f"{HOST}/late.html")

    page.get_by_role("button", name="Show the sessions").click()

    settled(page)


@pytest.mark.parametrize("which", ["#fixed", "#ratio"])
def test_a_frame_that_its_host_cuts_off_keeps_its_own_scrolling(guest, site, which):
    page = guest(f"{HOST}/clipped.html")
    page.locator(which).scroll_into_view_if_needed()
    frame = framed(page, which)
    page.wait_for_function("(which) => document.querySelector(which).style.height", arg=which)

    opened(frame, site.upcoming[0])

    last = frame.get_by_role("link", name="Lost your link?")
    frame.wait_for_function(
        "() => getComputedStyle(document.documentElement).overflowY != 'hidden'"
    )
    last.scroll_into_view_if_needed()
    expect(last).to_be_in_viewport()


def test_a_frame_with_rounded_corners_grows_with_what_it_shows(guest, site):
    frame = settled(guest(f"{HOST}/clipped.html"), "#rounded")

    opened(frame, site.upcoming[0])

    fits(frame)


def test_padding_and_borders_of_the_host_are_added_to_the_height(guest):
    frame = framed(guest(f"{HOST}/padded.html"))

    fits(frame)


def test_after_a_link_in_the_frame_the_new_page_is_shown_from_its_top(page, site):
    frame = settled(page)
    link = frame.locator(f"a[href*='{site.upcoming[-1]}']").first
    click(link)

    heading = framed(page).get_by_role("heading", level=1)

    expect(heading).to_have_text("Topic to be announced")
    is_inside_the_view(page, heading, below=88)


def test_the_first_page_in_a_frame_moves_nothing(page):
    settled_at = "document.querySelector('iframe').style.height"
    page.wait_for_function(settled_at)

    assert page.evaluate("scrollY") == 0


def test_the_host_hears_of_a_registration_and_nothing_about_the_person(page, site):
    page.evaluate(
        """(which) => {
             window.registered = 0;
             addEventListener("cop:registered", ({target}) => registered += target.matches(which));
           }""",
        EMBED,
    )
    frame = opened(settled(page), site.upcoming[0])
    fill_in(frame, "counted@ada.example.org")

    send(frame)

    is_confirmed(frame)
    page.wait_for_function("registered === 1")


@pytest.mark.parametrize(
    "message", [{"type": "height", "height": 7000}, {"type": "show", "top": 2000}]
)
def test_a_message_of_another_frame_is_ignored(forged, message):
    page = forged("forged.html", "parent", {"cop": 1} | message)

    fits(framed(page))
    assert height(page) < 7000
    assert height(page, "#forger") < 200
    assert page.evaluate("scrollY") == 0


@pytest.mark.parametrize("scrolled", [0, 2400], ids=["below the window", "above the window"])
def test_a_position_sent_by_the_frame_is_brought_into_the_upper_part_of_the_window(page, scrolled):
    frame = framed(page)
    fits(frame)
    page.evaluate("(top) => scrollTo(0, top)", scrolled)

    frame.evaluate("parent.postMessage({cop: 1, type: 'show', top: 1000}, '*')")

    page.wait_for_function(
        """(which) => {
             const place = document.querySelector(which).getBoundingClientRect().top + 1000;
             return place > 88 && place < innerHeight * 0.7;
           }""",
        arg=EMBED,
    )
    assert page.evaluate("scrollY") not in {0, scrolled}


def test_a_position_that_is_visible_already_moves_nothing(page):
    frame = settled(page)
    top = page.evaluate("scrollY")

    frame.evaluate("parent.postMessage({cop: 1, type: 'show', top: 300}, '*')")
    frame.evaluate("parent.postMessage({type: 'last'}, '*')")

    page.wait_for_function("heard.some(({type}) => type === 'last')")
    assert page.evaluate("scrollY") == top > 0


def test_a_message_of_the_host_page_itself_is_ignored(guest):
    page = guest(f"{HOST}/forged.html")
    settled(page)
    before = height(page)

    page.evaluate("postMessage({cop: 1, type: 'height', height: 7000}, '*')")

    page.wait_for_function("heard.some(({height}) => height === 7000)")
    assert height(page) == before


def test_an_invalid_height_leaves_the_page_unchanged_or_at_its_minimum(guest):
    page = guest(f"{HOST}/forged.html")
    frame = settled(page)
    before = height(page)
    send_height = "(height) => parent.postMessage({cop: 1, type: 'height', height}, '*')"

    for invalid in (None, "7000", -7000.5, {"px": 7000}, [7000], True, "x" * 1_000_000):
        frame.evaluate(send_height, invalid)
        frame.evaluate("() => parent.postMessage({type: 'last'}, '*')")

        page.wait_for_function("heard.some(({type}) => type === 'last')")
        page.evaluate("heard.length = 0")
        assert height(page) in {before, 120}, str(invalid)[:10]


def test_an_endless_height_ends_at_12000(guest):
    page = guest(f"{HOST}/forged.html")
    frame = settled(page)

    frame.evaluate("parent.postMessage({cop: 1, type: 'height', height: 1e9}, '*')")

    page.wait_for_function(
        "(which) => document.querySelector(which).clientHeight > 9000", arg=EMBED
    )
    assert height(page) == 12_000


def test_a_flood_of_heights_does_not_keep_the_page_moving(guest):
    page = guest(f"{HOST}/forged.html")
    frame = settled(page)
    page.evaluate(
        """(which) => {
             window.moves = 0;
             new ResizeObserver(() => { moves += 1 }).observe(document.querySelector(which));
             window.set = 0;
             new MutationObserver((all) => { set += all.length })
               .observe(document.querySelector(which), {attributes: true});
           }""",
        EMBED,
    )

    frame.evaluate(
        """() => {
             for (let i = 0; i < 500; i += 1)
               parent.postMessage({cop: 1, type: "height", height: 1000 + 10 * (i % 50)}, "*");
             parent.postMessage({type: "last"}, "*");
           }"""
    )

    page.wait_for_function("heard.some(({type}) => type === 'last')")
    assert 0 < page.evaluate("set") <= 60


def test_a_hello_from_elsewhere_does_not_hide_the_scrollbar(forged):
    page = forged("forged-without-script.html", "parent.frames[0]", {"cop": 1, "type": "hello"})

    frame = framed(page)

    assert frame.evaluate("getComputedStyle(document.documentElement).overflowY") != "hidden"
    assert frame.evaluate("getComputedStyle(document.body).overflowY") != "hidden"


def test_no_message_has_personal_data(page, site):
    frame = opened(settled(page), site.upcoming[0])
    fill_in(frame, "unsaid@ada.example.org")
    send(frame)
    is_confirmed(frame)

    messages = page.evaluate("heard")

    assert {message["origin"] for message in messages} == {COP}
    for message in messages:
        assert set(message) - {"origin", "at"} <= {"cop", "type", "height", "top"}
        assert (message["cop"], message["type"] in {"ready", "height", "show", "registered"}) == (
            1,
            True,
        )
        numbers = [message[name] for name in ("height", "top") if name in message]
        assert all(type(number) in {int, float} for number in numbers)
