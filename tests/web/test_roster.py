"""The roster of a session on the screen."""

from cop.models import Viewing
from tests.web.reading import DECEMBER, fill, rows


def test_a_roster_shows_its_people_and_that_it_was_seen_is_written_down(corin):
    fill(DECEMBER, "ada@example.org", organization="Example Org", access=["asl"], hats=["analyst"])
    fill(DECEMBER, "grace@example.org", status="waiting", hats_other="gardener")
    fill("2027-01-19", "katherine@example.org")

    text = corin.page(f"/coordinator/sessions/{DECEMBER}").main.get_text(" ", strip=True)

    (seen,) = rows(Viewing)
    assert text.index("ada@example.org") < text.index("grace@example.org")
    assert "Example Org" in text
    assert "gardener" in text
    assert "katherine" not in text.lower()
    assert "ASL" not in text
    assert (seen["what"], seen["columns"]) == ("roster", [])


def test_a_roster_of_no_session_does_not_exist(corin):
    corin.page("/coordinator/sessions/1999-01-01", status=404)

    assert rows(Viewing) == []
