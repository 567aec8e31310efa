"""The registration form: its fields, its answers, and what it stores."""

from urllib.parse import parse_qs, urlsplit

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
    "sessions": {*ALL_SIX, "all"},
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
TEXTS = {"name", "email", "organization", "pronouns", "hats_other", "access_language"} | {
    *("access_other", "prep_answer", "token", "leave_blank")
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


def landing(response):
    """Return the path of a redirect, and its query as a dict."""
    parts = urlsplit(response.location)
    return parts.path, {name: value for name, (value,) in parse_qs(parts.query).items()}


def answer(response):
    """Return all that a browser gets."""
    return response.status_code, response.location, response.get_data()


def test_the_form_sends_the_documented_names_and_values(client):
    update_meeting(DECEMBER, prep_question="What is missing?")

    controls = client.page("/register").find("form").select("input, textarea")

    assert {control["name"] for control in controls} == TEXTS | set(CHOICES)
    for name, values in CHOICES.items():
        assert {control["value"] for control in controls if control["name"] == name} == values


@pytest.mark.parametrize(
    ("sessions", "stored"), [([JANUARY, DECEMBER], [DECEMBER, JANUARY]), ("all", ALL_SIX)]
)
def test_one_form_registers_for_several_or_all_sessions(client, sessions, stored):
    response = register(client, sessions)

    assert response.status_code == 303
    assert landing(response) == ("/registered", {"sessions": ",".join(stored)})
    assert registration_statuses() == [("ada@example.org", slug, "held") for slug in stored]
    assert client.page(response.location).h1.get_text() == "You're registered"


def test_the_confirmation_names_each_session_and_is_not_indexed(client):
    update_meeting(JANUARY, capacity=1)
    add_registrations(JANUARY, "grace@example.org")

    page = client.page(f"/registered?sessions={DECEMBER},{JANUARY},1999-01-01&waiting={JANUARY}")

    text = text_of(page.find(id="registration"))
    assert text.index("December 15") < text.index("On the waiting list") < text.index("January 19")
    assert page.find("meta", attrs={"name": "robots"})["content"] == "noindex"


def test_a_confirmation_without_a_session_is_not_found(client):
    for query in ("", "?sessions=1999-01-01", "?waiting=2026-12-15"):
        assert client.page(f"/registered{query}", status=404).h1


def test_htmx_gets_the_confirmation_and_every_part_that_changes_with_it(client):
    update_meeting(DECEMBER, capacity=1)

    response = register(client, [DECEMBER, JANUARY], headers=HTMX)

    soup = parse(response)
    outside = {tag.get("id") for tag in soup.find_all(attrs={"hx-swap-oob": True})}
    assert response.status_code == 200
    assert not response.get_data(as_text=True).lower().startswith("<!doctype")
    assert soup.find("section", id="registration").h2.has_attr("autofocus")
    assert outside == {"status"} | {f"{w}-{s}" for w in ("places", "act") for s in ALL_SIX[:2]}
    assert soup.find(id=f"places-{DECEMBER}").get_text() == "Full, waiting list open"
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

    assert landing(response) == ("/registered", {"sessions": DECEMBER, "waiting": DECEMBER})
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

    page = client.page("/register")
    register(client, DECEMBER, **ANSWERS)

    names = {control["name"] for control in page.select("form input, form textarea")}
    [stored], [member] = rows(), rows(Member)
    stored |= {"list_opt_in": member["list_requested_at"] and "yes"}
    checked = {name: "yes" if stored[name] else "" for name in ("first_time", "lived_experience")}
    stored |= checked
    gone = {name for name in ANSWERS if name.startswith((*disabled,))}
    if "prep_answer" in disabled:  # which is asked with it
        gone.add("prep_visibility")
    assert names == {"sessions", "name", "email", "token", "leave_blank"} | ANSWERS.keys() - gone
    assert all(stored[name] in ("", [], None, "hosts") for name in gone)
    others = ANSWERS.keys() - gone
    assert {name: stored[name] for name in others} == {name: ANSWERS[name] for name in others}


@pytest.mark.parametrize("headers", [{}, HTMX], ids=["page", "fragment"])
def test_a_stranger_who_knows_an_address_changes_and_learns_nothing(client, headers):
    first = register(client, DECEMBER, headers=headers, pronouns="she/her")
    before = rows(), rows(Member)

    mallory = {"name": "Mallory", "email": "ADA@EXAMPLE.ORG", "pronouns": "", "access": "asl"}
    again = register(client, DECEMBER, headers=headers, **mallory)

    assert answer(again) == answer(first)
    assert (rows(), rows(Member)) == before


def test_the_same_form_sent_twice_replays_the_first_answer_and_for_another_address_not(client):
    update_meeting(DECEMBER, capacity=1)
    token = form_token(client)

    first = register(client, DECEMBER, token=token)
    second = register(client, DECEMBER, token=token)
    register(client, DECEMBER, token=token, name="Grace Sample", email="grace@example.org")

    assert answer(second) == answer(first)
    assert registration_statuses() == [
        ("ada@example.org", DECEMBER, "held"),
        ("grace@example.org", DECEMBER, "waiting"),
    ]
    assert len(rows(Submission)) == 2
