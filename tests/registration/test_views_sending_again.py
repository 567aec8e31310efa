"""Sending a form again: the same one, or another for an address that is registered."""

import pytest

from cop.models.registration import Member, Submission
from tests.client import (
    DECEMBER,
    FEBRUARY,
    HTMX,
    JANUARY,
    add_registrations,
    form_token,
    register,
    registration_statuses,
    rows,
    update_meeting,
)
from tests.page import parse

pytestmark = pytest.mark.both


def answer(response):
    """Return all that a browser gets."""
    return response.status_code, response.location, response.get_data()


def confirmation(response):
    """Return the confirmation, apart from what it refreshes elsewhere on the page."""
    return response.status_code, str(parse(response).find("section", id="registration"))


@pytest.mark.parametrize("headers", [{}, HTMX], ids=["page", "fragment"])
def test_a_stranger_who_knows_an_address_changes_and_learns_nothing(client, headers):
    first = register(client, DECEMBER, headers=headers, pronouns="she/her")
    before = rows(), rows(Member)

    mallory = {"name": "Mallory", "email": "ADA@EXAMPLE.ORG", "pronouns": "", "access": "asl"}
    again = register(client, DECEMBER, headers=headers, **mallory)

    assert answer(again) == answer(first)
    assert (rows(), rows(Member)) == before


def test_the_same_form_sent_twice_replays_the_first_answer(client):
    update_meeting(DECEMBER, capacity=1)
    token = form_token(client)

    first = register(client, DECEMBER, token=token)
    second = register(client, DECEMBER, token=token)

    assert answer(second) == answer(first)
    assert registration_statuses() == [("ada@example.org", DECEMBER, "held")]
    assert len(rows(Submission)) == 1


def test_another_address_in_the_same_form_is_a_new_submission(client):
    token = form_token(client)

    register(client, DECEMBER, token=token)
    register(client, DECEMBER, token=token, name="Grace Sample", email="grace@example.org")

    assert [email for email, _, _ in registration_statuses()] == [
        "ada@example.org",
        "grace@example.org",
    ]
    assert len(rows(Submission)) == 2


@pytest.mark.parametrize(
    ("capacity", "headers"), [(3, {}), (2, HTMX)], ids=["last place, page", "full, fragment"]
)
def test_the_confirmation_does_not_depend_on_who_was_registered(client, capacity, headers):
    """Ada and Grace hold places: Ada's answer now is the one that a newcomer gets."""
    for slug in (DECEMBER, JANUARY):
        update_meeting(slug, capacity=capacity)
        add_registrations(slug, "ada@example.org", "grace@example.org")
    add_registrations(FEBRUARY, "katherine@example.org")

    known = register(client, DECEMBER, headers=headers)
    new = register(client, JANUARY, email="mallory@example.org", headers=headers)

    pages = [client.get(r.location) if r.location else r for r in (known, new)]
    status, text = confirmation(pages[1])
    assert known.status_code == new.status_code
    assert confirmation(pages[0]) == (status, _as_if(text))
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
