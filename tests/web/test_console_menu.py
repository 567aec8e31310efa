"""The console's menu: four pages, the account, and the way up from a page below one of them."""

import pytest

from tests.client import DECEMBER, text_of

CONSOLE = "/coordinator"


@pytest.mark.parametrize(
    ("path", "current", "kind"),
    [
        ("/", "Sessions", "page"),
        (f"/sessions/{DECEMBER}/edit", "Sessions", "true"),
        ("/people", "People", "page"),
        ("/list", "People", "true"),
        ("/numbers", "Statistics", "page"),
        ("/settings", "Settings", "page"),
        ("/settings/coordinators", "Settings", "true"),
        ("/rhythm", "Settings", "true"),
        ("/mail", "Settings", "true"),
        ("/record", "Settings", "true"),
        ("/embed", "Settings", "true"),
    ],
)
def test_the_menu_marks_where_a_page_belongs_and_leads_up_there(corin, path, current, kind):
    page = corin.page(f"{CONSOLE}{path}")

    entries = page.header.nav.select("a")
    marked = {text_of(entry): entry.get("aria-current") for entry in entries}
    up = {link["href"] for link in page.main.select(".above a")}
    by_name = {text_of(entry): entry["href"] for entry in entries}
    assert list(marked) == ["Sessions", "People", "Statistics", "Settings"]
    assert {name: mark for name, mark in marked.items() if mark} == {current: kind}
    assert up == (set() if kind == "page" else {by_name[current]})


def test_the_account_and_signing_out_are_in_a_menu_of_their_own(corin):
    page = corin.page(f"{CONSOLE}/account")

    menu = page.header.select_one("details.menu")
    assert text_of(menu.summary) == "Account: Corin"
    assert menu.select_one("a")["href"] == f"{CONSOLE}/account"
    assert menu.form["action"] == f"{CONSOLE}/sign-out"
    assert page.header.nav.select("[aria-current]") == page.main.select(".above") == []


def test_a_page_below_the_account_leads_up_to_it(corin):
    page = corin.page(f"{CONSOLE}/account/two-factor")

    assert [link["href"] for link in page.main.select(".above a")] == [f"{CONSOLE}/account"]


def test_the_sign_in_page_has_no_menu(client):
    page = client.page(f"{CONSOLE}/sign-in")

    assert page.header.select("nav, .menu") == page.main.select(".above") == []
