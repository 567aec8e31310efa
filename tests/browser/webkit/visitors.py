"""What visitors do in WebKit, and where they find themselves afterwards."""

import time
from contextlib import nullcontext

from tests.browser.webkit.webdriver import PATIENCE

FRAME = "//iframe"
SEND = "//*[@id='registration']//button[starts-with(normalize-space(), 'Register')]"
STEADY = 0.2  # seconds in which nothing may move

# The name of an element, and its upper and lower edge in its own page.
PLACE = """const one = {} ?? document.createElement("i"), {{top, bottom}} = one.getBoundingClientRect();
  const name = document.getElementById(one.getAttribute("aria-labelledby")) ?? one.labels?.[0] ?? one;
  return [name.textContent.trim(), top, bottom];"""
FOCUS = PLACE.format("document.querySelector(':focus')")
HEADING = PLACE.format("""[...document.querySelectorAll("h1, h2")]
  .find((heading) => heading.textContent.trim().startsWith(arguments[0]))""")
TOP_OF_FRAME = """const frame = document.querySelector("iframe");
  return frame.getBoundingClientRect().top + frame.clientTop;"""


def open_form(page, slug):
    """Press the button of a session on the schedule."""
    page.click(f"//*[@id='act-{slug}']//a")


def fill_in(page, email):
    """Answer the two questions that need an answer."""
    for label, text in {"Name": "Ada Example", "Email": email}.items():
        page.type_into(f"//input[@id=//label[normalize-space()='{label}']/@for]", text)


def send(page):
    """Send the registration form."""
    page.click(SEND)


def has_focus(page, name, **where):
    """Wait until something whose name begins so has the focus; it must be inside the window."""
    _is_in_view(page, FOCUS, name, **where)


def shows_heading(page, text, **where):
    """Wait for a heading that begins so; it must be inside the window."""
    _is_in_view(page, HEADING, text, **where)


def _is_in_view(page, script, name, *, frame=None, below=0):
    def place():
        top_of_frame = page.run(TOP_OF_FRAME) if frame else 0
        with page.inside(frame) if frame else nullcontext():
            found, top, bottom = page.run(script, name)
        return found, top_of_frame + top, top_of_frame + bottom

    found, top, bottom = settled(place, is_awaited=lambda place: place[0].startswith(name))
    assert found.startswith(name), f"{found[:80]!r} instead of {name!r}"
    assert top >= below, f"the upper edge of {name!r} is at {top}"
    assert bottom <= page.run("return innerHeight"), f"the lower edge of {name!r} is at {bottom}"


def settled(measure, *, is_awaited=lambda _: True):
    """Wait until a measurement is the awaited one and does not change; return the last one."""
    until = time.monotonic() + PATIENCE
    before, now = None, measure()
    while (now != before or not is_awaited(now)) and time.monotonic() < until:
        time.sleep(STEADY)
        before, now = now, measure()
    return now
