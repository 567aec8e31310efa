"""A refused registration stores nothing, keeps everything typed and says why."""

import time
from datetime import timedelta
from types import SimpleNamespace

import itsdangerous.timed
import pytest
from bs4 import BeautifulSoup

from cop.models.registration import Member, Submission
from cop.questions import registry
from cop.web.forms import TOKEN_AGE
from tests.builders import NOW
from tests.client import (
    DECEMBER,
    FEBRUARY,
    HTMX,
    JANUARY,
    advance_clock,
    checked_sessions,
    error_summary,
    form_token,
    form_values,
    register,
    registration_statuses,
    rows,
    update_meeting,
)
from tests.page import parse

pytestmark = pytest.mark.both

TYPED = {
    "sessions": [DECEMBER, JANUARY],
    "name": "Ada <b>& \"Example\"</b> 'ß' 🦦",
    "email": "ada@example.org",
}
OPTIONAL = {
    "organization": "A & B",
    "pronouns": "she/her",
    "hats": ["analyst", "evaluator"],
    "hats_other": "gardener",
    "lived_experience": "yes",
    "access": ["asl", "interpretation"],
    "access_language": "Español",
    "access_other": "large print",
    "taking_part": ["talk", "listen"],
    "first_time": "yes",
    "prep_answer": "\nOne line.\n\nAnd </textarea> another.",
    "prep_visibility": "group",
    "list_opt_in": "yes",
}
LABELS = {
    field.name: field.label
    for question in registry.QUESTIONS
    for field in (question, *question.other_texts)
}
LONG_OPEN = "This page was open for a long time. Please send the form again."


def refused(response):
    """Parse a refused form; nothing of the post was stored."""
    assert response.status_code == 422
    assert rows() == rows(Member) == rows(Submission) == []
    soup = parse(response)
    if response.get_data(as_text=True).lower().startswith("<!doctype"):
        assert soup.title.get_text().startswith("Error: ")
    return soup


@pytest.fixture
def long_open(client, monkeypatch):
    """The token of a form that was fetched longer ago than it is valid."""
    past = SimpleNamespace(time=lambda: time.time() - TOKEN_AGE - 5)
    with monkeypatch.context() as earlier:
        earlier.setattr(itsdangerous.timed, "time", past)
        return form_token(client)


@pytest.mark.parametrize("headers", [{}, HTMX], ids=["page", "fragment"])
def test_a_refused_form_keeps_everything_typed(client, headers):
    for name, typed in {"sessions": None, "name": "", "email": "ada.example.org"}.items():
        answers = TYPED | {name: typed}

        soup = refused(register(client, headers=headers, **answers))

        values = {n: v for n, v in form_values(soup).items() if n not in {"token", "leave_blank"}}
        assert values == _as_lists(answers)
        [error] = error_summary(soup)
        assert soup.select_one(f".summary a[href='#{name}']").get_text(strip=True) == error
        assert soup.find(id=f"{name}-refusal").get_text(strip=True) == error


def _as_lists(answers):
    return {n: v if isinstance(v, list) else [v] for n, v in answers.items() if v is not None}


@pytest.mark.parametrize("headers", [{}, HTMX], ids=["page", "fragment"])
def test_refused_optional_answers_are_all_kept(client, headers):
    update_meeting(DECEMBER, prep_question="What is missing?")
    path = register(client, **TYPED).location
    before = rows()

    response = client.post(path, data=OPTIONAL | {"organization": "x" * 201}, headers=headers)

    soup = parse(response)
    form = BeautifulSoup(str(soup.select_one(".panel")), "lxml")
    expected = _as_lists(OPTIONAL | {"organization": "x" * 201})
    expected["prep_answer"] = ["One line.\n\nAnd </textarea> another."]  # spaces around it go
    assert response.status_code == 422
    assert rows() == before
    assert {name: value for name, value in form_values(form).items() if value != [""]} == expected
    [error] = error_summary(soup)
    assert soup.select_one(".summary a[href='#organization']").get_text(strip=True) == error


def test_a_text_may_be_as_long_as_its_limit(client):
    update_meeting(DECEMBER, prep_question="What is missing?")
    limits = {"access_language": 300, "access_other": 300, "organization": 200, "pronouns": 60}
    limits |= {"hats_other": 300, "prep_answer": 500}

    soup = refused(register(client, DECEMBER, name="é" * 201))
    accepted = register(client, DECEMBER, name="é" * 200)
    longer = {name: "é" * (limit + 1) for name, limit in limits.items()}
    errors = error_summary(parse(client.post(accepted.location, data=longer)))
    longest = {name: "é" * limit for name, limit in limits.items()}
    saved = client.post(accepted.location, data=longest)

    assert error_summary(soup) + errors == [
        f"{LABELS[name]}: Use at most {limit} characters. You have {limit + 1}."
        for name, limit in ({"name": 200} | limits).items()
    ]
    assert (accepted.status_code, saved.status_code) == (303, 303)
    assert (longest | {"name": "é" * 200}).items() <= rows()[0].items()


