"""Registering in place, as most people do it."""

import re

import pytest
from playwright.sync_api import expect

from tests.browser.visits import FAILED_ANSWER, fill_in, has_focus, is_confirmed, send, send_button


def registration(page):
    return page.locator("#registration")


def open_in_place(page, slug):
    page.locator(f"#act-{slug} a").click()
    has_focus(registration(page).get_by_role("heading", name="Register for"))


def test_the_form_opens_on_the_schedule_and_is_confirmed_there(visit, site):
    page, slug = visit("/schedule"), site.upcoming[0]
    open_in_place(page, slug)
    expect(page).to_have_title(re.compile("^Register"))

    fill_in(page, "in-place@ada.example.org")
    send(page)

    is_confirmed(page)
    has_focus(registration(page).get_by_role("heading", name="You're registered"))
    expect(page.get_by_role("status").first).not_to_be_empty()
    expect(page).to_have_title(re.compile("^You're registered"))
    expect(page).to_have_url(re.compile(r"/registered\?form=\w+$"))
    assert site.registrations("in-place@ada.example.org") == [(slug, "held")]
    open_in_place(page, slug)  # by the button that was refreshed
    expect(send_button(page)).to_have_text("Register")


def test_the_last_place_taken_shows_at_once_on_the_schedule_behind_the_form(visit, own_site):
    later = own_site(
        "UPDATE meeting SET capacity = 1 WHERE id = (SELECT max(id) FROM meeting"
        " WHERE ends_at > datetime('now') AND capacity IS NULL)"
    )
    slug = later.rows("SELECT slug FROM meeting WHERE capacity = 1")[0][0]
    page = visit("/schedule", at=later)
    open_in_place(page, slug)
    expect(page.locator(f"#places-{slug}")).to_have_text("Only a few spots left")

    fill_in(page, "last-place@ada.example.org")
    send(page)

    is_confirmed(page)
    expect(page.locator(f"#places-{slug}")).to_have_text("Full")
    expect(page.locator(f"#act-{slug} a")).to_have_text(re.compile("Join the waiting list"))
    assert later.registrations("last-place@ada.example.org") == [(slug, "held")]


def test_a_full_session_leads_to_its_waiting_list(visit, site):
    page = visit("/schedule")
    full = site.upcoming[1]

    page.locator(f"#act-{full} a", has_text="Join the waiting list").click()
    fill_in(page, "waits@grace.example.org", name="Grace Sample")
    send(page)

    has_focus(registration(page).get_by_role("heading", name="You're on the waiting list"))
    expect(page).to_have_title(re.compile("^You're on the waiting list"))
    assert site.registrations("waits@grace.example.org") == [(full, "waiting")]


@pytest.mark.parametrize("path", ["/register?session={slug}", "/schedule/{slug}"])
def test_the_form_on_a_page_of_its_own_is_confirmed_in_place(visit, site, path):
    path = path.format(slug=site.upcoming[2])
    email = f"{path.strip('/').partition('/')[0].partition('?')[0]}@ada.example.org"
    page = visit(path)

    expect(page.get_by_role("button", name="Close")).to_have_count(0)
    fill_in(page, email)
    send(page)

    is_confirmed(page)
    has_focus(registration(page).get_by_role("heading", name="You're registered"))
    expect(page).to_have_url(re.compile(r"/registered\?form=\w+$"))
    expect(page).to_have_title(re.compile("^You're registered"))
    assert site.registrations(email) == [(site.upcoming[2], "held")]


def test_a_refused_form_keeps_every_answer_and_is_accepted_once_corrected(visit, site):
    page = visit("/schedule", expecting=[FAILED_ANSWER])
    open_in_place(page, site.upcoming[0])
    fill_in(page, "nowhere")

    send(page)

    summary = page.locator(".summary")
    has_focus(summary)
    expect(page).to_have_title(re.compile("^Error: Register"))
    expect(page.get_by_label("Name", exact=True)).to_have_value("Ada Example")
    summary.get_by_role("link").click()
    has_focus(page.get_by_label("Email", exact=True))
    expect(page.get_by_label("Email", exact=True)).to_have_value("nowhere")
    page.get_by_label("Email", exact=True).fill("corrected@ada.example.org")
    send(page)

    is_confirmed(page)
    assert len(site.registrations("corrected@ada.example.org")) == 1


def test_the_form_opens_below_its_session_closes_and_opens_below_another_one(visit, site):
    page = visit("/schedule")
    first, second = site.upcoming[2:4]
    row = page.locator("li", has=page.locator(f"#act-{first}"))

    open_in_place(page, first)
    expect(row.get_by_role("heading", name="Register for")).to_be_visible()
    fill_in(page, "moves@ada.example.org")
    open_in_place(page, second)
    expect(row.locator("form")).to_have_count(0)
    expect(page.get_by_label("Email", exact=True)).to_have_value("moves@ada.example.org")
    page.get_by_role("button", name="Close").click()

    has_focus(page.locator(f"#act-{second} a"))
    expect(page.locator("form")).to_have_count(0)
    expect(page).to_have_title(re.compile("^Schedule"))
    open_in_place(page, first)
    expect(page.get_by_label("Email", exact=True)).to_have_value("moves@ada.example.org")
    page.keyboard.press("Escape")
    has_focus(page.locator(f"#act-{first} a"))


def test_registering_for_all_sessions_after_typing_for_one_registers_for_all(visit, site):
    page = visit("/schedule")
    open_in_place(page, site.upcoming[2])
    fill_in(page, "all@ada.example.org")

    page.get_by_role("link", name="Register for all upcoming sessions").click()
    expect(page.get_by_label("All upcoming sessions")).to_be_checked()
    expect(page.get_by_label("Email", exact=True)).to_have_value("all@ada.example.org")
    send(page)

    is_confirmed(page)
    assert len(site.registrations("all@ada.example.org")) == len(site.upcoming)


