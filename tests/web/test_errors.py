"""Error pages name whoever can help, and nobody who cannot."""

import pytest
from flask import abort

from tests.client import (
    DECEMBER,
    HTMX,
    SAME_ORIGIN,
    form_values,
    main_text,
    text_of,
    update_community,
)
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


def test_an_error_page_of_the_console_has_its_menu_for_those_signed_in(corin):
    page = corin.page("/coordinator/nothing", status=404)

    assert "Statistics" in text_of(page.header.nav)
    assert text_of(page.main.select_one("a.button")) == "Go to all sessions"


def test_a_form_sent_after_signing_out_asks_to_sign_in(client):
    page = parse(client.post("/coordinator/settings/about", headers=SAME_ORIGIN))

    assert text_of(page.h1) == "Sign in to continue"
    assert text_of(page.main.select_one("a.button")) == "Sign in"
    assert "Statistics" not in text_of(page.header)


def test_nobody_who_is_signed_in_is_told_to_sign_in(corin, app):
    app.view_functions["console.numbers"] = lambda: abort(403)

    page = parse(corin.get("/coordinator/numbers"))

    assert text_of(page.h1) == "You don't have permission to see this"
    assert "ign in" not in main_text(page)


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
