"""Every page, in light and in dark, holds up against axe."""

from playwright.sync_api import expect

from tests.browser import public_pages
from tests.browser.axe import is_sound
from tests.browser.console_pages import paths
from tests.browser.visits import FAILED_ANSWER, fill_in, is_confirmed, send

WIDTHS = (360, 1280)


def test_every_public_page_of_the_url_map_is_looked_at(site):
    assert public_pages.missing(public_pages.paths(site)) == []
    assert public_pages.missing(["/"]) != []


def test_axe_finds_nothing_on_the_public_pages(visit, site):
    page = visit("/", expecting=[FAILED_ANSWER])
    for path in public_pages.paths(site):
        assert page.goto(path).ok or path in public_pages.LOST, path

        is_sound(page, widths=WIDTHS)


def test_axe_finds_nothing_in_a_form_that_was_refused(visit):
    page = visit("/register", expecting=[FAILED_ANSWER])

    send(page)

    expect(page.locator(".summary")).to_be_visible()
    is_sound(page)


def test_axe_finds_nothing_in_a_refusal_and_a_confirmation_in_place(visit, site):
    page = visit("/schedule", expecting=[FAILED_ANSWER])
    page.locator(f"#act-{site.upcoming[0]} a").click()

    fill_in(page, "ada@gmial", name="")
    send(page)
    expect(page.locator(".summary")).to_be_visible()
    is_sound(page)
    fill_in(page, "axe@ada.example.org")
    send(page)

    is_confirmed(page)
    is_sound(page)


def test_axe_finds_nothing_where_the_site_could_not_be_reached(visit, site):
    page = visit("/schedule", expecting=[FAILED_ANSWER, "Failed to fetch", "htmx:error"])
    page.context.set_offline(True)

    page.locator(f"#act-{site.upcoming[0]} a").click()

    expect(page.locator("#problem .summary")).to_be_visible()
    is_sound(page)


def test_axe_finds_nothing_in_a_sign_in_that_was_refused(visit):
    page = visit("/coordinator/sign-in", expecting=[FAILED_ANSWER])

    page.get_by_role("button", name="Sign in").click()

    expect(page.locator(".summary")).to_be_visible()
    is_sound(page)


def test_axe_finds_nothing_where_the_first_account_is_made(visit, own_site):
    new = own_site("DELETE FROM coordinator")

    page = visit(new.set_up_path, at=new)

    expect(page.get_by_role("heading", level=1)).to_have_text("Create the first account")
    is_sound(page)


def test_axe_finds_nothing_in_the_console(corin, site):
    for path in paths(site):
        corin.goto(path)

        is_sound(corin)


DRAWN = """(one) => {
  const { outlineStyle, borderTopWidth, borderTopStyle, textDecorationLine } = getComputedStyle(one);
  return [outlineStyle, borderTopWidth, borderTopStyle, textDecorationLine];
}"""


def test_forced_colors_leave_lines_where_colors_told_things_apart(visit, site):
    page = visit("/register?session=all", forced_colors="active")

    checked, unchecked = page.locator(".pick").nth(0), page.locator(".pick").nth(1)
    checked.locator("input").check()
    unchecked.locator("input").uncheck()
    current, other = (page.locator(f"nav a[href='/{name}']") for name in ("register", "schedule"))
    next_, later = page.locator(".tile").nth(0), page.locator(".tile").nth(1)
    focused = page.get_by_label("Name", exact=True)
    focused.focus()

    for one, another in [(checked, unchecked), (current, other), (next_, later)]:
        assert one.evaluate(DRAWN) != another.evaluate(DRAWN)
    assert focused.evaluate(DRAWN)[0] == "solid"
    page.goto("/your-data")
    assert page.locator(".tag").first.evaluate(DRAWN)[1:3] == ["1px", "solid"]


def test_paper_shows_dark_text_and_neither_forms_nor_buttons(visit, site):
    page = visit(f"/schedule/{site.upcoming[0]}", color_scheme="dark")
    quiet = page.locator("main .eyebrow").first
    is_dark = "(one) => Math.max(...getComputedStyle(one).color.match(/\\d+/g).map(Number)) < 128"

    on_screen = quiet.evaluate(is_dark)
    page.emulate_media(media="print", color_scheme="dark")

    assert (on_screen, quiet.evaluate(is_dark)) == (False, True)
    shown = page.locator(":is(form, .button, nav, footer):visible")
    assert shown.count() == 0
