"""What is left behind in a browser: nothing; and what it complains about: nothing."""

import re
from urllib.parse import urljoin, urlsplit

import pytest
from playwright.sync_api import expect

from tests.browser.embedding.front import COP, HOST
from tests.browser.embedding.front import PAGES as FOLDER
from tests.browser.embedding.guests import click, framed, opened, send, settled
from tests.browser.visits import FAILED_ANSWER, Visit, fill_in, is_confirmed, sign_in

PAGES = {
    "schedule": "schedule",
    "card": "next",
    "form": "register?session=all",
    "session": "schedule/{upcoming[0]}",
    "full session": "schedule/{upcoming[1]}",
    "past session": "schedule/{past[0]}",
    "confirmation": "{confirmation}",
    "about": "",
    "your data": "your-data",
    "nothing there": "nothing-there",
}

LINKS = """(all) => all.map((one) =>
  [one.getAttribute("href") ?? one.getAttribute("action"), one.target])"""


@pytest.fixture
def show(guest, site):
    """Show pages of this site, one after the other, in the frame of another site's page."""
    pages = []

    def show(path, **options):
        if not pages:
            pages.append(
                guest(f"{HOST}/frames-anything.html", expecting=[FAILED_ANSWER], **options)
            )
        slugs = {"upcoming": site.upcoming, "past": site.past}
        confirmation = site.confirmation_path(site.upcoming[:1], site.upcoming[1:2])
        path = path.format(confirmation=confirmation.removeprefix("/"), **slugs)
        address = f"{COP}/embed/{path}"
        with pages[0].expect_event("framenavigated", lambda frame: frame.url.startswith(COP)):
            pages[0].evaluate("(address) => { any.src = address }", address)
        frame = framed(pages[0], "#any")
        frame.wait_for_load_state()
        expect(frame.locator("main")).to_be_visible()
        return frame

    return show


def test_a_registration_in_a_frame_leaves_nothing_in_the_browser(guest, site, exchanges):
    page = guest(f"{HOST}/squarespace.html")
    frame = opened(settled(page), site.upcoming[0])
    fill_in(frame, "traceless@ada.example.org")
    send(frame)
    is_confirmed(frame)

    left = page.context.storage_state()

    assert left == {"cookies": [], "origins": []}
    assert frame.evaluate("stored") == page.evaluate("stored") == []
    names = {name.lower() for exchange in exchanges for name, _ in exchange.response_headers}
    assert "set-cookie" not in names


def test_no_framed_page_sets_a_cookie_stores_or_breaks_its_own_policy(show, exchanges):
    for path in PAGES.values():
        frame = show(path)

        assert frame.evaluate("stored") == [], path

    own = [exchange for exchange in exchanges if exchange.url.startswith(COP)]
    assert len(own) > len(PAGES)
    assert not any(name.lower() == "set-cookie" for one in own for name, _ in one.response_headers)


def test_every_link_stays_in_the_frame_or_opens_a_new_tab(show):
    for path in PAGES.values():
        frame = show(path)

        links = frame.locator("a[href], form[action]").evaluate_all(LINKS)

        assert links, path
        for address, target in links:
            leads = urlsplit(urljoin(frame.url, address))
            is_ours = leads[:2] == urlsplit(COP)[:2] and leads.path.startswith("/embed")
            assert is_ours or target == "_blank", f"{address} on {path}"


def test_the_console_shows_its_preview_without_a_complaint(browser, site):
    console = Visit(browser, site)
    console.page.goto("/coordinator/sign-in")
    corin = sign_in(console.page)

    corin.goto("/coordinator/embed")

    preview = framed(corin, "iframe")
    expect(preview.get_by_role("heading", level=1)).to_be_visible()
    console.end()


def test_the_console_copies_what_is_pasted_into_pages(browser, site):
    console = Visit(browser, site, permissions=["clipboard-read", "clipboard-write"])
    console.page.goto("/coordinator/sign-in")
    corin = sign_in(console.page)
    corin.goto("/coordinator/embed")

    corin.get_by_role("button", name="Copy A:").click()

    expect(corin.get_by_role("status").first).to_have_text("Copied.")
    copied = corin.evaluate("navigator.clipboard.readText()").splitlines()
    shown = (FOLDER / "squarespace.html").read_text().splitlines()
    assert [line for line in shown if line in copied] == copied
    console.end()


def test_a_theme_that_is_unknown_or_light_is_a_solid_light_page(show):
    for query in ("", "?theme=light", '?theme="><script>neon'):
        frame = show(f"schedule{query}", color_scheme="dark")

        assert lightness_of_the_surface(frame) > 200, query
        assert "neon" not in frame.content()
        assert frame.locator("main script").count() == 0


@pytest.mark.parametrize(("theme", "scheme"), [("dark", "light"), ("auto", "dark")])
def test_a_dark_theme_is_kept_on_the_way(show, theme, scheme):
    frame = show(f"schedule?theme={theme}", color_scheme=scheme)
    assert lightness_of_the_surface(frame) < 80

    click(frame.locator("main h3 a").first)

    frame.wait_for_url(re.compile(rf"/embed/schedule/.*theme={theme}"))
    assert lightness_of_the_surface(frame) < 80


def lightness_of_the_surface(frame):
    """From 0, black, to 255, white; the surface must let nothing through."""
    surface = frame.evaluate("getComputedStyle(document.documentElement).backgroundColor")
    red, green, blue = re.fullmatch(r"rgb\((\d+), (\d+), (\d+)\)", surface).groups()
    return (int(red) + int(green) + int(blue)) / 3
