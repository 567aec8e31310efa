"""Visitors of other people's pages, and of what is framed there."""

from playwright.sync_api import expect

from tests.browser.embedding.front import ALL, COP
from tests.browser.visits import Visit, send_button

# htmx moves the focus where Chromium does not let autofocus do it.
NO_AUTOFOCUS = "Blocked autofocusing"
EMBED = f"iframe[src^='{COP}/']"

# Runs first in every frame: what is told between frames, what moves by itself, what is kept.
WATCH = """(() => {
  const now = () => performance.timeOrigin + performance.now();
  window.heard = [];
  addEventListener("message", ({data, origin}) => heard.push({...data, origin, at: now()}), true);
  window.shifts = [];
  new PerformanceObserver((list) => {
    for (const {startTime, value, hadRecentInput} of list.getEntries())
      if (!hadRecentInput) shifts.push({value, at: performance.timeOrigin + startTime});
  }).observe({type: "layout-shift", buffered: true});
  window.kept = [];
  for (const [owner, act] of [["Storage", "setItem"], ["IDBFactory", "open"], ["CacheStorage", "open"]]) {
    const {prototype} = window[owner] ?? {prototype: {}}, done = prototype[act];
    prototype[act] = function (...values) { kept.push(act); return done.apply(this, values); };
  }
})()"""


class GuestVisit(Visit):
    """One page of a host, visited by somebody new."""

    def __init__(self, browser, site, *, expecting=(), **options):
        super().__init__(browser, site, expecting=(NO_AUTOFOCUS, *expecting), **options)
        self.context.add_init_script(WATCH)

    def _check(self):
        unexpected = [
            said for said in self.noticed if not any(words in said for words in self.expecting)
        ]
        assert not unexpected, f"the browser noticed {unexpected}"
        known = tuple(f"{address}/" for address in ALL)
        foreign = [url for url in self.requested if not url.startswith((*known, "about:", "data:"))]
        assert not foreign, f"nothing is asked of another host: {foreign}"


def framed(page, which=EMBED):
    """The frame that stands on a page, or in a frame of it."""
    place = page.locator(which)
    place.wait_for(state="attached")
    return place.element_handle().content_frame()


def settled(page, which=EMBED):
    """The frame that stands on a page, in view, once it is as high as what it shows."""
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
    """How high a frame stands on its host's page."""
    return page.locator(which).bounding_box()["height"]


def is_inside_the_view(page, locator, *, below=0):
    """Wait until all of it can be seen in the window, under what the host keeps at the top."""
    expect(locator).to_be_in_viewport(ratio=1)
    box = locator.bounding_box()
    assert box["y"] >= below, f"{box} is covered by the first {below} pixels"
    assert box["y"] + box["height"] <= page.viewport_size["height"], box


def heights_told(page):
    """The messages about heights that a host's page has heard."""
    return [said for said in page.evaluate("heard") if said.get("type") == "height"]
