"""The roster pages: search, access needs, addresses and export controls."""

from datetime import timedelta

import pytest

from cop.db.engine import write_tx
from cop.models.audit import Viewing
from cop.models.coordinator import Coordinator
from cop.models.registration import Member
from cop.roster import views
from tests.builders import NOW
from tests.client import (
    DECEMBER,
    HTMX,
    SAME_ORIGIN,
    add_registrations,
    advance_clock,
    main_text,
    member_path,
    rows,
    text_of,
    update_community,
    update_meeting,
)
from tests.page import parse
from tests.statements import Statements

SESSION = f"/coordinator/sessions/{DECEMBER}"
PEOPLE, ACCESS, EMAILS = f"{SESSION}/people", f"{SESSION}/access", f"{SESSION}/emails"
EXPORT = f"/coordinator/export.csv?session={DECEMBER}"


@pytest.fixture
def search(corin):
    """Send the search form, as a browser does or as HTMX."""
    token = corin.page("/coordinator/").find("input", attrs={"name": "csrf_token"})["value"]

    def search(headers=(), **typed):
        sent = typed | {"csrf_token": token}
        return corin.post(PEOPLE, data=sent, headers=SAME_ORIGIN | dict(headers))

    return search


def names(response):
    return [cell.get_text(strip=True) for cell in parse(response).select("#people th[scope=row] a")]


def viewings_text(corin):
    """What Ada's own page says about who viewed her data."""
    return corin.page(member_path()).find(id="viewings").parent.get_text()


def test_a_roster_shows_its_people_and_the_viewing_is_recorded(corin):
    add_registrations(
        DECEMBER, "ada@example.org", organization="Example Org", access=["asl"], hats=["analyst"]
    )
    add_registrations(DECEMBER, "grace@example.org", status="waiting", hats_other="gardener")
    add_registrations("2027-01-19", "katherine@example.org")

    text = main_text(corin.page(SESSION))

    (viewing,) = rows(Viewing)
    assert text.index("ada@example.org") < text.index("grace@example.org")
    assert "Example Org" in text
    assert "gardener" in text
    assert "katherine" not in text.lower()
    assert "ASL" not in text
    assert (viewing["resource"], viewing["columns"]) == ("roster", [])


def test_without_javascript_a_search_answers_a_page_with_its_criteria(search):
    add_registrations(
        DECEMBER, "ada@example.org", name="Áda Example", hats=["analyst"], first_time=True
    )
    add_registrations(DECEMBER, "grace@example.org", hats=["analyst"])

    response = search(text="ADA", hat="analyst", first_time="yes", sort="name")

    form = parse(response).select_one("#find")
    assert response.status_code == 200
    assert names(response) == ["Áda Example"]
    assert form.find(id="text")["value"] == "ADA"
    assert [option["value"] for option in form.select("option[selected]")] == ["analyst", "name"]
    assert [tick["name"] for tick in form.select("input[checked]")] == ["first_time"]
    # Names and addresses do not get into URLs.
    assert form["method"] == "post"
    assert form["hx-post"] == form["action"] == PEOPLE


def test_htmx_gets_the_list_alone_and_announces_the_count(search):
    add_registrations(DECEMBER, "ada@example.org", "grace@example.org")

    response = search(HTMX, text="grace@")
    nobody = parse(search(HTMX, text="100%_")).find(id="people").get_text()

    fragment = parse(response).body
    assert fragment.find(id="people")
    assert not fragment.find("form")
    assert names(response) == ["Grace"]
    assert fragment.select_one("#status[hx-swap-oob]").get_text() == "1 person"
    assert "0 people" in nobody
    assert "Try fewer letters" in nobody


def test_unknown_sessions_and_filters_are_refused_and_no_viewing_is_recorded(corin, search):
    answers = [search(**{name: "gone"}) for name in ("status", "hat", "attended", "sort")]

    assert [answer.status_code for answer in answers] == [422] * 4
    assert corin.get(f"{PEOPLE}?text=ada").status_code == 405
    assert corin.get("/coordinator/sessions/1999-01-01").status_code == 404
    assert rows(Viewing) == []


def test_a_long_roster_has_pages_and_all_people_fit_on_one_to_print(search, monkeypatch):
    monkeypatch.setattr(views, "PAGE_SIZE", 2)
    add_registrations(DECEMBER, *(f"p{number}@example.org" for number in range(3)))

    first, second = parse(search(page="x")), parse(search(HTMX, page="2"))
    sizes = [len(page.select("#people tbody tr")) for page in (first, second)]
    further = [len(names(search(HTMX, page=page))) for page in ("3", "all")]

    assert (sizes, further) == ([2, 1], [1, 3])
    assert [button["value"] for button in first.select("#people button")] == ["2", "all"]
    assert [button["form"] for button in first.select("#people button")] == ["find", "find"]
    assert second.find(id="people-count").has_attr("autofocus")
    assert "3 people, page 2 of 2" in second.find(id="people-count").get_text()


def test_continued_typing_is_one_viewing_and_a_filter_by_access_another(app, corin, search):
    add_registrations(DECEMBER, "ada@example.org", access=["asl"])

    for text in ("a", "ada"):
        search(HTMX, text=text)
    search(HTMX, access="yes")
    advance_clock(app, timedelta(minutes=11))
    search(HTMX, text="ada")

    viewings = [(row["resource"], row["columns"]) for row in rows(Viewing)]
    assert viewings == [("roster", []), ("roster", ["asked_for_access"]), ("roster", [])]
    assert "viewed who has access needs" in viewings_text(corin)


