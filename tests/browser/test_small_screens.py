"""Small screens, large text and large fingers: everything fits, and everything can be hit."""

import pytest
from playwright.sync_api import expect

from tests.browser import console_pages, public_pages
from tests.browser.visits import FAILED_ANSWER, fill_in, is_confirmed, send, sign_in

SCREENS = {
    "320 pixels": {"viewport": {"width": 320, "height": 640}, "has_touch": True, "is_mobile": True},
    "1280 pixels at 200 %": {"viewport": {"width": 640, "height": 400}, "device_scale_factor": 2},
}

TOO_WIDE = """() => {
  const room = document.documentElement.clientWidth;
  const wide = [...document.querySelectorAll("main *, .menu *")]
    .filter((one) => !one.closest(".honeypot, .unseen, template"))
    .map((one) => [one, one.getBoundingClientRect()])
    .filter(([_, box]) => box.right > room + 0.5 || box.left < -0.5)
    .map(([one]) => one);
  return document.documentElement.scrollWidth > room || wide.length
    ? [document.documentElement.scrollWidth, room, ...wide.map((one) => one.outerHTML.slice(0, 80))]
    : [];
}"""

# What is pressed, and how high it must be; links in running text are as high as a line.
TOO_SMALL = """() => {
  const isShown = (one) => one.checkVisibility() && !one.closest(".honeypot, .unseen, .skip");
  const small = (selector, wide, high) => [...document.querySelectorAll(selector)].filter(isShown)
    .map((one) => [one, one.getBoundingClientRect()])
    .filter(([_, box]) => box.width < wide || box.height < high)
    .map(([one, box]) => `${one.outerHTML.slice(0, 80)}: ${box.width} x ${box.height}`);
  return [
    ...small("button, .button, input:not([type=checkbox], [type=radio], [type=hidden]), textarea", 24, 44),
    ...small("label:has([type=checkbox], [type=radio])", 24, 44),
    ...small("nav a, .wordmark, footer a", 24, 44),
    ...small("summary, a", 24, 24),
  ];
}"""

# Options that a finger could mistake for each other; in columns, the next may stand at the top.
TOO_CLOSE = """() => [...document.querySelectorAll("form .checkbox + .checkbox")]
  .filter((one) => one.checkVisibility())
  .map((one) => [one, one.getBoundingClientRect().top - one.previousElementSibling.getBoundingClientRect().bottom])
  .filter(([_, gap]) => gap >= 0 && gap < 8)
  .map(([one, gap]) => `${one.textContent.trim()}: ${gap}`)"""

# Cells of a stacked table without the role that `display` takes from them, or without a label.
UNLABELED = """() => [...document.querySelectorAll(
  ".table tr:not([role]), .table :is(td, th):not([role]), .table td:not([data-label], [colspan], .on-paper)"
)].map((one) => one.outerHTML.slice(0, 80))"""
LONG_TEXTS = [
    "UPDATE registration SET name = name || hex(zeroblob(100)) WHERE id % 3 = 0",
    "UPDATE registration SET organization = hex(zeroblob(100)), prep_answer = hex(zeroblob(200))",
    "UPDATE member SET email = hex(zeroblob(30)) || email WHERE id % 3 = 0",
    "UPDATE coordinator SET name = 'Corin' || hex(zeroblob(100))",
    "UPDATE meeting SET topic = hex(zeroblob(100))",
]


@pytest.fixture(params=SCREENS.values(), ids=SCREENS)
def screen(request):
    return request.param


def fits(page):
    assert page.evaluate(TOO_WIDE) == [], page.url


def can_be_hit(page):
    assert page.evaluate(TOO_SMALL) == [], page.url
    assert page.evaluate(TOO_CLOSE) == [], page.url


def test_no_page_scrolls_sideways_and_everything_can_be_hit(visit, site, screen):
    page = visit("/", expecting=[FAILED_ANSWER], **screen)
    for path in public_pages.paths(site):
        page.goto(path)

        fits(page)
        can_be_hit(page)


def test_a_registration_in_place_fits_at_each_step(visit, site, screen):
    page = visit("/schedule", expecting=[FAILED_ANSWER], **screen)
    page.locator(f"#act-{site.upcoming[0]} a").click()
    expect(page.locator("#registration form")).to_be_visible()
    fits(page)
    can_be_hit(page)

    send(page)
    expect(page.locator(".summary")).to_be_visible()
    fits(page)
    fill_in(page, f"screen-{page.viewport_size['width']}@{'long-name.' * 5}example.org")
    send(page)

    is_confirmed(page)
    fits(page)


def test_the_console_fits_and_its_stacked_tables_are_still_tables(corin, site, screen):
    corin.set_viewport_size(screen["viewport"])
    for path in console_pages.paths(site):
        corin.goto(path)

        fits(corin)
        assert corin.evaluate(UNLABELED) == []


def test_a_name_without_a_space_wraps_also_in_large_text(visit, own_site):
    site = own_site(*LONG_TEXTS)
    page = sign_in(visit("/coordinator/sign-in", at=site, viewport={"width": 360, "height": 640}))
    session, past = site.upcoming[0], site.past[0]
    below = (
        session,
        f"{session}/rooms",
        f"{session}/access",
        f"{session}/edit",
        f"{past}/attendance",
    )
    others = ("", "people", "settings/coordinators", "account")
    for path in (*others, *(f"sessions/{path}" for path in below)):
        page.goto(f"/coordinator/{path}")
        page.locator("header summary").click()
        fits(page)

        page.evaluate("document.documentElement.style.fontSize = '200%'")

        fits(page)
