"""Registering in WebKit, where moving the focus does not scroll by itself."""

from tests.browser.webkit.visitors import SEND, fill_in, has_focus, open_form, send, shows_heading


def test_the_form_opened_on_the_schedule_and_its_confirmation_are_in_view(visit, site, window):
    email = f"schedule-{window['width']}@ada.example.org"
    page = visit("/schedule", **window)

    open_form(page, site.upcoming[2])
    has_focus(page, "Register")
    fill_in(page, email)
    send(page)

    has_focus(page, "You're registered")
    assert site.registrations(email) == [(site.upcoming[2], "held")]


def test_the_confirmation_on_the_page_of_the_form_is_in_view(visit, site, window):
    email = f"register-{window['width']}@ada.example.org"
    page = visit(f"/register?session={site.upcoming[2]}", **window)
    fill_in(page, email)

    send(page)

    has_focus(page, "You're registered")
    assert site.registrations(email) == [(site.upcoming[2], "held")]


def test_a_slow_press_of_the_button_is_not_lost_when_the_hint_about_the_email_arrives(visit, site):
    page = visit(f"/register?session={site.upcoming[2]}")
    fill_in(page, "pressed@ada.example.org")
    page.run("document.getElementById('email-suggestion').dataset.isOld = true")

    with page.pressed(SEND):  # which moves the focus out of the field
        page.find("//*[@id='email-suggestion'][not(@data-is-old)]")

    has_focus(page, "You're registered")


def test_a_refusal_is_in_view_and_leads_to_the_field(visit, site):
    page = visit("/schedule")
    open_form(page, site.upcoming[2])
    fill_in(page, "nowhere")

    send(page)
    has_focus(page, "There is a problem")
    page.click("//*[@class='summary']//a")

    has_focus(page, "Email")


def test_a_refusal_on_the_page_of_the_form_is_in_view(visit):
    page = visit("/register")
    fill_in(page, "nowhere")

    send(page)

    has_focus(page, "There is a problem")


def test_a_form_that_cannot_be_sent_is_followed_by_a_message_in_view(visit, own_site):
    site, stop = own_site
    page = visit(f"/register?session={site.upcoming[2]}", at=site.address)
    fill_in(page, "unreachable@ada.example.org")
    stop()

    send(page)

    has_focus(page, "We couldn't reach the site")


def test_without_scripts_a_refusal_and_then_the_confirmation_are_in_view(
    visit_without_scripts, site
):
    email = "plain@ada.example.org"
    page = visit_without_scripts("/schedule")
    open_form(page, site.upcoming[2])
    shows_heading(page, "Register")
    fill_in(page, "nowhere")
    send(page)

    has_focus(page, "There is a problem")
    fill_in(page, email)
    send(page)

    shows_heading(page, "You're registered")
    assert site.registrations(email) == [(site.upcoming[2], "held")]
