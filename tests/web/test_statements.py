"""The number of SQL statements of a page, however much is stored."""

from datetime import timedelta

import pytest

from cop.db.engine import write_tx
from tests.builders import NOW, a_meeting, a_registration
from tests.client import (
    CONFIRMATION,
    DECEMBER,
    HTMX,
    SAME_ORIGIN,
    add_confirmation,
    form_token,
    update_meeting,
)
from tests.statements import Statements

pytestmark = pytest.mark.both

GET = [
    *("/", "/schedule", "/register", "/register?session=all", "/your-data", "/sitemap.xml"),
    *("/schedule/past", "/schedule/past?q=data", "/embed/schedule/past"),
    *("/schedule.ics", f"/schedule/{DECEMBER}.ics", "/schedule.json", "/calendar/unknown.ics"),
    *(f"/schedule/{DECEMBER}", CONFIRMATION, "/robots.txt", "/nothing"),
    *("/embed/", "/embed/schedule", "/embed/next", "/embed/register", "/embed/your-data"),
    *(f"/embed/schedule/{DECEMBER}", f"/embed{CONFIRMATION}"),
    *("/embed/nothing", "/embed.js"),
    *("/schedule/1999-01-01", "/healthz", "/readyz", "/favicon.ico", "/static/site.css"),
]


@pytest.fixture(autouse=True)
def _many_meetings(app):
    """Add twenty meetings, past and future, with a registration each."""
    with write_tx() as db_session:
        for number in range(20):
            starts_at = NOW + timedelta(days=2 * number - 20, hours=1)
            meeting = a_meeting(db_session, starts_at=starts_at, slug=f"1999-01-01-{number + 2}")
            a_registration(db_session, meeting, f"ada{number}@example.org")
    update_meeting(DECEMBER, capacity=300)
    add_confirmation()


def test_a_public_page_takes_at_most_three_statements_and_a_framed_confirmation_four(client):
    took = {}

    for path in GET:
        with Statements() as sent:
            client.get(path)
        took[path] = len(sent)

    assert took.pop(f"/embed{CONFIRMATION}") <= 4
    assert max(took.values()) <= 3, took
    assert took["/schedule"] >= 1


@pytest.mark.parametrize(
    ("path", "most"), [("/register", 12), ("/embed/register", 13)], ids=["site", "frame"]
)
@pytest.mark.parametrize("headers", [{}, HTMX], ids=["page", "fragment"])
def test_a_registration_takes_at_most_twelve_statements_and_one_more_in_a_frame(
    client, headers, path, most
):
    answers = {"name": "Ada Example", "email": "ada@example.org", "sessions": DECEMBER}
    answers |= {"token": form_token(client)}

    with Statements() as sent:
        response = client.post(path, data=answers, headers=SAME_ORIGIN | headers)

    assert response.status_code in {200, 303}
    assert len(sent) <= most, sent
