"""The console's page of all people, with a search."""

import pytest
from sqlalchemy import update

from cop.db.engine import write_tx
from cop.models.audit import Viewing
from cop.models.coordinator import Coordinator
from cop.roster import views
from tests.client import (
    DECEMBER,
    HTMX,
    JANUARY,
    SAME_ORIGIN,
    add_registrations,
    member_path,
    rows,
    text_of,
)
from tests.page import parse
from tests.statements import Statements

PATH = "/coordinator/people"


@pytest.fixture
def search(corin):
    """Send the search form, as a browser does or as HTMX."""
    token = corin.page("/coordinator/").find("input", attrs={"name": "csrf_token"})["value"]

    def search(headers=(), **typed):
        sent = typed | {"csrf_token": token}
        return corin.post(PATH, data=sent, headers=SAME_ORIGIN | dict(headers))

    return search


def table(page):
    """The rows of the table, each as the texts of its cells."""
    found = page.select("#people tbody tr")
    return [[text_of(cell) for cell in row.select("th, td")] for row in found]


def names(response):
    return [row[0] for row in table(parse(response))]


def test_each_person_is_one_row_with_their_live_registrations(corin):
    add_registrations(DECEMBER, "grace@example.org", name="Grace", organization="Harbor Data Lab")
    add_registrations(JANUARY, "ada@example.org", name="Ada L.", status="waiting")
    add_registrations(DECEMBER, "ada@example.org", name="Ada", access=["asl"], pronouns="she")
    add_registrations(DECEMBER, "bystander@example.org", status="cancelled")

    page = corin.page(PATH)

    assert table(page) == [
        [
            *("Ada L.", "", "ada@example.org"),
            "January 19 : Ada L. (waiting list), December 15 : Ada",
        ],
        ["Grace", "Harbor Data Lab", "grace@example.org", "December 15 : Grace"],
    ]
    assert "she" not in text_of(page.select_one("#people tbody")).split()
    registrations = {row["name"]: row["id"] for row in rows()}
    links = [link["href"] for link in page.select("#people a")]
    assert links == [
        f"/coordinator/sessions/{slug}/people/{registrations[name]}"
        for slug, name in [(JANUARY, "Ada L."), (DECEMBER, "Ada"), (DECEMBER, "Grace")]
    ]


def test_a_search_finds_all_words_in_name_email_or_organization(search):
    add_registrations(DECEMBER, "ada@example.org", name="Áda", organization="Harbor Data Lab")
    add_registrations(DECEMBER, "grace@example.org", name="Grace", organization="Harbor Data Lab")

    found = [
        names(search(HTMX, text=text)) for text in ("ADA harbor", "grace@", "lab", "ada grace")
    ]

    assert found == [["Áda"], ["Grace"], ["Áda", "Grace"], []]


def test_htmx_gets_the_list_alone_and_announces_the_count(search):
    add_registrations(DECEMBER, "ada@example.org")

    fragment = parse(search(HTMX, text="ada")).body
    nobody = parse(search(HTMX, text="zz"))

    assert not fragment.find("form")
    assert fragment.select_one("#status[hx-swap-oob]").get_text() == "1 person"
    assert "Nobody matches. Try fewer letters." in nobody.get_text()


def test_a_long_list_has_pages(search, monkeypatch):
    monkeypatch.setattr(views, "PAGE_SIZE", 2)
    add_registrations(DECEMBER, *(f"p{number}@example.org" for number in range(3)))

    sizes = [len(names(search(page=page))) for page in ("", "2", "3", "all")]

    assert sizes == [2, 1, 1, 3]


def test_without_registrations_the_page_says_what_will_appear(corin):
    add_registrations(DECEMBER, "ada@example.org", status="cancelled")

    page = corin.page(PATH)

    assert table(page) == []
    assert "People appear here as they register." in page.main.get_text()


def test_opening_the_list_is_recorded_once_and_shown_to_the_people_on_it(corin, search):
    add_registrations(DECEMBER, "ada@example.org")

    corin.get(PATH)
    for text in ("a", "ad"):
        search(HTMX, text=text)

    assert [(row["resource"], row["meeting_id"]) for row in rows(Viewing)] == [("people", None)]
    sentence = "Corin viewed the list of everyone registered"
    assert sentence in corin.page(member_path()).find(id="viewings").parent.get_text()
    assert sentence in corin.page("/coordinator/record").main.get_text()


def test_the_list_takes_three_statements_and_one_for_its_record(corin):
    add_registrations(DECEMBER, *(f"p{number}@example.org" for number in range(9)))
    corin.get(PATH)

    with Statements() as sent:
        corin.get(PATH)

    assert 0 < len(sent) <= 4


def test_the_download_of_all_sessions_is_here_for_those_who_may(corin):
    page = corin.page(PATH)

    with write_tx() as db_session:
        db_session.execute(update(Coordinator).values(may_export=False))

    assert page.select_one(".download form")["action"] == "/coordinator/export.csv"
    assert corin.page(PATH).select(".download") == []
