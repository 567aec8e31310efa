"""Sending a form again: the same one, another one for a place that is held, somebody else's."""

import pytest

from cop.db.engine import write_tx
from cop.models.registration import Member, Submission
from cop.registration.register import old_submissions
from tests.builders import NOW
from tests.client import (
    DECEMBER,
    FEBRUARY,
    HTMX,
    JANUARY,
    change,
    fill,
    places,
    register,
    rows,
    token_of,
    typed,
)
from tests.page import parse
from tests.tokens import without_tokens

pytestmark = pytest.mark.both

SIZES = pytest.mark.parametrize("headers", [{}, HTMX], ids=["page", "fragment"])


def answer(response):
    """All that a browser is told."""
    return response.status_code, response.location, response.get_data()


def said(response):
    """What the confirmation says, apart from what it refreshes elsewhere on the page."""
    return response.status_code, str(parse(response).find("section", id="registration"))


@SIZES
def test_posting_again_for_a_held_place_answers_the_same_and_changes_nothing(client, headers):
    first = register(client, DECEMBER, headers=headers, organization="Example Org")
    before = rows(), rows(Member)

    again = register(client, DECEMBER, headers=headers, organization="Somewhere else")

    assert answer(again) == answer(first)
    assert (rows(), rows(Member)) == before


@SIZES
def test_a_stranger_who_knows_an_address_changes_and_learns_nothing(client, headers):
    first = register(client, DECEMBER, headers=headers, pronouns="she/her")
    before = rows(), rows(Member)

    mallory = {"name": "Mallory", "email": "ADA@EXAMPLE.ORG", "pronouns": "", "access": "asl"}
    again = register(client, DECEMBER, headers=headers, **mallory)

    assert answer(again) == answer(first)
    assert (rows(), rows(Member)) == before


def test_sessions_not_yet_held_are_added(client):
    register(client, DECEMBER, organization="Example Org")

    register(client, [DECEMBER, JANUARY], organization="Somewhere else")

    assert [slug for _, slug, _ in places()] == [DECEMBER, JANUARY]
    assert [row["organization"] for row in rows()] == ["Example Org", "Somewhere else"]


def test_after_cancelling_a_new_registration_joins_at_the_tail(client):
    change(DECEMBER, capacity=1)
    fill(DECEMBER, "ada@example.org", status="cancelled")
    fill(DECEMBER, "grace@example.org")

    register(client, DECEMBER)

    assert [status for _, _, status in places()] == ["cancelled", "held", "waiting"]


@SIZES
def test_the_same_form_sent_twice_replays_the_first_answer(client, headers):
    change(DECEMBER, capacity=1)
    token = token_of(client)

    first = register(client, DECEMBER, token=token, headers=headers)
    second = register(client, DECEMBER, token=token, headers=headers)

    assert answer(second) == answer(first)
    assert places() == [("ada@example.org", DECEMBER, "held")]
    assert len(rows(Submission)) == 1


@pytest.mark.parametrize("later", [{"status": "cancelled"}, {"ends_at": NOW, "starts_at": None}])
def test_a_form_is_replayed_also_when_its_session_has_closed_since(client, later):
    if "starts_at" in later:
        later["starts_at"] = NOW.replace(day=1)
    token = token_of(client)
    first = register(client, DECEMBER, token=token)
    change(DECEMBER, **later)

    second = register(client, DECEMBER, token=token)

    assert answer(second) == answer(first)


def test_another_address_in_the_same_form_is_a_new_post(client):
    token = token_of(client)

    register(client, DECEMBER, token=token)
    register(client, DECEMBER, token=token, name="Grace Sample", email="grace@example.org")

    assert [email for email, _, _ in places()] == ["ada@example.org", "grace@example.org"]
    assert len(rows(Submission)) == 2


def test_a_refused_form_can_be_sent_again_with_the_token_it_has(client):
    refused = register(client, DECEMBER, name="")

    kept = typed(parse(refused)) | {"name": "Ada Example"}
    accepted = client.post("/register", data=kept)

    assert accepted.status_code == 303
    assert len(places()) == 1


def test_what_is_kept_of_a_sent_form_names_nobody_and_goes_after_a_day(client):
    register(client, DECEMBER)

    (kept,) = rows(Submission)
    with write_tx() as db_session:
        old_submissions(now=NOW.replace(day=24)).erase_all(db_session)

    assert set(kept) == {"key", "held", "waiting", "created_at"}
    assert "ada" not in without_tokens(repr(kept)).lower()
    assert rows(Submission) == []


@SIZES
@pytest.mark.parametrize("others", [1, 2], ids=["last place", "full"])
def test_what_the_page_says_does_not_depend_on_who_had_registered(client, others, headers):
    """Ada holds one of three places: her answer now is the one that a newcomer gets."""
    for slug in (DECEMBER, JANUARY):
        change(slug, capacity=3 if others == 1 else 2)
        fill(slug, "ada@example.org", "grace@example.org")
    fill(FEBRUARY, "katherine@example.org")

    known = register(client, DECEMBER, headers=headers)
    new = register(client, JANUARY, email="mallory@example.org", headers=headers)

    pages = [client.get(r.location) if r.location else r for r in (known, new)]
    status, text = said(pages[1])
    assert known.status_code == new.status_code
    assert said(pages[0]) == (status, _as_if(text))
    assert (known.location or "").replace(DECEMBER, JANUARY) == (new.location or "")


def _as_if(text):
    """The words about January as they would be about December."""
    for january, december in (
        ("January 19, 2027", "December 15, 2026"),
        ("January 19", "December 15"),
        (JANUARY, DECEMBER),
        (JANUARY.replace("-", ""), DECEMBER.replace("-", "")),
    ):
        text = text.replace(january, december)
    return text
