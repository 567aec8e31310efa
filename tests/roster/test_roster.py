"""The roster: searches, filters, order and counts."""

from datetime import timedelta
from types import SimpleNamespace

import pytest

from cop.roster import roster
from cop.roster.roster import Counts, RosterFilter
from tests.builders import NOW, a_meeting, a_registration

BLANK = {"organization": "", "hats": [], "first_time": False, "attended": None,
         "has_access_needs": False}  # fmt: skip


def an_attendee(name, number=0, status="held", **values):
    email = f"{name.split()[0].lower()}@example.org"
    at = NOW + timedelta(minutes=number)
    row = {"id": number, "name": name, "email": email, "status": status, "registered_at": at}
    return SimpleNamespace(**BLANK | row | values)


def names(people, **criteria):
    found = roster.filter_attendees(people, RosterFilter(**criteria))
    return [person.name.split()[0] for person in found]


@pytest.mark.parametrize(
    ("typed", "name", "is_found"),
    [
        ("JOSE nunez", "José Ángel Núñez", True),
        ("ÉLODIE", "élodie", True),
        ("strasse", "Ana Straße", True),
        ("ИВАН", "Иван Петров", True),
        ("王", "王小明", True),
        ("I", "ılgaz", False),
        ("ada@example.org", "Ada", True),
        ("harbor ada", "Ada", True),
        ("ada lovelace", "Ada", False),
        ("%", "Ada", False),
        ("_da", "Ada", False),
        ("100%", "Ada 100% here", True),
        ("\\", "Ada", False),
    ],
)
def test_a_search_ignores_case_and_accents_and_matches_nothing_else(typed, name, is_found):
    bystander = an_attendee("Zz Y", email="zz@example.net")
    person = an_attendee(name, organization="Harbor Lab")

    found = roster.filter_attendees([bystander, person], RosterFilter(text=typed))

    assert found == ([person] if is_found else [])


PEOPLE = [
    an_attendee("Ada", 1, hats=["analyst"], attended=True),
    an_attendee("Grace", 2, "waiting", first_time=True, attended=False),
    an_attendee("Katherine", 3, "cancelled", has_access_needs=True, hats=["analyst", "evaluator"]),
]


@pytest.mark.parametrize(
    ("criteria", "expected"),
    [
        ({}, ["Ada", "Grace", "Katherine"]),
        ({"text": "  "}, ["Ada", "Grace", "Katherine"]),
        ({"status": "waiting"}, ["Grace"]),
        ({"hat": "analyst"}, ["Ada", "Katherine"]),
        ({"first_time": True}, ["Grace"]),
        ({"access": True}, ["Katherine"]),
        ({"attended": "yes"}, ["Ada"]),
        ({"attended": "no"}, ["Grace"]),
        ({"attended": "unknown"}, ["Katherine"]),
        ({"hat": "analyst", "attended": "yes", "text": "ada"}, ["Ada"]),
        ({"hat": "analyst", "first_time": True}, []),
    ],
    ids=str,
)
def test_a_person_has_to_pass_all_filters(criteria, expected):
    assert names(PEOPLE, **criteria) == expected


@pytest.mark.parametrize(
    ("sort", "expected"),
    [
        ("registered", ["Émile", "zoe", "Ada", "Waldo", "Bea", "Gone"]),
        ("name", ["Ada", "Émile", "zoe", "Bea", "Waldo", "Gone"]),
        ("organization", ["Ada", "zoe", "Émile", "Waldo", "Bea", "Gone"]),
    ],
)
def test_in_any_order_places_come_first_and_the_waiting_list_keeps_its_order(sort, expected):
    people = [
        an_attendee("Gone", 0, "cancelled"),
        an_attendee("zoe", 5, organization="ärzte"),
        an_attendee("Ada", 6, organization="Alpha"),
        an_attendee("Émile", 1),
        # Moved to the end: registered before those ahead of her.
        an_attendee("Bea", 9, "waiting", registered_at=NOW - timedelta(days=9)),
        an_attendee("Waldo", 7, "waiting", organization="Zeta"),
    ]

    assert names(people, sort=sort) == expected


@pytest.mark.both
def test_counts_are_of_one_meeting_and_leave_out_canceled_registrations(db_session):
    it, other = a_meeting(db_session, slug="it"), a_meeting(db_session, slug="other")
    for name, status, values in (
        ("ada", "held", {"first_time": True, "access": ["asl"], "attended": True}),
        ("grace", "waiting", {"access_other": "a break", "attended": False}),
        ("katherine", "held", {"first_time": True}),
        ("mallory", "cancelled", {"first_time": True, "access": ["asl"]}),
    ):
        a_registration(db_session, it, f"{name}@example.org", status, **values)
    a_registration(db_session, other, "bystander@example.org")

    counted = [roster.count_statuses(roster.attendees(db_session, each.id)) for each in (it, other)]

    assert counted == [
        Counts(held=2, waiting=1, cancelled=1, first_time=2, access=2, attended=1),
        Counts(held=1),
    ]
    assert roster.count_statuses([]) == Counts()
