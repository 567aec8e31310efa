"""The frame on its host's page: as high as what it shows, at rest, and moved by nobody else."""

import pytest
from playwright.sync_api import expect

from tests.browser.embedding.front import COP, HOST, HOSTILE
from tests.browser.embedding.guests import (
    EMBED,
    click,
    fits,
    framed,
    height,
    heights_told,
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
    """Pages with a frame of another site that sends what ours would send."""

    def forged(name, tell, message):
        page = guest(f"{HOST}/{name}")
        frame = framed(page)
        expect(frame.get_by_role("heading", level=1)).to_be_visible()
        forger = framed(page, "#forger")
        forger.evaluate(f"(message) => {tell}.postMessage(message, '*')", message)
        # What is told arrives in order, so once this came, the other has.
        forger.evaluate(f"() => {tell}.postMessage({{type: 'last'}}, '*')")
        heard = frame if tell != "parent" else page
        heard.wait_for_function("heard.some(({type}) => type === 'last')")
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

    assert closed < confirmed < with_form
    assert len(heights_told(page)) < 10


def test_answers_that_are_folded_away_give_their_room_back(page, site):
    frame = opened(settled(page), site.upcoming[0])
    fits(frame)
    unfolded = height(page)

    click(frame.locator("details.panel summary").first)

    page.wait_for_function(
        "([which, before]) => document.querySelector(which).clientHeight < before - 200",
        arg=[EMBED, unfolded],
    )
    fits(frame)


@pytest.mark.parametrize("width", [320, 1280])
def test_the_frame_comes_to_rest(guest, width):
    page = guest(f"{HOST}/squarespace.html", viewport={"width": width, "height": 720})
    settled(page)
    page.wait_for_timeout(3_000)
    rested, told = height(page), heights_told(page)

    page.wait_for_timeout(1_000)

    assert height(page) == rested
    assert heights_told(page) == told
    assert 0 < len(told) < 10


def test_the_frame_follows_when_the_window_is_made_narrow(page):
    frame = settled(page)
    wide = height(page)

    page.set_viewport_size({"width": 320, "height": 720})

    page.wait_for_function(
        "([which, before]) => document.querySelector(which).clientHeight > before",
        arg=[EMBED, wide],
    )
    fits(frame)


@pytest.mark.parametrize("width", [360, 1280])
def test_nothing_moves_by_itself_after_the_first_height_or_in_what_is_painted(guest, width):
    page = guest(f"{HOST}/squarespace.html", viewport={"width": width, "height": 720})
    frame = framed(page)
    page.locator(EMBED).scroll_into_view_if_needed()
    fits(frame)
    page.wait_for_timeout(1_000)  # what would move has moved

    first = heights_told(page)[0]["at"]
    moved = sum(shift["value"] for shift in page.evaluate("shifts") if shift["at"] > first)
    painted = frame.evaluate(PAINTED)
    inside = sum(shift["value"] for shift in frame.evaluate("shifts") if shift["at"] > painted)

    assert moved < 0.05
    assert inside == 0


def test_each_of_two_frames_has_its_own_height(guest):
    page = guest(f"{HOST}/two-embeds.html")

    for which in ("#next", "#all"):
        settled(page, which)

    assert height(page, "#next") < height(page, "#all")


def test_what_happens_in_one_frame_leaves_the_other_alone(guest, site):
    page = guest(f"{HOST}/two-embeds.html")
    card = settled(page, "#next")
    settled(page, "#all")
    before = height(page, "#all")

    opened(card, site.upcoming[0])

    fits(card)
    assert height(page, "#all") == before


def test_the_script_may_stand_twice_on_a_page(guest, site):
    page = guest(f"{HOST}/script-twice.html")
    frame = settled(page)

    opened(frame, site.upcoming[0])

    fits(frame)
    assert len(heights_told(page)) < 10


def test_a_frame_that_is_added_late_is_found(guest):
    page = guest(f"{HOST}/late.html")

    page.get_by_role("button", name="Show the sessions").click()

    settled(page)


def test_a_height_that_another_frame_tells_is_ignored(forged):
    page = forged("forged.html", "parent", {"cop": 1, "type": "height", "height": 7000})

    fits(framed(page))
    assert height(page) < 7000
    assert height(page, "#forger") < 200


def test_a_place_that_another_frame_tells_is_ignored(forged):
    page = forged("forged.html", "parent", {"cop": 1, "type": "show", "top": 2000})

    fits(framed(page))
    assert page.evaluate("scrollY") == 0


@pytest.mark.parametrize("scrolled", [0, 2400], ids=["below the window", "above the window"])
def test_a_place_that_our_frame_tells_is_brought_into_the_upper_part_of_the_window(page, scrolled):
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


def test_a_place_that_can_be_seen_already_moves_nothing(page):
    frame = settled(page)
    top = page.evaluate("scrollY")

    frame.evaluate("parent.postMessage({cop: 1, type: 'show', top: 300}, '*')")
    frame.evaluate("parent.postMessage({type: 'last'}, '*')")

    page.wait_for_function("heard.some(({type}) => type === 'last')")
    assert page.evaluate("scrollY") == top > 0


def test_the_host_page_itself_is_not_taken_for_our_frame(guest):
    page = guest(f"{HOST}/forged.html")
    settled(page)
    before = height(page)

    page.evaluate("postMessage({cop: 1, type: 'height', height: 7000}, '*')")

    page.wait_for_function("heard.some(({height}) => height === 7000)")
    assert height(page) == before


@pytest.mark.parametrize(
    "told",
    [None, "7000", -7000.5, {"px": 7000}, [7000], True, "x" * 1_000_000],
    ids=["nothing", "words", "negative", "object", "list", "boolean", "a million letters"],
)
def test_a_height_that_is_none_leaves_the_page_as_it_was_or_at_its_least(guest, told):
    page = guest(f"{HOST}/forged.html")
    frame = settled(page)
    before = height(page)

    frame.evaluate("(height) => parent.postMessage({cop: 1, type: 'height', height}, '*')", told)
    frame.evaluate("() => parent.postMessage({type: 'last'}, '*')")

    page.wait_for_function("heard.some(({type}) => type === 'last')")
    assert height(page) in {before, 120}


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


def test_no_message_says_anything_about_a_person(page, site):
    frame = opened(settled(page), site.upcoming[0])
    fill_in(frame, "unsaid@ada.example.org")
    send(frame)
    is_confirmed(frame)

    heard = page.evaluate("heard")

    assert {said["origin"] for said in heard} == {COP}
    assert HOSTILE not in {said["origin"] for said in heard}
    for said in heard:
        assert set(said) - {"origin", "at"} <= {"cop", "type", "height", "top"}
        assert said["cop"] == 1
        assert said["type"] in {"ready", "height", "show"}
        assert all(type(said[name]) in {int, float} for name in ("height", "top") if name in said)
