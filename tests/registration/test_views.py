"""The registration form: its fields, its answers, and what it stores."""

from urllib.parse import parse_qs, urlsplit

import pytest

from cop.models.registration import Member
from tests.builders import NOW
from tests.client import (
    ALL_SIX,
    DECEMBER,
    FEBRUARY,
    HTMX,
    JANUARY,
    add_registrations,
    checked_sessions,
    register,
    registration_statuses,
    rows,
    update_community,
    update_meeting,
)
from tests.page import parse

pytestmark = pytest.mark.both

CHOICES = {
    "sessions": {*ALL_SIX, "all"},
    "hats": {
        *("analyst", "evaluator", "researcher", "data-coordinator", "gis-analyst"),
        *("program-manager", "case-manager", "administrative-staff", "lived-experience"),
    },
    "access": {"asl", "cart", "interpretation", "slides", "phone", "main-room"},
    "taking_part": {"talk", "type", "listen"},
    "first_time": {"yes"},
    "prep_visibility": {"hosts", "group", "named"},
    "list_opt_in": {"yes"},
}
OTHERS = {"name", "email", "organization", "pronouns", "hats_other", "access_language"} | {
    *("access_other", "prep_answer", "token", "website")
}
OPTIONAL = [
    "organization",
    "pronouns",
    "hats",
    "access",
    "taking_part",
    "first_time",
    *("prep_answer", "prep_visibility", "list_opt_in"),
]
EVERYTHING = {
    "organization": "Example Org",
    "pronouns": "she/her",
    "hats": ["analyst", "gis-analyst"],
    "hats_other": "gardener",
    "access": ["interpretation", "main-room"],
    "access_language": "Spanish",
    "access_other": "large print",
    "taking_part": ["type"],
    "first_time": "yes",
}


def landing(response):
    """Where a plain post was sent, and what its query says."""
    parts = urlsplit(response.location)
    return parts.path, {name: v for name, (v,) in parse_qs(parts.query).items()}


def test_the_form_sends_the_documented_names_and_values(client):
    update_meeting(DECEMBER, prep_question="What is missing?")

    controls = client.page("/register").find("form").select("input, textarea")

    assert {control["name"] for control in controls} == OTHERS | set(CHOICES)
    for name, values in CHOICES.items():
        assert {control["value"] for control in controls if control["name"] == name} == values


@pytest.mark.parametrize(
    ("sessions", "stored"),
    [
        (JANUARY, [JANUARY]),
        ([JANUARY, DECEMBER], [DECEMBER, JANUARY]),
        ("all", ALL_SIX),
        (["all", JANUARY], ALL_SIX),
    ],
    ids=["one", "several", "all", "all beside one"],
)
def test_one_form_registers_for_one_several_or_all_sessions(client, sessions, stored):
    response = register(client, sessions)

    assert response.status_code == 303
    assert landing(response) == ("/registered", {"sessions": ",".join(stored)})
    assert registration_statuses() == [("ada@example.org", slug, "held") for slug in stored]
    assert client.page(response.location).h1.get_text() == "You are registered"


def test_every_answer_is_stored_with_the_registration(client):
    register(client, DECEMBER, **EVERYTHING)

    (stored,) = rows()
    (member,) = rows(Member)
    assert {name: stored[name] for name in EVERYTHING} == EVERYTHING | {"first_time": True}
    assert (stored["name"], stored["language"]) == ("Ada Example", "en")
    assert stored["registered_at"] == NOW
    assert member["email"] == "ada@example.org"
    assert member["list_requested_at"] is None


def test_the_confirmation_names_each_session_and_is_not_indexed(client):
    update_meeting(JANUARY, capacity=1)
    add_registrations(JANUARY, "grace@example.org")

    page = client.page(f"/registered?sessions={DECEMBER},{JANUARY},1999-01-01&waiting={JANUARY}")

    said = page.find(id="registration").get_text(" ", strip=True)
    assert said.index("December 15") < said.index("On the waiting list") < said.index("January 19")
    assert page.find("meta", attrs={"name": "robots"})["content"] == "noindex"


@pytest.mark.parametrize("query", ["", "?sessions=", "?sessions=1999-01-01", "?waiting=2026-12-15"])
def test_a_confirmation_without_a_session_is_not_found(client, query):
    page = client.page(f"/registered{query}", status=404)

    assert page.h1


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


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", []),
        (f"?session={JANUARY}", [JANUARY]),
        ("?session=all", ["all"]),
        ("?session=1999-01-01", []),
        (f"?session={JANUARY}&session={FEBRUARY}", ALL_SIX[1:3]),
    ],
    ids=["nothing", "one", "all", "unknown", "two"],
)
def test_the_url_selects_sessions(client, query, expected):
    page = client.page(f"/register{query}")

    assert checked_sessions(page) == expected


def test_the_form_on_a_session_s_page_has_it_selected(client):
    page = client.page(f"/schedule/{FEBRUARY}")

    assert checked_sessions(page) == [FEBRUARY]


def test_losing_the_last_place_while_the_form_is_open_leads_to_the_waiting_list(client):
    update_meeting(DECEMBER, capacity=1)
    client.page(f"/register?session={DECEMBER}")
    register(client, DECEMBER, email="grace@example.org")

    response = register(client, DECEMBER)

    assert landing(response) == ("/registered", {"sessions": DECEMBER, "waiting": DECEMBER})
    assert client.page(response.location).h1.get_text() == "You are on the waiting list"
    assert [status for _, _, status in registration_statuses()] == ["held", "waiting"]


@pytest.mark.parametrize("off", OPTIONAL)
def test_a_disabled_question_is_not_asked_and_its_answer_not_stored(client, off):
    update_meeting(DECEMBER, prep_question="What is missing?")
    update_community(disabled_questions=[off])
    answers = EVERYTHING | {"prep_answer": "Renters.", "prep_visibility": "named"}

    page = client.page("/register")
    register(client, DECEMBER, list_opt_in="yes", **answers)

    (stored,) = rows()
    stored |= {"list_opt_in": rows(Member)[0]["list_requested_at"]}
    others = {name for name in answers if not name.startswith((off, "prep_"))}
    assert not page.select(f'[name="{off}"], [name="{off}_other"]')
    assert stored[off] in ("", [], False, None, "hosts")
    assert {name: stored[name] for name in others} == {
        name: True if name == "first_time" else answers[name] for name in others
    }


def test_required_questions_cannot_be_disabled(client):
    update_community(disabled_questions=["sessions", "name", "email"])

    names = {control["name"] for control in client.page("/register").select("form input")}

    assert {"sessions", "name", "email"} <= names
