"""WebKit in front of the site, and of another site that embeds it."""

import json
import shutil
from contextlib import ExitStack
from functools import partial

import pytest

from tests.browser import serving
from tests.browser.conftest import ROOM_FOR_ALL
from tests.browser.webkit import webdriver
from tests.browser.webkit.host import host
from tests.databases import IS_REQUIRED


@pytest.fixture(scope="package")
def webkit():
    if not (shutil.which("WebKitWebDriver") and shutil.which("Xvfb")):
        stop = pytest.fail if IS_REQUIRED else pytest.skip
        stop('There is no WebKit. Install it with "apt-get install webkit2gtk-driver xvfb".')


@pytest.fixture(scope="package")
def browser(webkit):
    with webdriver.browser() as page:
        yield page


@pytest.fixture(scope="package")
def browser_without_scripts(webkit):
    with webdriver.browser(java_script=False) as page:
        yield page


@pytest.fixture(scope="package")
def embedding_site():
    with host() as server:
        yield server


@pytest.fixture(scope="package")
def site(webkit, demo, embedding_site, tmp_path_factory):
    """The site; who registers there uses an address of their own."""
    embed_hosts = json.dumps([embedding_site.origin])
    statements = [ROOM_FOR_ALL, f"UPDATE community SET embed_hosts = '{embed_hosts}'"]
    instance = tmp_path_factory.mktemp("webkit") / "instance"
    with serving.site(demo, instance, statements) as site:
        embedding_site.cop = site.address
        yield site


@pytest.fixture
def own_site(webkit, demo, tmp_path):
    """A site that no other test uses, and a function that stops it."""
    with ExitStack() as running:
        site = running.enter_context(serving.site(demo, tmp_path / "instance"))
        yield site, running.close


@pytest.fixture
def visit(browser, site):
    """Open an address, in a window as small as a phone's unless a size is given."""
    return partial(_open, browser, site.address)


@pytest.fixture
def visit_without_scripts(browser_without_scripts, site):
    return partial(_open, browser_without_scripts, site.address)


def _open(page, address, path, *, at=None, width=360, height=667):
    page.open((at or address) + path, width=width, height=height)
    return page


@pytest.fixture(params=[(360, 667), (1280, 720)], ids=["phone", "desktop"])
def window(request):
    width, height = request.param
    return {"width": width, "height": height}
