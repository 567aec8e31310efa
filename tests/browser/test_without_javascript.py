"""Registering in a browser that runs no scripts: the whole way, by pages."""

import re

import pytest
from playwright.sync_api import expect

from tests.browser.visits import FAILED_ANSWER, fill_in, has_focus, send, send_button


@pytest.fixture
def plainly(visit):
    """Visit without JavaScript."""
    return lambda path: visit(path, java_script_enabled=False, expecting=[FAILED_ANSWER])


def test_a_registration_leads_from_the_schedule_to_its_confirmation(plainly, site):
    page = plainly("/schedule")
    page.locator(f"#act-{site.upcoming[0]} a").click()
    expect(page.get_by_role("heading", level=1)).to_have_text(re.compile("^Register for"))

    fill_in(page, "plain@ada.example.org")
    send(page)

    expect(page).to_have_url(re.compile(r"/registered\?form=\w+$"))
    expect(page.get_by_role("heading", level=1)).to_have_text("You're registered")
    assert "example" not in page.url
    assert site.registrations("plain@ada.example.org") == [(site.upcoming[0], "held")]


def test_a_refused_page_keeps_every_answer_and_is_accepted_once_corrected(plainly, site):
    page = plainly("/register")
    page.locator(f"input[value='{site.upcoming[2]}']").check()
    fill_in(page, "nowhere", name="Ada Example")

    with page.expect_response("**/register") as answer:
        send(page)

    assert answer.value.status == 422
    expect(page).to_have_title(re.compile("^Error: Register"))
    expect(page.locator(f"input[value='{site.upcoming[2]}']")).to_be_checked()
    expect(page.get_by_label("Name", exact=True)).to_have_value("Ada Example")
    expect(page.get_by_label("Email", exact=True)).to_have_value("nowhere")
    fill_in(page, "plain-corrected@ada.example.org")
    send(page)
    expect(page).to_have_url(re.compile("/registered"))
    registered = site.registrations("plain-corrected@ada.example.org")
    assert registered == [(site.upcoming[2], "held")]


def test_the_confirmation_corrects_the_email_and_takes_answers(plainly, site):
    page = plainly(f"/register?session={site.upcoming[0]}")
    fill_in(page, "plain@gmial.com")
    send(page)

    page.get_by_role("button", name="Use this email").click()
    expect(page.locator("main")).to_contain_text("your link to plain@gmail.com")
    page.get_by_label("Your answer").fill("Two lines,\nboth kept.")
    page.get_by_role("button", name="Save answers").click()

    expect(page.get_by_role("heading", level=1)).to_have_text("Thank you for your answers")
    assert site.registrations("plain@gmail.com") == [(site.upcoming[0], "held")]
    assert site.registrations("plain@gmial.com") == []


def test_the_summary_of_a_refused_page_leads_to_each_field(plainly):
    page = plainly("/register")

    send(page)

    summary = page.locator(".summary")
    has_focus(summary)
    expect(summary.get_by_role("link")).to_have_count(3)
    for name in ("sessions", "name", "email"):
        link = summary.locator(f"a[href='#{name}']")
        expect(page.locator(f"#{name}-refusal")).to_have_text(link.inner_text())
        link.click()
        expect(page.locator(f"#{name}")).to_be_in_viewport()


def test_two_quick_clicks_are_one_registration(plainly, site):
    page = plainly(f"/register?session={site.upcoming[2]}")
    fill_in(page, "plain-twice@ada.example.org")

    send_button(page).dblclick()

    expect(page).to_have_url(re.compile("/registered"))
    assert site.registrations("plain-twice@ada.example.org") == [(site.upcoming[2], "held")]
    assert site.rows("SELECT count(*) FROM member WHERE email LIKE 'plain-twice%'") == [(1,)]


def test_a_button_that_needs_scripts_does_not_show(plainly, site):
    page = plainly(f"/schedule/{site.upcoming[0]}")

    expect(page.locator("[data-close]")).to_have_count(1)
    expect(page.locator("[hidden]:visible")).to_have_count(0)
