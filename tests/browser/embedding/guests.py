"""Visitors of other people's pages, and of what is framed there."""

from playwright.sync_api import expect

from tests.browser.embedding.front import ALL, COP
from tests.browser.visits import Visit, send_button

# htmx moves the focus where Chromium does not let autofocus do it.
NO_AUTOFOCUS = "Blocked autofocusing"
EMBED = f"iframe[src^='{COP}/']"

# Runs first in every frame: messages between frames, layout shifts, stored values.
WATCH = """(() => {
  const now = () => performance.timeOrigin + performance.now();
  window.heard = [];
  addEventListener("message", ({data, origin}) => heard.push({...data, origin, at: now()}), true);
  window.shifts = [];
  new PerformanceObserver((list) => {
    for (const {startTime, value, hadRecentInput} of list.getEntries())
      if (!hadRecentInput) shifts.push({value, at: performance.timeOrigin + startTime});
  }).observe({type: "layout-shift", buffered: true});
  window.stored = [];
  for (const [owner, method] of [["Storage", "setItem"], ["IDBFactory", "open"], ["CacheStorage", "open"]]) {
    const {prototype} = window[owner] ?? {prototype: {}}, original = prototype[method];
    prototype[method] = function (...values) { stored.push(method); return original.apply(this, values); };
  }
})()"""


class GuestVisit(Visit):
    """One page of a host, visited by somebody new."""

    def __init__(self, browser, site, *, expecting=(), **options):
        super().__init__(
            browser,
            site,
            expecting=(NO_AUTOFOCUS, *expecting),
            leads_to=(*(f"{address}/" for address in ALL), "about:", "data:"),
            **options,
        )
        self.context.add_init_script(WATCH)

    def _check_storage(self):
        """Allow storage, since other sites have cookies; test_traces.py checks this site's."""


def framed(page, which=EMBED):
    """The frame on a page, or in a frame of it."""
    place = page.locator(which)
    place.wait_for(state="attached")
    return place.element_handle().content_frame()


def settled(page, which=EMBED):
    """The frame on a page, scrolled into view, once it is as high as what it shows."""
    frame = framed(page, which)
    page.locator(which).evaluate("(one) => one.scrollIntoView()")
    fits(frame)
    return frame


def click(locator):
    """Click what is in a frame."""
    point_at(locator)
    locator.click()


def point_at(locator):
    """Put the mouse over what is in a frame, and wait until it is there for the frame, too.

    Frames of other sites are drawn by other processes: until they have caught up with the last
    scroll, Chromium may give a click to whatever was there before, and a turn of the wheel, too.
    """
    locator.evaluate("(one) => one.scrollIntoView({block: 'center'})")
    for _ in range(50):
        locator.hover()
        if locator.evaluate("(one) => one.matches(':hover')"):
            return
        locator.page.wait_for_timeout(20)
    raise AssertionError(f"the mouse does not reach {locator}")


def send(frame):
    """Send the registration form."""
    click(send_button(frame))


def opened(frame, slug):
    """Open the form of a session in place; return the frame."""
    click(frame.locator(f"#act-{slug} a"))
    expect(frame.locator("#registration form")).to_be_visible()
    return frame


def fits(frame):
    """Wait until the frame is as high as what it shows: nothing to scroll, and nothing to spare."""
    frame.wait_for_function(
        "() => document.documentElement.scrollHeight <= innerHeight"
        " && innerHeight - document.body.firstElementChild.getBoundingClientRect().height < 48"
    )


def height(page, which=EMBED):
    """The height of a frame on its host's page."""
    return page.locator(which).bounding_box()["height"]


def is_inside_the_view(page, locator, *, below=0):
    """Wait until all of it can be seen in the window, under what the host keeps at the top."""
    expect(locator).to_be_in_viewport(ratio=1)
    box = locator.bounding_box()
    assert box["y"] >= below, f"{box} is covered by the first {below} pixels"
    assert box["y"] + box["height"] <= page.viewport_size["height"], box


def height_messages(page):
    """The messages about heights that a host's page has heard."""
    return [message for message in page.evaluate("heard") if message.get("type") == "height"]
