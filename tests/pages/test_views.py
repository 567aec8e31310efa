"""The public pages."""

from cop.db.engine import write_tx
from cop.operations import seed
from tests.builders import NOW


def test_a_page_is_sound_without_and_with_sessions_that_took_place(app, client):
    pages = ["/", "/schedule", "/register", "/your-data", "/schedule/2026-12-15"]

    assert all(client.page(path).h1 for path in pages)

    with write_tx() as db_session:
        seed.add_demo(db_session, now=NOW)
    assert all(client.page(path).h1 for path in pages)
