"""From an email to the meeting: a member's own page and what leads to it."""

import re

import pytest
from playwright.sync_api import expect

from tests.browser.axe import is_sound
from tests.browser.mailbox import link_in, mail_to
from tests.browser.visits import FAILED_ANSWER, fill_in, is_confirmed, send


@pytest.fixture
def registered(visit, site):
    """Register with an address; return the link to the page from the email."""

    def register(address, *, session=0):
        page = visit(f"/register?session={site.upcoming[session]}")
        fill_in(page, address)
        send(page)
        is_confirmed(page)
        return link_in(mail_to(site, address, subject="You're registered"), "/r/")

    return register


def test_an_email_leads_to_a_page_where_a_place_can_be_given_up(visit, site, registered):
    own = registered("giving@up.example.org")
    page = visit(own)
    page.get_by_role("button", name="Yes, this is me").click()
    expect(page.get_by_text("You've confirmed that this is your email")).to_be_visible()

    page.get_by_role("link", name=re.compile("Cancel my spot")).first.click()
    page.get_by_role("button", name="Cancel my spot").click()

    expect(page.get_by_text("is canceled. Thanks for letting us know")).to_be_focused()
    assert site.registrations("giving@up.example.org") == [(site.upcoming[0], "cancelled")]


@pytest.mark.parametrize("has_scripts", [True, False], ids=["scripts", "no scripts"])
def test_what_was_saved_is_said_at_the_focus(visit, registered, has_scripts):
    own = registered(f"saved-{has_scripts}@focus.example.org".lower())
    page = visit(own, java_script_enabled=has_scripts)

    page.get_by_role("button", name="Save").click()
    saved = page.get_by_text("Saved. We'll still email you")
    expect(saved).to_be_focused()
    expect(saved).to_be_in_viewport()

    page.get_by_role("link", name="Change answers").first.click()
    page.get_by_role("button", name="Save answers").click()
    expect(page.get_by_text("Saved.", exact=True)).to_be_focused()


def test_opening_every_link_of_an_email_changes_nothing(visit, site, registered):
    own = registered("scanned@mail.example.org")
    before = site.registrations("scanned@mail.example.org")
    mail = mail_to(site, "scanned@mail.example.org").get_body(("plain",)).get_content()

    for path in set(re.findall(rf"{site.address}(/\S+)", mail)):
        visit(path, expecting=[FAILED_ANSWER])

    assert site.registrations("scanned@mail.example.org") == before
    assert site.rows(
        "SELECT verified_at FROM member WHERE email_key = 'scanned@mail.example.org'"
    ) == [(None,)]
    assert own.startswith("/r/")


def test_the_join_link_opens_in_time_and_leads_to_the_meeting(visit, own_site):
    now = "strftime('%Y-%m-%d %H:%M:%f000', 'now'"
    soon = f"{now}, '+10 minutes')"
    site = own_site(
        f"UPDATE meeting SET starts_at = {soon}, ends_at = {now}, '+100 minutes'),"
        " join_url = 'https://meeting.example.org/room'"
        " WHERE id = (SELECT min(id) FROM meeting WHERE starts_at > datetime('now'))"
    )
    page = visit(f"/register?session={site.upcoming[0]}", at=site)
    fill_in(page, "early@ada.example.org")
    send(page)
    is_confirmed(page)
    join_link = link_in(mail_to(site, "early@ada.example.org"), "/join/")

    visit_room = {"leads_to": ["https://meeting.example.org/"], "expecting": [FAILED_ANSWER]}
    page = visit(join_link, at=site, **visit_room)
    page.route("https://meeting.example.org/*", lambda route: route.fulfill(body="The room"))
    assert "meeting.example.org" not in page.content()
    with page.expect_response("**/join/*") as answer:
        page.get_by_role("button", name="Join on Zoom").click(no_wait_after=True)
    page.wait_for_url("https://meeting.example.org/room")
    page.goto(f"{site.address}/schedule")

    assert answer.value.status == 200
    assert answer.value.headers["refresh"] == "0; url=https://meeting.example.org/room"
    assert site.rows("SELECT count(*) FROM registration WHERE joined_at IS NOT NULL") == [(1,)]


def test_axe_finds_nothing_on_a_members_pages_and_they_fit_a_phone(visit, site, registered):
    own, session = registered("sound@pages.example.org"), f"/sessions/{site.upcoming[0]}"
    page = visit(own, viewport={"width": 320, "height": 640})
    for below in ("", "/erase", "/links", session, f"{session}/cancel"):
        page.goto(own + below)

        is_sound(page)
        assert page.evaluate("document.documentElement.scrollWidth") <= 320, below
