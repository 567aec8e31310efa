"""Forms that are sent twice, or do not arrive: nothing is doubled, and nothing typed is lost."""

import pytest
from playwright.sync_api import expect

from tests.browser.visits import FAILED_ANSWER, fill_in, has_focus, is_confirmed, send, send_button

FAILED_SEND = (FAILED_ANSWER, "Failed to fetch", "htmx:error")


@pytest.fixture
def typed(visit, site):
    """The page of somebody who is about to send the form that opened on the schedule."""

    def typed(email):
        page = visit("/schedule", expecting=FAILED_SEND)
        page.locator(f"#act-{site.upcoming[2]} a").click()
        fill_in(page, email)
        return page

    return typed


def is_all_still_there(page, email):
    expect(page.get_by_label("Name", exact=True)).to_have_value("Ada Example")
    expect(page.get_by_label("Email", exact=True)).to_have_value(email)


def test_two_quick_clicks_send_one_registration(typed, site):
    page = typed("twice@ada.example.org")
    posts = []
    page.on("request", lambda request: request.method == "POST" and posts.append(request.url))

    send_button(page).dblclick()

    is_confirmed(page)
    assert len([url for url in posts if "/register?" in url]) == 1
    assert site.registrations("twice@ada.example.org") == [(site.upcoming[2], "held")]


def test_the_button_is_disabled_and_says_so_while_the_form_is_sent(typed):
    page = typed("rests@ada.example.org")
    held = []
    page.route("**/register?*", lambda route: held.append(route))  # noqa: PLW0108 - no builtin may be a handler

    send(page)

    expect(send_button(page)).to_be_disabled()
    expect(send_button(page)).to_have_text("Sending…")
    expect(send_button(page)).to_have_attribute("aria-busy", "true")
    held[0].continue_()
    is_confirmed(page)


def test_a_form_sent_offline_keeps_what_was_typed_and_is_sent_once_online(typed, site):
    page = typed("offline@ada.example.org")
    page.context.set_offline(True)

    send(page)

    has_focus(page.locator("#problem .summary"))
    expect(page.locator("#problem")).to_contain_text("We couldn't reach the site")
    is_all_still_there(page, "offline@ada.example.org")
    assert site.registrations("offline@ada.example.org") == []
    page.context.set_offline(False)
    send(page)
    is_confirmed(page)
    expect(page.locator("#problem")).to_be_empty()
    assert site.registrations("offline@ada.example.org") == [(site.upcoming[2], "held")]


def test_a_fault_of_the_site_keeps_what_was_typed_and_is_shown(typed, site):
    email = "fault@ada.example.org"
    page = typed(email)
    page.route("**/register?*", lambda route: route.fulfill(status=500, body="<h1>Fault</h1>"))

    send(page)

    has_focus(page.locator("#problem .summary"))
    is_all_still_there(page, email)
    page.unroute("**/register?*")
    send(page)
    is_confirmed(page)
    assert site.registrations(email) == [(site.upcoming[2], "held")]


def test_a_form_whose_answer_was_lost_is_not_a_second_registration_when_sent_again(typed, site):
    page = typed("lost@ada.example.org")

    def lose_the_answer(route):
        route.fetch()
        route.abort()

    page.route("**/register?*", lose_the_answer, times=1)

    send(page)
    has_focus(page.locator("#problem .summary"))
    send(page)

    is_confirmed(page)
    assert site.registrations("lost@ada.example.org") == [(site.upcoming[2], "held")]


def test_a_button_pressed_offline_shows_that_the_form_did_not_come(visit, site):
    page = visit("/schedule", expecting=FAILED_SEND)
    page.context.set_offline(True)

    page.locator(f"#act-{site.upcoming[0]} a").click()

    has_focus(page.locator("#problem .summary"))
    expect(page).to_have_url(f"{site.address}/schedule")
