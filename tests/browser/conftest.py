"""A browser in front of a running site; each visit is checked for errors."""

import shutil
from contextlib import ExitStack

import pytest
from playwright.sync_api import sync_playwright

from tests.browser import serving
from tests.browser.visits import Visit, sign_in
from tests.databases import IS_REQUIRED

ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking",
             "--disable-component-update", "--disable-sync", "--no-first-run"]  # fmt: skip
ROOM_FOR_ALL = "UPDATE meeting SET capacity = 400 WHERE capacity = 32"


def pytest_itemcollected(item):
    if item.nodeid.startswith("tests/browser/"):
        item.add_marker("browser")


@pytest.fixture(scope="session")
def chromium_path():
    path = shutil.which("/usr/bin/chromium") or shutil.which("chromium")
    if path is None:
        stop = pytest.fail if IS_REQUIRED else pytest.skip
        stop('There is no Chromium. Install it with "apt-get install chromium".')
    return path


# Playwright keeps an event loop in this thread, so it ends with this folder, not with the run.
@pytest.fixture(scope="package")
def browser(chromium_path):
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium_path, args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def demo(tmp_path_factory):
    """An instance with the demonstration data and Corin, to be copied."""
    return serving.demo(tmp_path_factory.mktemp("demo") / "instance")


@pytest.fixture(scope="package")
def site(chromium_path, demo, tmp_path_factory):
    """The site that most tests share; who writes there uses an address of their own."""
    with serving.site(demo, tmp_path_factory.mktemp("site") / "instance", [ROOM_FOR_ALL]) as site:
        yield site


@pytest.fixture
def own_site(chromium_path, demo, tmp_path):
    """Start a site that no other test writes to, after some statements on its database."""
    with ExitStack() as running:
        yield lambda *statements: running.enter_context(
            serving.site(demo, tmp_path / "instance", statements)
        )


@pytest.fixture
def visit(browser, request):
    """Open an address of a site, as a new visitor; in the end, check what the browser noticed."""
    with ExitStack() as leaving:

        def open_(path, *, at=None, **options):
            visited = Visit(browser, at or request.getfixturevalue("site"), **options)
            leaving.callback(visited.end)
            visited.page.goto(path)
            return visited.page

        yield open_


@pytest.fixture
def corin(visit):
    """Corin's page, signed in, at the console's front."""
    return sign_in(visit("/coordinator/sign-in"))
