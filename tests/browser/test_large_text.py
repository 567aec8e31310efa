"""Twice the text size, as set in the browser, on a phone: nothing scrolls sideways or is cut off."""

import pytest

from tests.browser import console_pages, public_pages
from tests.browser.conftest import ARGUMENTS
from tests.browser.mailbox import link_in, mail_to
from tests.browser.visits import FAILED_ANSWER, fill_in, is_confirmed, send

PHONE = {"viewport": {"width": 360, "height": 740}}
# Text that does not fit into the page, into a box that hides what is outside, or into a line that
# is shorter than one word. Addresses may break anywhere.
SPOILED = r"""() => {
  const room = document.documentElement.clientWidth, spoiled = [];
  if (document.documentElement.scrollWidth > room) spoiled.push(`${document.documentElement.scrollWidth} wide`);
  const isShown = (one) => one.checkVisibility()
    && !one.closest(".honeypot:not(.is-shown), .unseen, .table thead, .skip, template, script, title");
  for (const one of [...document.querySelectorAll("body *")].filter(isShown)) {
    const { left, right } = one.getBoundingClientRect();
    const isCut = getComputedStyle(one).overflowX === "hidden" && one.scrollWidth > one.clientWidth + 1;
    if (isCut || left < -0.5 || right > room + 0.5) spoiled.push(one.outerHTML.slice(0, 80));
  }
  const range = document.createRange();
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let text; (text = texts.nextNode());) {
    if (!isShown(text.parentElement)) continue;
    for (const { 0: word, index } of text.data.matchAll(/[^\s\u2013-]+/g)) {
      range.setStart(text, index);
      range.setEnd(text, index + word.length);
      const lines = [...range.getClientRects()].filter((box) => box.width).map((box) => Math.round(box.top));
      if (new Set(lines).size > 1 && !/[.@:/?]./.test(word)) spoiled.push(`the word ${word}`);
    }
  }
  return spoiled;
}"""


@pytest.fixture(scope="module")
def browser(browser, chromium_path):
    """A second browser, where text is 32 pixels high by default, not 16."""
    settings = "--blink-settings=defaultFontSize=32,defaultFixedFontSize=26"
    second = browser.browser_type.launch(executable_path=chromium_path, args=[*ARGUMENTS, settings])
    yield second
    second.close()


def spoiled(page):
    """What twice the text size spoils on the page."""
    assert page.evaluate("getComputedStyle(document.documentElement).fontSize") == "32px"
    return page.evaluate(SPOILED)


def spoiled_pages(page, paths):
    """What it spoils on each of these pages, by path."""
    found = {}
    for path in paths:
        page.goto(path)
        found[path] = spoiled(page)
    return {path: faults for path, faults in found.items() if faults}


def test_no_public_page_scrolls_sideways_or_breaks_a_word(visit, site):
    page = visit("/", expecting=[FAILED_ANSWER], **PHONE)

    assert spoiled_pages(page, public_pages.paths(site)) == {}


def test_a_registration_in_place_fits_at_each_step(visit, site):
    page = visit("/schedule", expecting=[FAILED_ANSWER], **PHONE)
    page.locator(f"#act-{site.upcoming[0]} a").click()

    send(page)
    page.locator(".summary").wait_for()
    assert spoiled(page) == []
    fill_in(page, "large@text.example.org")
    send(page)

    is_confirmed(page)
    assert spoiled(page) == []


def test_no_page_of_the_console_scrolls_sideways_or_breaks_a_word(corin, site):
    corin.set_viewport_size(PHONE["viewport"])

    assert spoiled_pages(corin, console_pages.paths(site)) == {}


def test_a_members_pages_fit(visit, site):
    page = visit(f"/register?session={site.upcoming[0]}", expecting=[FAILED_ANSWER], **PHONE)
    fill_in(page, "an.address.of.some.length@large.text.example.org")
    send(page)
    is_confirmed(page)
    email = mail_to(site, "an.address.of.some.length@large.text.example.org")
    own, session = link_in(email, "/r/"), f"/sessions/{site.upcoming[0]}"

    below = ("", "/erase", "/links", "/calendar", session, f"{session}/cancel")
    assert spoiled_pages(page, [f"{own}{path}" for path in below]) == {}
    assert spoiled_pages(page, [link_in(email, "/join/")]) == {}
