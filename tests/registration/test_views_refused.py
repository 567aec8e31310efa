"""A refused registration stores nothing, keeps everything typed and says why."""

import time
from datetime import timedelta
from types import SimpleNamespace

import itsdangerous.timed
import pytest

from cop.models.registration import Member, Submission
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
    "organization": "A & B",
    "pronouns": "she/her",
    "hats": ["analyst", "lived-experience"],
    "hats_other": "gardener",
    "access": ["asl", "interpretation"],
    "access_language": "Español",
    "access_other": "large print",
    "taking_part": ["talk", "listen"],
    "first_time": "yes",
    "prep_answer": "\nOne line.\n\nAnd </textarea> another.",
    "prep_visibility": "group",
    "list_opt_in": "yes",
}
SIZES = pytest.mark.parametrize("headers", [{}, HTMX], ids=["page", "fragment"])
LONG_OPEN = "This page had been open for a long time. Please send it once more."
OVER = timedelta(days=24)


def as_lists(answers):
    return {name: v if isinstance(v, list) else [v] for name, v in answers.items()}


def refused(response):
    """What the form says and holds now; nothing of the post was stored."""
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


@SIZES
@pytest.mark.parametrize(
    "wrong",
    [{"name": ""}, {"email": "ada.example.org"}, {"sessions": None}, {"organization": "x" * 201}],
    ids=["no name", "no address", "no session", "too long"],
)
def test_a_refused_form_keeps_everything_typed(client, wrong, headers):
    update_meeting(DECEMBER, prep_question="What is missing?")
    answers = TYPED | wrong

    soup = refused(register(client, headers=headers, **answers))

    (name,) = wrong
    kept = {n: v for n, v in form_values(soup).items() if n not in {"token", "website"}}
    expected = as_lists({n: v for n, v in answers.items() if v is not None})
    expected["prep_answer"] = ["One line.\n\nAnd </textarea> another."]  # spaces around it go
    assert kept == expected
    assert len(error_summary(soup)) == 1
    assert soup.select_one(f".summary a[href='#{name}']")
    assert soup.find(id=f"{name}-refusal").get_text(strip=True) == error_summary(soup)[0]


def test_a_text_may_be_as_long_as_its_limit(client):
    update_meeting(DECEMBER, prep_question="What is missing?")
    limits = {"name": 200, "organization": 200, "pronouns": 60, "hats_other": 300}
    limits |= {"access_language": 300, "access_other": 300, "prep_answer": 500}

    longer = {name: "é" * (limit + 1) for name, limit in limits.items()}
    soup = refused(register(client, DECEMBER, **longer))
    longest = {name: "é" * limit for name, limit in limits.items()}
    accepted = register(client, DECEMBER, **longest)

    assert error_summary(soup) == [
        f"Shorten this to {limit} characters; it has {limit + 1}." for limit in limits.values()
    ]
    assert accepted.status_code == 303
    assert longest.items() <= rows()[0].items()


def test_an_answer_that_was_not_offered_is_refused(client):
    update_meeting(DECEMBER, prep_question="What is missing?")
    names = ("hats", "access", "taking_part", "prep_visibility")

    soup = refused(register(client, DECEMBER, **dict.fromkeys(names, "admiral")))

    assert error_summary(soup) == ["Choose among the answers listed here."] * 4


@SIZES
@pytest.mark.parametrize("why", ["cancelled", "ended", "unknown"])
def test_a_closed_session_stores_nothing_and_leaves_the_others_selected(app, client, why, headers):
    chosen = [DECEMBER, JANUARY, FEBRUARY]
    token = form_token(client)
    if why == "cancelled":
        update_meeting(DECEMBER, status="cancelled")
    elif why == "ended":
        advance_clock(app, OVER)
    else:
        chosen[0] = "1999-01-01"

    soup = refused(register(client, chosen, token=token, headers=headers))

    said = {"cancelled": "is cancelled", "ended": "is over", "unknown": "is not on the schedule"}
    assert len(error_summary(soup)) == 1
    assert said[why] in error_summary(soup)[0]
    assert checked_sessions(soup) == [JANUARY, FEBRUARY]


def test_a_refusal_names_the_day_of_the_session_in_the_community_s_zone(client):
    evening = NOW - timedelta(hours=13)  # 9 pm on November 21 in Connecticut, November 22 in UTC
    update_meeting(DECEMBER, starts_at=evening, ends_at=evening + timedelta(hours=1))

    soup = refused(register(client, DECEMBER))

    assert "The session on November 21 is over" in error_summary(soup)[0]


@SIZES
def test_an_expired_form_keeps_its_values_and_can_be_sent_again(client, long_open, headers):
    update_meeting(DECEMBER, prep_question="What is missing?")

    soup = refused(register(client, token=long_open, headers=headers, **TYPED))

    kept = form_values(soup)
    (fresh,) = kept["token"]
    assert error_summary(soup) == [LONG_OPEN]
    assert kept["name"] == [TYPED["name"]]
    assert kept["sessions"] == TYPED["sessions"]
    assert fresh != long_open
    assert client.post("/register", data=kept).status_code == 303
    assert [slug for _, slug, _ in registration_statuses()] == TYPED["sessions"]


@pytest.mark.parametrize(
    "token", ["", "forged", "x.y.z", "\0", "é" * 300, "IkhlbGxvIg.aaaa.bbbb"], ids=ascii
)
def test_a_forged_token_is_refused_like_an_expired_one(client, token):
    soup = refused(register(client, DECEMBER, token=token))

    (fresh,) = form_values(soup)["token"]

    assert error_summary(soup) == [LONG_OPEN]
    assert register(client, DECEMBER, token=fresh).status_code == 303


def test_a_token_signed_for_something_else_is_refused(app, client):
    other = itsdangerous.URLSafeTimedSerializer(app.secret_key, salt="another form")

    soup = refused(register(client, DECEMBER, token=other.dumps("a nonce")))

    assert error_summary(soup) == [LONG_OPEN]


@SIZES
def test_the_honeypot_is_shown_to_somebody_who_filled_it(client, headers):
    soup = refused(register(client, website="https://spam.example", headers=headers, **TYPED))

    field = soup.find("input", id="website")
    sent = form_values(soup)
    assert "Leave this field empty" in error_summary(soup)[0]
    assert "is-shown" in field.parent["class"]
    assert field["value"] == "https://spam.example"
    assert field["tabindex"] == "0"
    assert sent["name"] == [TYPED["name"]]
    assert client.post("/register", data=sent | {"website": ""}).status_code == 303


@SIZES
def test_a_likely_typo_in_the_address_is_pointed_out_and_never_blocks(client, headers):
    soup = refused(register(client, DECEMBER, name="", email="ada@gmial.com", headers=headers))

    accepted = register(client, DECEMBER, email="ada@gmial.com")

    assert "Did you mean ada@gmail.com?" in soup.find(id="email-suggestion").get_text()
    assert accepted.status_code == 303


@pytest.mark.parametrize(
    ("email", "said"),
    [("ada@gmial.com", "Did you mean ada@gmail.com?"), ("ada@gmail.com", ""), ("ada", "")],
    ids=["a slip", "none", "not an address"],
)
def test_the_email_hint_appears_while_typing(client, email, said):
    answer = client.post("/register/email-hint", data={"email": email}, headers=HTMX)

    hint = parse(answer).find(id="email-suggestion").get_text()

    assert answer.status_code == 200
    assert hint.startswith(said)
    assert bool(hint) == bool(said)