def test_an_answer_that_was_not_offered_is_refused(client):
    update_meeting(DECEMBER, prep_question="What is missing?")
    names = ("hats", "access", "taking_part", "prep_visibility")

    path = register(client, DECEMBER).location
    response = client.post(path, data=dict.fromkeys(names, "admiral"))

    assert response.status_code == 422
    assert error_summary(parse(response)) == ["Choose from the answers listed."] * 4
    assert rows()[0]["hats"] == []


@pytest.mark.parametrize(
    ("reason", "error"),
    [
        ("cancelled", "is canceled"),
        ("ended", "is over"),
        ("unknown", "isn't on the schedule"),
    ],
)
def test_a_closed_session_stores_nothing_and_leaves_the_others_selected(app, client, reason, error):
    chosen = [DECEMBER, JANUARY, FEBRUARY]
    token = form_token(client)
    if reason == "cancelled":
        update_meeting(DECEMBER, status="cancelled")
    elif reason == "ended":
        advance_clock(app, timedelta(days=24))
    else:
        chosen[0] = "1999-01-01"

    soup = refused(register(client, chosen, token=token))

    [summary] = error_summary(soup)
    assert error in summary
    assert checked_sessions(soup) == [JANUARY, FEBRUARY]


def test_a_refusal_names_the_day_of_the_session_in_the_community_s_zone(client):
    evening = NOW - timedelta(hours=13)  # 9 pm on November 21 in Connecticut, November 22 in UTC
    update_meeting(DECEMBER, starts_at=evening, ends_at=evening + timedelta(hours=1))

    soup = refused(register(client, DECEMBER))

    assert "The session on November 21 is over" in error_summary(soup)[0]


def test_an_expired_form_keeps_its_values_and_can_be_sent_again(client, long_open):
    soup = refused(register(client, token=long_open, headers=HTMX, **TYPED))

    values = form_values(soup)
    assert error_summary(soup) == [LONG_OPEN]
    assert values["name"] == [TYPED["name"]]
    assert values["sessions"] == TYPED["sessions"]
    assert values["token"] != [long_open]
    assert client.post("/register", data=values).status_code == 303
    assert [slug for _, slug, _ in registration_statuses()] == TYPED["sessions"]


def test_a_forged_token_is_refused_like_an_expired_one(client):
    for token in ("", "forged", "x.y.z", "\0", "é" * 300, "IkhlbGxvIg.aaaa.bbbb"):
        soup = refused(register(client, DECEMBER, token=token))

        assert error_summary(soup) == [LONG_OPEN]
    [fresh] = form_values(soup)["token"]
    assert register(client, DECEMBER, token=fresh).status_code == 303


def test_the_honeypot_is_shown_to_somebody_who_filled_it(client):
    soup = refused(register(client, leave_blank="https://spam.example", **TYPED))

    field = soup.find("input", id="leave_blank")
    values = form_values(soup)
    assert "Leave this field blank" in error_summary(soup)[0]
    assert "is-shown" in field.parent["class"]
    assert field["value"] == "https://spam.example"
    assert field["tabindex"] == "0"
    assert values["name"] == [TYPED["name"]]
    assert client.post("/register", data=values | {"leave_blank": ""}).status_code == 303


def test_the_honeypot_is_hidden_from_assistive_technology_and_password_managers(client):
    field = client.page("/register").find("input", id="leave_blank")

    assert field.find_parent(attrs={"aria-hidden": "true"})
    assert (field["autocomplete"], field["tabindex"]) == ("off", "-1")


def test_a_name_that_nobody_sees_is_refused(client):
    for name in ("\u200b", "\u200e", "\u3164", "\u2800", "\u115f \uffa0", "\u202e", " \ufe0f"):
        soup = refused(register(client, DECEMBER, name=name))

        assert len(error_summary(soup)) == 1, ascii(name)
        assert soup.select_one("#name[aria-invalid=true]")


def test_invisible_characters_of_a_name_or_an_address_are_dropped(client):
    answer = register(
        client, DECEMBER, name="Ada\u202e \ufeffExample", email="\u200bAda <ada@example.org>."
    )

    assert answer.status_code == 303
    assert [row["name"] for row in rows()] == ["Ada Example"]
    assert [row["email"] for row in rows(Member)] == ["ada@example.org"]


def test_a_likely_typo_in_the_address_is_pointed_out_and_never_blocks(client):
    soup = refused(register(client, DECEMBER, name="", email="ada@gmial.com"))

    accepted = register(client, DECEMBER, email="ada@gmial.com")

    assert "Did you mean ada@gmail.com?" in soup.find(id="email-suggestion").get_text()
    assert accepted.status_code == 303


def test_the_email_hint_appears_while_typing(client):
    hints = {}
    for email in ("ada@gmial.com", "ada@gmail.com", "ada"):
        response = client.post("/register/email-hint", data={"email": email}, headers=HTMX)
        hints[email] = parse(response).find(id="email-suggestion").get_text()

    assert hints.pop("ada@gmial.com").startswith("Did you mean ada@gmail.com?")
    assert set(hints.values()) == {""}
