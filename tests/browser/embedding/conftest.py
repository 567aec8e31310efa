"""Two sites over HTTPS, and a browser that keeps no cookies for one inside the other."""

import json
from contextlib import ExitStack

import pytest

from tests.browser import serving
from tests.browser.conftest import ARGUMENTS, ROOM_FOR_ALL
from tests.browser.embedding.front import BUILDER, BUILDER_FRAMES, COP, HOST, LEAVING, front
from tests.browser.embedding.guests import GuestVisit

LISTED = [HOST, LEAVING, BUILDER, BUILDER_FRAMES]
LIST_HOSTS = f"UPDATE community SET embed_hosts = '{json.dumps(LISTED)}'"


@pytest.fixture(scope="package")
def web():
    with front() as front_:
        yield front_


# Pages of a new context are off the record: Chromium keeps no cookies there for framed sites.
# The control in test_the_rig.py proves it.
@pytest.fixture(scope="package")
def browser(browser, chromium_path, web):
    """A second browser, which finds the sites of these tests and nothing else."""
    second = browser.browser_type.launch(
        executable_path=chromium_path, args=[*ARGUMENTS, *web.arguments]
    )
    yield second
    second.close()


@pytest.fixture(scope="package")
def site(demo, web, tmp_path_factory):
    """The site that is framed; who registers there uses an address of their own."""
    instance = tmp_path_factory.mktemp("framed") / "instance"
    statements = [LIST_HOSTS, ROOM_FOR_ALL]
    with serving.site(demo, instance, statements, address=COP) as site:
        web.sites[COP] = site.port
        yield site


@pytest.fixture
def guest(browser, site):
    """Open a page of a host, as somebody new; in the end, check what the browser noticed."""
    with ExitStack() as leaving:

        def open_(url, **options):
            visited = GuestVisit(browser, site, **options)
            leaving.callback(visited.end)
            visited.page.goto(url)
            return visited.page

        yield open_


@pytest.fixture
def exchanges(web):
    """The requests and responses from here on."""
    web.exchanges.clear()
    return web.exchanges
