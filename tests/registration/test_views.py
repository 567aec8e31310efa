"""The registration form: its fields, its answers, and what it stores."""

import re

import pytest

from cop.models.registration import Member, Submission
from tests.client import (
    ALL_SIX,
    DECEMBER,
    FEBRUARY,
    HTMX,
    JANUARY,
    add_registrations,
    checked_sessions,
    form_token,
    form_values,
    register,
    registration_statuses,
    rows,
    text_of,
    update_community,
    update_meeting,
)
from tests.page import parse

pytestmark = pytest.mark.both

CHOICES = {
    "hats": {
        *("analyst", "evaluator", "researcher", "data-coordinator", "gis-analyst"),
        *("program-manager", "case-manager", "administrative-staff"),
    },
    "access": {"asl", "cart", "interpretation", "slides", "phone", "main-room"},
    "taking_part": {"talk", "type", "listen"},
    "first_time": {"yes"},
    "lived_experience": {"yes"},
    "prep_visibility": {"hosts", "group", "named"},
    "list_opt_in": {"yes"},
}
TEXTS = {"organization", "pronouns", "hats_other", "access_language"} | {
    *("access_other", "prep_answer")
}
ANSWERS = {
    "organization": "Example Org",
    "pronouns": "she/her",
    "hats": ["analyst", "gis-analyst"],
    "hats_other": "gardener",
    "lived_experience": "yes",
    "access": ["interpretation", "main-room"],
    "access_language": "Spanish",
    "access_other": "large print",
    "taking_part": ["type"],
    "first_time": "yes",
    "prep_answer": "Renters.",
    "prep_visibility": "named",
    "list_opt_in": "yes",
}


KEY = re.compile(r"form=\w{64}")


def answer(client, response):
    """Return all that a browser gets, whatever the key of the form."""
    page = client.get(response.location) if response.location else response
    return response.status_code, KEY.sub("", page.get_data(as_text=True))


def confirmation(client, response):
    """Return the part of the page after a redirect that confirms the registration."""
    return client.page(response.location).find(id="registration")


def chosen(soup):
    """Return the slugs of the sessions that a confirmation lists."""
    links = soup.select(".well li > a[href^='/schedule/']")
    return [link["href"].removeprefix("/schedule/") for link in links if ".ics" not in link["href"]]


def test_the_form_sends_the_documented_names_and_values(client):
    update_meeting(DECEMBER, prep_question="What is missing?")

    controls = client.page("/register").find("form").select("input, textarea")
    page = client.page(register(client).location)
    optional = page.select(".panel input, .panel textarea")

    names = {"sessions", "name", "email", "token", "leave_blank"}
    assert {control["name"] for control in controls} == names
    slugs = {control["value"] for control in controls if control["name"] == "sessions"}
    assert slugs == {*ALL_SIX, "all"}
    assert {control["name"] for control in optional} == TEXTS | set(CHOICES)
    for name, values in CHOICES.items():
        assert {control["value"] for control in optional if control["name"] == name} == values


def test_the_form_for_one_session_asks_for_name_and_email_only(client):
    update_meeting(JANUARY, capacity=1)
    add_registrations(JANUARY, "grace@example.org")

    for slug, title in [
        (DECEMBER, "Register for December 15"),
        (JANUARY, "Join the waiting list for January 19"),
    ]:
        page = client.page(f"/register?session={slug}")

        values = form_values(page)
        assert page.h1.get_text() == page.title.get_text().partition(" ·")[0] == title
        assert values.pop("token")
        assert values == {"sessions": [slug], "name": [""], "email": [""], "leave_blank": [""]}


def test_a_refused_form_for_one_session_stays_short_unless_the_session_is_refused(client):
    path = f"/register?session={DECEMBER}"

    short = parse(register(client, DECEMBER, path=path, name=""))
    update_meeting(DECEMBER, status="cancelled")
    long = parse(register(client, DECEMBER, path=path))

    assert len(short.select("[name=sessions]")) == 1
    assert len(long.select("[name=sessions]")) == len(ALL_SIX)


@pytest.mark.parametrize(
    ("sessions", "stored"), [([JANUARY, DECEMBER], [DECEMBER, JANUARY]), ("all", ALL_SIX)]
)
def test_one_form_registers_for_several_or_all_sessions(client, sessions, stored):
    response = register(client, sessions)

    page = client.page(response.location)
    assert response.status_code == 303
    assert page.h1.get_text() == "You're registered"
    assert chosen(page) == stored
    assert registration_statuses() == [("ada@example.org", slug, "held") for slug in stored]


