"""Concurrent registrations, and how many statements each takes."""

import re
from dataclasses import replace

import pytest
from sqlalchemy import func, select, update

from cop.db.engine import read_tx, write_tx
from cop.models.meeting import Meeting
from cop.models.registration import Member, Registration, Submission
from cop.registration.register import ALL_UPCOMING
from tests.builders import ADA, register
from tests.client import ALL_SIX, DECEMBER, FEBRUARY, JANUARY
from tests.concurrency import at_once
from tests.statements import Statements

pytestmark = pytest.mark.both

CROWD = [replace(ADA, name=f"Ada {n}", email=f"ada.{n}@example.org") for n in range(12)]


def _registering(details, slugs, **values):
    def act():
        with write_tx() as db_session:
            return register(db_session, slugs, details, **values)

    return act


def _count(column, *conditions):
    with read_tx() as db_session:
        return db_session.scalar(select(func.count(column)).where(*conditions))


def test_the_last_places_are_given_once_each(app):
    with write_tx() as db_session:
        db_session.execute(update(Meeting).values(capacity=5))

    outcomes = at_once(app, *(_registering(person, DECEMBER) for person in CROWD))

    assert sum(len(outcome.held) for outcome in outcomes) == 5
    assert _count(Registration.id, Registration.status == "held") == 5
    assert _count(Registration.id, Registration.status == "waiting") == 7


def test_registrations_for_the_same_meetings_in_another_order_do_not_deadlock(app):
    wanted = [DECEMBER, JANUARY, FEBRUARY]
    orders = [wanted, wanted[::-1], [ALL_UPCOMING]] * 4

    outcomes = at_once(
        app, *(_registering(person, order) for person, order in zip(CROWD, orders, strict=True))
    )

    assert [form.held[:3] for form in outcomes] == [wanted] * len(CROWD)
    assert _count(Registration.id) == 4 * 3 + 4 * 3 + 4 * 6


def test_one_form_sent_many_times_at_once_is_one_registration(app):
    sending = [_registering(ADA, [ALL_UPCOMING], submission="the form")] * 8

    outcomes = at_once(app, *sending)

    assert {(*form.held, *form.waiting) for form in outcomes} == {tuple(ALL_SIX)}
    assert _count(Registration.id) == 6
    assert _count(Submission.key) == 1


def test_one_address_in_two_tabs_at_once_is_one_member_with_one_place_each(app):
    tabs = [DECEMBER, JANUARY, DECEMBER, JANUARY] * 2

    at_once(app, *(_registering(ADA, slug) for slug in tabs))

    assert _count(Member.id) == 1
    assert _count(Registration.id) == 2


def test_the_locks_are_taken_first_and_in_the_order_of_the_ids(app):
    statements = _statements_of(_registering(ADA, [FEBRUARY, DECEMBER, JANUARY]))

    verbs = [statement.split()[0] for statement in statements]
    locks = [statement for statement in statements if statement.startswith("UPDATE meeting")]
    ids = [int(re.search(r"meeting\.id = (\d+)", lock)[1]) for lock in locks]
    assert verbs[:2] == ["SELECT", "UPDATE"]
    assert ids == sorted(ids)
    assert len(ids) == 3


@pytest.mark.parametrize(
    ("slugs", "limit"), [(DECEMBER, 12), (ALL_UPCOMING, 13)], ids=["one", "six"]
)
def test_registering_takes_few_statements_whatever_is_there(app, slugs, limit):
    with write_tx() as db_session:
        for person in CROWD:
            register(db_session, ALL_UPCOMING, person)

    statements = _statements_of(_registering(ADA, slugs))

    assert len(statements) <= limit, "\n".join(statements)


def _statements_of(act):
    with Statements() as sent:
        act()
    read_by_builders = ("FROM community", "submission.registration_ids")
    return [one for one in sent if not any(words in one for words in read_by_builders)]
