"""Everything can be done by the keyboard alone, and it can always be seen where one is."""

from playwright.sync_api import expect

from tests.browser.visits import FAILED_ANSWER, has_focus, is_confirmed, send_button, sign_in

PRESSES = 80  # more than any page has stops

FOCUS = """(target) => {
  const at = document.activeElement, style = getComputedStyle(at), box = at.getBoundingClientRect();
  const drawn = parseFloat(style.outlineWidth) >= 2 && style.outlineStyle !== "none";
  const middle = document.elementFromPoint(box.x + box.width / 2, box.y + Math.min(box.height, 40) / 2);
  return {
    what: at.outerHTML.slice(0, 120),
    isThere: at === target,
    isLost: at === document.body || at === document.documentElement,
    isDrawn: drawn,
    isInView: box.width > 0 && box.bottom > 0 && box.top < innerHeight
              && box.right > 0 && box.left < innerWidth,
    isCovered: Boolean(middle) && !at.contains(middle) && !middle.contains(at),
  };
}"""


def is_seen(locator):
    """The focus is on something, drawn, in view and not covered; return whether it is here."""
    focus = locator.evaluate(FOCUS)
    assert not focus["isLost"], "the focus is on something"
    assert focus["isDrawn"], f"the focus is drawn on {focus['what']}"
    assert focus["isInView"], f"{focus['what']} is in view"
    assert not focus["isCovered"], f"{focus['what']} is covered"
    return focus["isThere"]


def tab_to(page, locator, key="Tab"):
    """Press Tab until the focus is there, looking at each stop on the way."""
    for _ in range(PRESSES):
        page.keyboard.press(key)
        if is_seen(locator):
            return
    raise AssertionError(f"{locator} cannot be reached with {key}")


def test_the_first_stop_skips_to_the_content(visit, site):
    page = visit("/schedule")
    page.keyboard.press("Tab")
    has_focus(page.get_by_role("link", name="Skip to main content"))
    is_seen(page.locator("html"))

    page.keyboard.press("Enter")

    expect(page.locator("#main")).to_be_focused()
    page.keyboard.press("Tab")
    is_seen(page.locator("html"))
    assert page.evaluate("document.querySelector('main').contains(document.activeElement)")


def test_a_registration_takes_tab_space_and_enter_alone(visit, site):
    page = visit("/schedule")
    tab_to(page, page.locator(f"#act-{site.upcoming[0]} a"))
    page.keyboard.press("Enter")
    has_focus(page.locator("#registration h2").first)

    tab_to(page, page.get_by_label("Name", exact=True))
    page.keyboard.type("Ada Example")
    tab_to(page, page.get_by_label("Email", exact=True))
    page.keyboard.type("keyboard@ada.example.org")
    tab_to(page, send_button(page))
    page.keyboard.press("Enter")

    is_confirmed(page)
    has_focus(page.get_by_role("heading", name="You're registered"))
    page.keyboard.press("Tab")
    is_seen(page.locator("html"))
    assert len(site.registrations("keyboard@ada.example.org")) == 1


def test_a_refusal_is_answered_from_its_summary(visit, site):
    page = visit(f"/register?session={site.upcoming[2]}", expecting=[FAILED_ANSWER])
    tab_to(page, page.get_by_label("Name", exact=True))
    page.keyboard.type("Ada Example")
    page.keyboard.press("Enter")
    has_focus(page.locator(".summary"))

    tab_to(page, page.locator(".summary a"))
    page.keyboard.press("Enter")
    has_focus(page.get_by_label("Email", exact=True))
    page.keyboard.type("refused-keyboard@ada.example.org")
    page.keyboard.press("Enter")

    is_confirmed(page)
    has_focus(page.get_by_role("heading", name="You're registered"))


def test_the_focus_stays_in_the_form_while_the_address_is_looked_at(visit):
    page = visit("/register?session=all")
    email = page.get_by_label("Email", exact=True)
    tab_to(page, email)
    page.keyboard.type("ada@gmial.com")

    page.keyboard.press("Tab")

    expect(page.locator("#email-suggestion")).not_to_be_empty()
    is_seen(page.locator("html"))
    tab_to(page, email, key="Shift+Tab")


def test_every_stop_of_the_schedule_is_seen_there_and_back(visit):
    page = visit("/schedule")
    last = page.locator("footer a").last

    tab_to(page, last)

    tab_to(page, page.get_by_role("link", name="Skip to main content"), key="Shift+Tab")


def test_the_account_menu_of_the_console_opens_with_enter_and_without_javascript(visit):
    page = sign_in(visit("/coordinator/sign-in", java_script_enabled=False))
    page.goto("/coordinator/settings")
    tab_to(page, page.locator("header summary"))
    button = page.get_by_role("button", name="Sign out")
    expect(button).to_be_hidden()

    page.keyboard.press("Enter")
    tab_to(page, page.locator("header .menu a"))
    tab_to(page, button)
    page.keyboard.press("Enter")

    expect(page.get_by_role("heading", level=1)).to_have_text("Sign in")