def test_the_confirmation_names_each_session_and_is_not_indexed(client):
    update_meeting(JANUARY, capacity=1)
    add_registrations(JANUARY, "grace@example.org")

    page = client.page(register(client, [DECEMBER, JANUARY]).location)

    text = text_of(page.find(id="registration"))
    assert text.index("December 15") < text.index("On the waiting list") < text.index("January 19")
    assert page.find("meta", attrs={"name": "robots"})["content"] == "noindex"


def test_a_confirmation_of_no_form_is_not_found_and_offers_the_link(client):
    for query in ("", "?form=", f"?form={'0' * 64}", f"?sessions={DECEMBER}", "?form=%00"):
        page = client.page(f"/registered{query}", status=404)

        assert page.find("form", action="/my-link")


def test_htmx_gets_the_confirmation_and_every_part_that_changes_with_it(client):
    update_meeting(DECEMBER, capacity=1)

    response = register(client, [DECEMBER, JANUARY], headers=HTMX)

    soup = parse(response)
    outside = {tag.get("id") for tag in soup.find_all(attrs={"hx-swap-oob": True})}
    assert response.status_code == 200
    assert not response.get_data(as_text=True).lower().startswith("<!doctype")
    assert soup.find("section", id="registration").h2.has_attr("autofocus")
    assert outside == {"status"} | {f"{w}-{s}" for w in ("places", "act") for s in ALL_SIX[:2]}
    assert soup.find(id=f"places-{DECEMBER}").get_text() == "Full"
    assert "waiting list" in soup.find(id=f"act-{DECEMBER}").get_text()


def test_the_url_selects_sessions(client):
    selected = {
        "/register": [],
        "/register?session=all": ["all"],
        f"/register?session={JANUARY}&session=1999-01-01&session={FEBRUARY}": ALL_SIX[1:3],
        f"/schedule/{FEBRUARY}": [FEBRUARY],
    }

    assert {path: checked_sessions(client.page(path)) for path in selected} == selected


def test_losing_the_last_place_while_the_form_is_open_leads_to_the_waiting_list(client):
    update_meeting(DECEMBER, capacity=1)
    token = form_token(client)
    add_registrations(DECEMBER, "grace@example.org")

    response = register(client, DECEMBER, token=token)

    assert chosen(confirmation(client, response)) == [DECEMBER]
    assert client.page(response.location).h1.get_text() == "You're on the waiting list"
    assert [status for _, _, status in registration_statuses()] == ["held", "waiting"]


@pytest.mark.parametrize(
    "disabled",
    [
        {"organization", "hats", "first_time", "prep_visibility"},
        {"pronouns", "access", "taking_part", "prep_answer", "list_opt_in"},
    ],
)
def test_disabled_questions_are_not_asked_and_their_answers_not_stored(client, disabled):
    update_meeting(DECEMBER, prep_question="What is missing?")
    update_community(disabled_questions=[*disabled, "sessions", "name", "email"])

    page = client.page(register(client, DECEMBER, **ANSWERS).location)

    names = {control["name"] for control in page.select(".panel input, .panel textarea")}
    [stored], [member] = rows(), rows(Member)
    stored |= {"list_opt_in": member["list_requested_at"] and "yes"}
    checked = {name: "yes" if stored[name] else "" for name in ("first_time", "lived_experience")}
    stored |= checked
    gone = {name for name in ANSWERS if name.startswith((*disabled,))}
    if "prep_answer" in disabled:  # which is asked with it
        gone.add("prep_visibility")
    assert names == ANSWERS.keys() - gone
    assert all(stored[name] in ("", [], None, "hosts") for name in gone)
    others = ANSWERS.keys() - gone
    assert {name: stored[name] for name in others} == {name: ANSWERS[name] for name in others}


@pytest.mark.parametrize("headers", [{}, HTMX], ids=["page", "fragment"])
def test_a_stranger_who_knows_an_address_changes_and_learns_nothing(client, headers):
    first = register(client, DECEMBER, headers=headers)
    before = rows(), rows(Member)

    again = register(client, DECEMBER, headers=headers, name="Mallory", pronouns="?", access="asl")

    assert answer(client, again) == answer(client, first)
    assert (rows(), rows(Member)) == before


def test_the_same_form_sent_twice_replays_the_first_answer_and_for_another_address_not(client):
    update_meeting(DECEMBER, capacity=1)
    token = form_token(client)

    first = register(client, DECEMBER, token=token)
    second = register(client, DECEMBER, token=token)
    register(client, DECEMBER, token=token, name="Grace Sample", email="grace@example.org")

    assert second.location == first.location
    assert registration_statuses() == [
        ("ada@example.org", DECEMBER, "held"),
        ("grace@example.org", DECEMBER, "waiting"),
    ]
    assert len(rows(Submission)) == 2
