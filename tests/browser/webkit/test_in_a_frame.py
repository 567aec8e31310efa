"""The schedule in a page of another site, in WebKit: only that page can scroll."""

from functools import partial

import pytest

from tests.browser.webkit.host import HEADER
from tests.browser.webkit.visitors import (
    FRAME,
    fill_in,
    has_focus,
    open_form,
    send,
    settled,
    shows_heading,
)

SPARE = """return [document.documentElement.scrollHeight - innerHeight,
  innerHeight - document.body.firstElementChild.getBoundingClientRect().height]"""

has_focus_in_frame = partial(has_focus, frame=FRAME, below=HEADER)
shows_heading_in_frame = partial(shows_heading, frame=FRAME, below=HEADER)


@pytest.fixture
def host(visit, embedding_site, window):
    """The page of another site, once the frame in it has its height."""
    page = visit("/", at=embedding_site.origin, **window)
    page.find("//iframe[contains(@style, 'max-height: none')]")
    return page


def test_the_frame_is_as_high_as_its_page_and_the_host_does_not_move(host):
    with host.inside(FRAME):
        overflow, spare = settled(lambda: host.run(SPARE))

    assert overflow <= 0
    assert spare < 48
    assert host.run("return scrollY") == 0
    assert host.run("return document.activeElement === document.body")


def test_the_form_and_its_confirmation_are_in_view(host, site, window):
    email = f"framed-{window['width']}@ada.example.org"

    with host.inside(FRAME):
        open_form(host, site.upcoming[2])
    has_focus_in_frame(host, "Register")
    with host.inside(FRAME):
        fill_in(host, email)
        send(host)

    has_focus_in_frame(host, "You're registered")
    assert site.registrations(email) == [(site.upcoming[2], "held")]


def test_a_refusal_is_in_view(host, site):
    with host.inside(FRAME):
        open_form(host, site.upcoming[2])
        fill_in(host, "nowhere")
        send(host)

    has_focus_in_frame(host, "There is a problem")


def test_after_a_link_the_new_page_is_shown_from_its_top(host, site):
    with host.inside(FRAME):
        host.click(f"//main//a[contains(@href, '/schedule/{site.upcoming[-1]}')]")

    shows_heading_in_frame(host, "Topic to be announced")


def test_without_scripts_the_frame_scrolls_to_a_refusal_and_then_to_the_confirmation(
    visit_without_scripts, embedding_site, site
):
    email = "framed-plain@ada.example.org"
    page = visit_without_scripts("/", at=embedding_site.origin)
    with page.inside(FRAME):
        open_form(page, site.upcoming[2])
        shows_heading(page, "Register")
        fill_in(page, "nowhere")
        send(page)

        # No browser moves the focus into a frame of another site by itself.
        shows_heading(page, "There is a problem")
        fill_in(page, email)
        send(page)

        shows_heading(page, "You're registered")
    assert site.registrations(email) == [(site.upcoming[2], "held")]