def test_roster_pages_take_at_most_five_statements(corin, search):
    add_registrations(DECEMBER, *(f"p{number}@example.org" for number in range(9)), access=["asl"])
    one = f"{PEOPLE}/{rows()[0]['id']}"
    took = {}

    for path in (SESSION, one, f"{SESSION}/add", ACCESS, EMAILS):
        with Statements() as took[path]:
            assert corin.get(path).status_code == 200
    with Statements() as took[PEOPLE]:
        search(text="p1")

    assert max(len(sent) for sent in took.values()) <= 5, took


def test_access_needs_are_grouped_by_need_and_the_viewing_is_recorded(corin):
    add_registrations(
        DECEMBER, "ada@example.org", access=["asl", "interpretation"], access_language="Spanish"
    )
    add_registrations(
        DECEMBER, "grace@example.org", status="waiting", access=["asl"], access_other="Breaks"
    )
    add_registrations(DECEMBER, "mallory@example.org", status="cancelled", access=["cart"])
    add_registrations("2027-01-19", "katherine@example.org", access=["phone"])

    page = corin.page(ACCESS)

    assert [text_of(part) for part in page.select("main section.flow")] == [
        "American Sign Language (ASL) interpreter (2) Ada Registered Grace Waiting list",
        "Interpretation into another language (1) Ada : Spanish Registered",
        "Something else, in your own words (1) Grace : Breaks Waiting list",
    ]
    assert "2 people asked" in main_text(page)
    assert "by December 1" in main_text(page)
    assert [row["resource"] for row in rows(Viewing)] == ["access"]
    assert "viewed the access needs" in viewings_text(corin)


def test_the_access_page_says_when_they_are_deleted_by_the_settings(corin):
    update_community(short_retention_days=3)

    assert "Deleted 3 days after the session." in main_text(corin.page(ACCESS))


def test_within_two_weeks_the_time_to_book_is_over(app, corin):
    add_registrations(DECEMBER, "ada@example.org", access=["asl"])
    advance_clock(app, timedelta(minutes=30))
    update_meeting(DECEMBER, starts_at=NOW + timedelta(days=14), ends_at=NOW + timedelta(days=15))

    assert "The deadline to book interpreters or captioners was" in main_text(corin.page(ACCESS))


def test_addresses_to_paste_are_one_text_and_the_viewing_is_recorded(corin):
    add_registrations(DECEMBER, "grace@example.org", "ada@example.org", "back@example.org")
    add_registrations(DECEMBER, "katherine@example.org", status="waiting")
    add_registrations("2027-01-19", "bystander@example.org")
    with write_tx() as db_session:
        bouncing = db_session.query(Member).filter_by(email="back@example.org")
        bouncing.update({"undeliverable_at": NOW})

    held, waiting = corin.page(EMAILS), corin.page(f"{EMAILS}?status=waiting")

    copy = held.select_one("button[data-copies]")
    assert held.find(id=copy["data-copies"]).get_text() == "grace@example.org, ada@example.org"
    assert waiting.find(id="addresses").get_text() == "katherine@example.org"
    assert "Bcc" in main_text(held)
    assert "1 address is left out" in main_text(held)
    assert [row["resource"] for row in rows(Viewing)] == ["emails", "emails"]
    assert corin.get(f"{EMAILS}?status=cancelled").status_code == 422
    assert "viewed the email addresses" in viewings_text(corin)


def test_every_column_has_a_checkbox_and_only_access_is_unchecked(corin):
    add_registrations(DECEMBER, "ada@example.org")

    ticks = corin.page(SESSION).select("input[name=columns]")

    header = corin.get(EXPORT).data.decode("utf-8-sig").split("\r\n")[0]
    assert ",".join(tick["value"] for tick in ticks if tick.has_attr("checked")) == header
    assert [tick["value"] for tick in ticks if not tick.has_attr("checked")] == ["access"]


def test_without_the_export_right_there_is_no_button_and_the_page_says_whom_to_ask(corin):
    add_registrations(DECEMBER, "ada@example.org")
    with write_tx() as db_session:
        db_session.query(Coordinator).update({"may_export": False})

    page = corin.page(SESSION)
    refused = [corin.page(path, status=403) for path in (EMAILS, EXPORT)]

    assert "ada@example.org" in main_text(page)
    assert not page.select("input[name=columns], a[href$=emails]")
    assert all(
        "ask a coordinator who can download lists" in main_text(refusal) for refusal in refused
    )
    assert [row["resource"] for row in rows(Viewing)] == ["roster"]


def test_the_printed_roster_has_a_checkbox_and_no_address(corin):
    add_registrations(
        DECEMBER, "ada@example.org", pronouns="she/her", prep_answer="Those who left."
    )

    people = corin.page(SESSION).select_one("#people tbody")

    for part in people.select(".off-paper"):
        part.decompose()
    assert text_of(people) == "☐ Ada she/her"


def test_the_name_is_the_whole_header_of_a_row(corin):
    everything = {"pronouns": "she/her", "first_time": True, "prep_answer": "Those who left."}
    add_registrations(DECEMBER, "ada@example.org", **everything)

    people = corin.page(SESSION).select_one("#people tbody")

    header = people.select_one("th[scope=row]")
    assert text_of(header) == "Ada"
    [answer] = people.select(f"td[headers={header['id']}]")
    assert text_of(answer) == "Those who left."