def test_going_back_keeps_what_was_typed(visit, site):
    page = visit("/schedule")
    other, slug = site.upcoming[2], site.upcoming[0]
    open_in_place(page, other)
    fill_in(page, "back@ada.example.org")
    page.get_by_label("Email", exact=True).blur()
    open_in_place(page, slug)

    page.goto("/your-data")
    page.go_back()

    expect(page.get_by_label("Email", exact=True)).to_have_value("back@ada.example.org")
    expect(page.get_by_label("Name", exact=True)).to_have_value("Ada Example")
    send(page)
    is_confirmed(page)
    expect(page).to_have_url(re.compile("/registered"))
    page.reload()
    is_confirmed(page)
    assert site.registrations("back@ada.example.org") == [(slug, "held")]


def test_going_back_keeps_the_sessions_that_were_checked(visit, site):
    page = visit("/register")
    page.locator(f"input[name=sessions][value='{site.upcoming[2]}']").check()
    fill_in(page, "several@ada.example.org")
    page.get_by_label("Email", exact=True).blur()

    page.goto("/schedule")
    page.go_back()

    expect(page.get_by_label("Email", exact=True)).to_have_value("several@ada.example.org")
    expect(page.locator("input[name=sessions]:checked")).to_have_count(1)
    expect(send_button(page)).to_have_text("Register for 1 session")


def test_a_mistyped_address_is_corrected_on_the_confirmation(visit, site):
    page = visit("/schedule")
    slug = site.upcoming[3]
    open_in_place(page, slug)
    fill_in(page, "slip@gmial.com")
    page.get_by_label("Email", exact=True).press("Enter")
    is_confirmed(page)

    expect(registration(page)).to_contain_text("Did you mean slip@gmail.com?")
    page.get_by_label("Pronouns").fill("she/her")
    page.get_by_label("Slides before the session").check()
    page.get_by_role("button", name="Use this email").click()

    expect(registration(page)).to_contain_text("your link to slip@gmail.com")
    has_focus(registration(page).get_by_role("heading", name="You're registered"))
    expect(page.get_by_label("Pronouns")).to_have_value("she/her")
    expect(page.get_by_label("Slides before the session")).to_be_checked()
    assert site.registrations("slip@gmail.com") == [(slug, "held")]
    assert site.registrations("slip@gmial.com") == []


def test_the_optional_questions_are_saved_in_place(visit, site):
    page = visit(f"/schedule/{site.upcoming[3]}")
    fill_in(page, "optional@ada.example.org")
    send(page)
    is_confirmed(page)

    page.get_by_label("Pronouns").fill("she/her")
    page.get_by_role("button", name="Save answers").click()

    has_focus(registration(page).get_by_role("heading", name="Thank you for your answers"))
    expect(page.get_by_label("Pronouns")).to_have_count(0)
    query = "SELECT pronouns FROM registration JOIN member ON member.id = member_id WHERE email = ?"
    assert site.rows(query, "optional@ada.example.org") == [("she/her",)]


def test_on_a_small_phone_everything_needed_for_one_session_is_on_the_screen(visit, site):
    page = visit(
        f"/register?session={site.upcoming[0]}",
        viewport={"width": 360, "height": 667},
        timezone_id="America/New_York",
    )

    for part in (page.locator("h1"), page.locator(".chosen"), send_button(page)):
        expect(part).to_be_in_viewport(ratio=1)
    for label in ("Name", "Email"):
        expect(page.get_by_label(label, exact=True)).to_be_in_viewport(ratio=1)


def test_a_likely_slip_in_the_address_is_asked_about_and_blocks_nothing(visit, site):
    page = visit("/register?session=all")

    fill_in(page, "ada@gmial.com")
    page.get_by_label("Email", exact=True).press("Tab")

    expect(page.locator("#email-suggestion")).to_contain_text("Did you mean ada@gmail.com")
    expect(page.locator(":focus")).to_be_visible()
    send(page)
    is_confirmed(page)
    assert len(site.registrations("ada@gmial.com")) == len(site.upcoming)


def test_the_button_shows_how_many_sessions_are_ticked(visit, site):
    page = visit("/register")
    first, second = (page.locator(f"input[name=sessions][value='{slug}']")
                     for slug in site.upcoming[:2])  # fmt: skip
    expect(send_button(page)).to_have_text("Register")

    for tick, words in [
        (first, "Register for 1 session"),
        (second, "Register for 2 sessions"),
        (page.get_by_label("All upcoming sessions"), "Register for all upcoming sessions"),
    ]:
        tick.check()

        expect(send_button(page)).to_have_text(words)


def test_going_back_to_the_confirmation_shows_it_and_somebody_else_can_register(visit, site):
    page, path = visit("/schedule"), f"/register?session={site.upcoming[3]}"
    page.goto(path)
    fill_in(page, "first@ada.example.org")
    send(page)
    is_confirmed(page)
    expect(page).to_have_url(re.compile("/registered"))

    page.goto("/your-data")
    page.go_back()
    is_confirmed(page)
    page.goto(path)
    expect(page.get_by_label("Email", exact=True)).to_have_value("")
    fill_in(page, "second@grace.example.org", name="Grace Sample")
    send(page)

    is_confirmed(page)
    for email in ("first@ada.example.org", "second@grace.example.org"):
        assert site.registrations(email) == [(site.upcoming[3], "held")]
