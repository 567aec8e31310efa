"""The console: sign in, roster, attendee list, previews, sign out."""

import csv
import re

from playwright.sync_api import expect

from tests.browser.visits import sign_in

OVERLAPPING = """() => [...document.querySelectorAll("svg.chart")].flatMap((chart) => {
  const frame = chart.getBoundingClientRect();
  const texts = [...chart.querySelectorAll("text")].map((text) => [text.textContent, text.getBoundingClientRect()]);
  const meets = (a, b) => a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom;
  return texts.filter(([_, box], index) => box.left < frame.left || box.right > frame.right
    || texts.slice(0, index).some(([_, other]) => meets(box, other))).map(([text]) => text);
})"""


def test_the_attendee_list_has_everybody_on_the_roster(corin, site):
    corin.get_by_role("link", name="Open the roster").click()
    names = corin.locator("table.roster tbody th")
    expect(names.first).to_be_visible()

    corin.get_by_text("Download the list (CSV)").click()
    with corin.expect_download() as download:
        corin.get_by_role("button", name="Download CSV").click()

    with download.value.path().open(encoding="utf-8-sig", newline="") as file:
        people = list(csv.DictReader(file))
    assert download.value.suggested_filename.endswith(".csv")
    assert site.upcoming[0] in download.value.suggested_filename
    coming = corin.locator("table.roster .tag.is-on")
    assert len(people) == coming.count() > 20


def test_a_name_is_found_while_it_is_typed_and_the_count_is_announced(corin, site):
    corin.goto(f"/coordinator/sessions/{site.upcoming[0]}")
    names = corin.locator("#people tbody th")
    expect(names.nth(5)).to_be_visible()

    corin.get_by_label("Name, email or organization").press_sequentially("márisol")

    expect(names).to_have_count(1)
    expect(names).to_contain_text("Marisol Ejemplo")
    expect(corin.get_by_role("status")).to_have_text("1 person")
    expect(corin.get_by_label("Name, email or organization")).to_be_focused()
    expect(corin).to_have_url(f"{site.address}/coordinator/sessions/{site.upcoming[0]}")


def test_after_signing_out_the_roster_asks_to_sign_in_also_when_going_back(corin, site):
    roster = f"/coordinator/sessions/{site.upcoming[0]}"
    corin.goto(roster)
    expect(corin.get_by_text("Marisol Ejemplo")).to_be_visible()
    corin.locator("header summary").press("Enter")
    corin.get_by_role("button", name="Sign out").click()
    expect(corin.get_by_role("heading", level=1)).to_have_text("Sign in")

    corin.go_back()

    expect(corin.get_by_text("Marisol Ejemplo")).to_have_count(0)
    corin.goto(roster)
    expect(corin.get_by_role("heading", level=1)).to_have_text("Sign in")
    expect(corin.locator("body")).not_to_contain_text("Marisol Ejemplo")


def test_the_previews_follow_what_is_typed(corin, site):
    corin.goto("/coordinator/rhythm")
    corin.get_by_label("Day of the week").select_option("Thursday")
    expect(corin.locator("#dates li").first).to_contain_text("Thursday")

    corin.goto(f"/coordinator/sessions/{site.upcoming[0]}/edit")
    corin.get_by_label("Spots").fill("5")
    corin.get_by_label("Topic").focus()

    expect(corin.locator("#preview")).to_contain_text("than spots (5)")
    expect(corin.get_by_label("Topic")).to_be_focused()


def test_a_roster_and_its_groups_are_printed_on_a_page_each_without_controls(visit, own_site):
    site = own_site()
    corin = sign_in(visit("/coordinator/sign-in", at=site))
    corin.goto(f"/coordinator/sessions/{site.upcoming[1]}/rooms")
    corin.get_by_role("button", name="Create rooms").click()
    expect(corin.get_by_role("heading", name="Room 2")).to_be_visible()
    rooms = corin.url
    corin.emulate_media(media="print")
    for path in (f"/coordinator/sessions/{site.upcoming[0]}", rooms):
        corin.goto(path)

        printed = corin.pdf(format="Letter")

        controls = corin.locator("main").locator("button, .button, input, select")
        assert len(re.findall(rb"/Type\s*/Page\b", printed)) == 1, path
        assert controls.locator("visible=true").count() == 0


def test_labels_of_a_chart_do_not_overlap(visit, own_site):
    year_ago = "starts_at = datetime(starts_at, '-1 year'), ends_at = datetime(ends_at, '-1 year')"
    site = own_site(f"UPDATE meeting SET {year_ago}, registered_count = 234, attended_count = 123")
    page = sign_in(visit("/coordinator/sign-in", at=site))
    for width in (320, 1280):
        page.set_viewport_size({"width": width, "height": 800})
        page.goto("/coordinator/numbers")

        assert page.locator("svg.chart").first.locator(".whole").count() == 12
        assert page.evaluate(OVERLAPPING) == []


def test_marks_and_legends_survive_forced_colors(visit, site):
    page = sign_in(visit("/coordinator/sign-in", forced_colors="active"))
    page.goto("/coordinator/numbers")
    styles = """(selector) => [...document.querySelectorAll(selector)].map((one) => {
      const key = getComputedStyle(one, "::before"), style = getComputedStyle(one);
      return [key.backgroundColor, style.fill, style.borderBlockEndWidth, style.outlineStyle];
    })[0]"""

    key, part_key = page.evaluate(styles, ".key"), page.evaluate(styles, ".key.is-part")
    whole, part = page.evaluate(styles, ".whole"), page.evaluate(styles, ".part")
    current = page.evaluate(styles, "nav a[aria-current]")
    page.goto(f"/coordinator/sessions/{site.upcoming[0]}")
    tag = page.evaluate(styles, "#people .tag")

    assert (part_key[0], part[1]) == ("rgb(0, 0, 0)", "rgb(0, 0, 0)")
    assert (key[0], whole[1]) == ("rgb(255, 255, 255)", "rgb(255, 255, 255)")
    assert (current[2], tag[3]) == ("3px", "solid")
