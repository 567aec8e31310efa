"""The control: what cookies do here is what they do to people, so the other tests prove something."""

import pytest
from playwright.sync_api import expect

from tests.browser.embedding.front import BESIDE_FORMS, FORMS, HOST
from tests.browser.embedding.guests import framed

FRAMES_THE_FORM = "frames-a-form-with-cookies.html"


def sent(frame):
    frame.get_by_role("button", name="Send").click()
    expect(frame.get_by_role("heading")).to_contain_text("Sent with")
    return frame.get_by_role("heading").inner_text()


def test_a_form_that_needs_a_cookie_fails_in_the_frame_of_another_site(guest):
    page = guest(f"{HOST}/{FRAMES_THE_FORM}")

    heading = sent(framed(page, "iframe"))

    assert heading == "Sent with no cookie"


@pytest.mark.parametrize("address", [f"{FORMS}/form", f"{BESIDE_FORMS}/{FRAMES_THE_FORM}"],
                         ids=["its own page", "a frame of its own site"])  # fmt: skip
def test_the_same_form_works_at_home(guest, address):
    page = guest(address)

    heading = sent(framed(page, "iframe") if address.startswith(BESIDE_FORMS) else page)

    assert heading == "Sent with lax and none"
