"""Error pages name whoever can help, and nobody who cannot."""

import pytest

from tests.client import DECEMBER, HTMX, SAME_ORIGIN, form_values, main_text, update_community
from tests.page import parse
from tests.web.test_faults import gone, read_only

CONTACT = "contact@example.org"
TOO_LARGE = {"name": "x" * 3_000_000}
ERRORS = [
    ("GET", "/nothing", {}, 404),
    ("PUT", "/schedule", {}, 405),
    ("POST", "/register", {"data": TOO_LARGE, "headers": SAME_ORIGIN}, 413),
    ("POST", "/register", {"headers": {"Sec-Fetch-Site": "cross-site"}}, 403),
    ("POST", "/register", {"headers": {"Sec-Fetch-Site": "cross-site"} | HTMX}, 403),
]


def errors(client):
    for method, path, options, status in ERRORS:
        answer = client.open(path, method=method, **options)
        assert answer.status_code == status, path
        yield parse(answer)


def test_visitors_are_told_whom_to_contact_if_there_is_an_address(client):
    unhelped = list(errors(client))
    update_community(contact_email=CONTACT)

    helped = list(errors(client))

    assert not [page for page in unhelped if "ontact" in page.get_text()]
    assert all(page.select_one(f"a[href='mailto:{CONTACT}']") for page in helped)
    assert all("Need help? Contact Sarah" in page.get_text() for page in helped)


def test_no_page_says_to_ask_anyone_without_an_address(client):
    name = "Sarah Eisele-Dyrli"
    pages = ["/your-data", "/accessibility"]
    before = [name in main_text(client.page(path)) for path in pages]
    update_community(contact_email=CONTACT)

    after = [name in main_text(client.page(path)) for path in pages]

    assert (before, after) == ([False] * 2, [True] * 2)


def test_coordinators_are_pointed_to_their_team(corin):
    update_community(contact_email=CONTACT)

    page = corin.page("/coordinator/nothing", status=404)

    assert page.main.find("a", string="Ask someone on your team", href=True)
    assert not page.main.select("a[href^=mailto]")


@pytest.mark.both
def test_an_outage_names_its_entry_in_the_log(client, database_url, caplog):
    with gone(database_url):
        page = parse(client.get(f"/schedule/{DECEMBER}"))

    [fault] = [line for line in caplog.records if line.message == "fault"]
    assert f"see {fault.request_id} in the server's log" in main_text(page)


@pytest.mark.both
def test_a_coordinator_is_told_to_tell_whoever_runs_the_site(corin, database_url):
    values = form_values(corin.page("/coordinator/settings/community").main)

    with read_only(database_url):
        answer = corin.post("/coordinator/settings/community", data=values, headers=SAME_ORIGIN)

    assert answer.status_code == 503
    assert "tell whoever runs this site" in main_text(parse(answer))
