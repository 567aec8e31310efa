"""WebKit, driven by the WebDriver protocol (https://www.w3.org/TR/webdriver2/).

Playwright drives only a WebKit of its own, which no distribution packages; Debian's has a driver.
"""

import json
import os
import subprocess
from contextlib import ExitStack, contextmanager
from urllib.error import HTTPError
from urllib.request import Request, urlopen

from tests.processes.server import free_port, wait_until

PATIENCE = 10  # seconds
STARTING = 60  # seconds that a start may take, which is the slowest command
# A window has the focus while the pointer is in it. Nobody moves the screen's own pointer from the
# middle, so that has to be inside of a phone's window; what is outside of the screen is drawn, too.
SCREEN = "640x640x24"
ELEMENT = "element-6066-11e4-a52e-4f735466cecf"  # the protocol's name for a reference

SCROLL_TO_MIDDLE = """arguments[0].scrollIntoView({block: "center", behavior: "instant"});
  const {top, bottom} = arguments[0].getBoundingClientRect();
  return (top + bottom) / 2;"""
SCROLL_FRAME_TO_MIDDLE = """const [frame, middle] = arguments;
  const top = frame.getBoundingClientRect().top + middle - innerHeight / 2;
  scrollBy({top, behavior: "instant"});"""


@contextmanager
def browser(*, java_script=True):
    """Run WebKit on a virtual screen until the block ends; give its page."""
    with ExitStack() as running:
        ready, write = os.pipe()
        screen = ["Xvfb", "-displayfd", str(write), "-screen", "0", SCREEN, "-nolisten", "tcp"]
        running.enter_context(_process(screen, pass_fds=[write]))
        os.close(write)
        with os.fdopen(ready) as display:
            environment = os.environ | {"DISPLAY": f":{display.readline().strip()}"}
        port = free_port()
        driver = f"http://127.0.0.1:{port}"
        running.enter_context(_process(["WebKitWebDriver", f"--port={port}"], env=environment))
        wait_until(lambda: _answers(driver))
        # Full screen, since the browser's own toolbar would keep the window wider than a phone.
        arguments = [
            "--automation",
            "--full-screen",
            f"--enable-javascript={str(java_script).lower()}",
        ]
        wanted = {
            "webkitgtk:browserOptions": {"args": arguments},
            "timeouts": {"implicit": PATIENCE * 1000},
        }
        session = _call("POST", f"{driver}/session", {"capabilities": {"alwaysMatch": wanted}})
        page = Page(f"{driver}/session/{session['sessionId']}")
        running.callback(page.call, "DELETE")
        yield page


class Page:
    """The page that a browser shows, or the frame of it that was entered."""

    def __init__(self, session):
        self.session = session
        self.frame = None  # a reference to the frame that was entered

    def call(self, method, path="", values=None):
        """Send a command of the protocol, and return its value."""
        return _call(method, f"{self.session}{path}", values)

    def open(self, url, *, width, height):
        """Open an address in a window of this size, as if nothing had been open before."""
        self.call("POST", "/window/rect", {"width": width, "height": height})
        for address in ("about:blank", url):
            self.call("POST", "/url", {"url": address})

    def run(self, script, *values):
        """Run the body of a function in the page, also where its own scripts are off."""
        return self.call("POST", "/execute/sync", {"script": script, "args": list(values)})

    def find(self, xpath):
        """Wait for an element, and return a reference to it."""
        return self.call("POST", "/element", {"using": "xpath", "value": xpath})

    def click(self, xpath):
        with self.pressed(xpath):
            pass

    @contextmanager
    def pressed(self, xpath):
        """Scroll to an element, and press the mouse button there until the block ends."""
        element = self.find(xpath)
        middle = self.run(SCROLL_TO_MIDDLE, element)
        # Neither the driver nor a frame of another site scrolls the page around the frame.
        if self.frame:
            self.call("POST", "/frame/parent")
            self.run(SCROLL_FRAME_TO_MIDDLE, self.frame, middle)
            self.call("POST", "/frame", {"id": self.frame})
        self._use_mouse(
            {"type": "pointerMove", "origin": element, "x": 0, "y": 0},
            {"type": "pointerDown", "button": 0},
        )
        try:
            yield
        finally:
            self._use_mouse({"type": "pointerUp", "button": 0})

    def type_into(self, xpath, text):
        element = f"/element/{self.find(xpath)[ELEMENT]}"
        self.call("POST", f"{element}/clear")
        self.call("POST", f"{element}/value", {"text": text})

    @contextmanager
    def inside(self, xpath):
        """Enter a frame, until the block ends."""
        self.frame = self.find(xpath)
        self.call("POST", "/frame", {"id": self.frame})
        try:
            yield
        finally:
            self.frame = None
            self.call("POST", "/frame/parent")

    def _use_mouse(self, *actions):
        mouse = {"type": "pointer", "id": "mouse", "actions": actions}
        self.call("POST", "/actions", {"actions": [mouse]})


@contextmanager
def _process(command, **options):
    process = subprocess.Popen(command, stderr=subprocess.DEVNULL, **options)
    try:
        yield
    finally:
        process.terminate()
        process.wait(PATIENCE)


def _answers(address):
    try:
        return _call("GET", f"{address}/status")["ready"]
    except OSError:
        return False


def _call(method, url, values=None):
    body = json.dumps(values or {}).encode() if method == "POST" else None
    request = Request(url, body, {"Content-Type": "application/json"}, method=method)  # noqa: S310 - our own
    try:
        with urlopen(request, timeout=STARTING) as response:  # noqa: S310 - our own
            return json.load(response)["value"]
    except HTTPError as error:
        raise RuntimeError(f"{method} {url}: {error.read().decode()}") from error
