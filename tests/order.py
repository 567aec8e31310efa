"""What goes first where the files of tests are shared out to several processes."""

import os

# The promises are one long file, so begun late they would run on alone at the end. Then what has no
# browser: while servers are killed beside them, pages would be slow.
LONGEST, BROWSER, SHORTEST = "tests/processes/", "tests/browser/", "tests/web/"


def pytest_collection_modifyitems(items):
    if "PYTEST_XDIST_WORKER" in os.environ:
        items.sort(key=_turn)  # within its turn, each stays where it was


def _turn(item):
    return (
        not item.nodeid.startswith(LONGEST),
        item.nodeid.startswith((BROWSER, SHORTEST)),
        item.nodeid.startswith(SHORTEST),
    )
