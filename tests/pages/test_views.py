"""The public pages."""

import pytest

from cop.db.engine import write_tx
from cop.operations import seed
from tests.builders import NOW


@pytest.fixture
def demo(app):
    with write_tx() as db_session:
        seed.add_demo(db_session, now=NOW)


@pytest.mark.parametrize(
    "path", ["/", "/schedule", "/register", "/your-data", "/schedule/2026-12-15"]
)
def test_a_page_is_sound_with_and_without_life_in_it(client, path, request):
    assert client.page(path).h1

    request.getfixturevalue("demo")

    assert client.page(path).h1
