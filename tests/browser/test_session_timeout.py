"""Signing in again after a time-out, by the browser's own rules for redirects and swaps."""

import pytest
from playwright.sync_api import expect

from tests.browser.axe import is_sound
from tests.browser.visits import FAILED_ANSWER, has_focus, sign_in

TIME_OUT = "DELETE FROM coordinator_session"
NOTICE = "You were signed out"


@pytest.mark.parametrize("with_scripts", [True, False], ids=["scripts", "no scripts"])
def test_a_message_typed_for_too_long_is_there_again_after_signing_in(
    visit, own_site, with_scripts
):
    own = own_site()
    options = {"expecting": [FAILED_ANSWER], "java_script_enabled": with_scripts}
    path = f"/coordinator/sessions/{own.upcoming[0]}/write"
    page = sign_in(visit(path, at=own, **options))
    page.get_by_label("Registered:").check()
    page.get_by_label("Subject").fill("What to bring")
    page.get_by_label("Message").fill("Bring a chart.\n\n“é”")
    own.rows(TIME_OUT)

    page.get_by_role("button", name="Preview").click()
    notice = page.get_by_text(NOTICE)
    expect(notice).to_be_visible()
    if with_scripts:
        has_focus(notice)
        is_sound(page)
    sign_in(page)

    expect(page.get_by_label("Subject")).to_have_value("What to bring")
    expect(page.get_by_label("Message")).to_have_value("Bring a chart.\n\n“é”")
    assert page.url == f"{own.address}{path}"
    page.get_by_role("button", name="Preview").click()
    expect(page.locator("main")).to_contain_text("Bring a chart.")


def test_a_preview_after_a_time_out_leaves_the_page_to_whoever_types(visit, own_site):
    own = own_site()
    path = f"/coordinator/sessions/{own.upcoming[0]}/edit"
    page = sign_in(visit(path, at=own, expecting=[FAILED_ANSWER]))
    own.rows(TIME_OUT)

    page.get_by_label("Topic").fill("Who is missing?")
    with page.expect_response("**/preview"):
        page.get_by_label("Topic").blur()
    page.get_by_label("Guests").fill("Two members")
    page.get_by_role("button", name="Save").click()
    has_focus(page.get_by_text(NOTICE))
    sign_in(page)

    expect(page.get_by_label("Topic")).to_have_value("Who is missing?")
    expect(page.get_by_label("Guests")).to_have_value("Two members")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Who is missing?")
