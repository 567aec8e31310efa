"""Concurrent registrations, and how many statements each takes."""

import re
from contextlib import suppress
from dataclasses import replace
from time import sleep

import pytest
from sqlalchemy import func, select, update

from cop.db.engine import read_tx, write_tx
from cop.errors import Refused
from cop.models.meeting import Meeting
from cop.models.registration import Member, Registration, Submission
from cop.privacy import erasure
from cop.registration import confirmation
from cop.registration.register import ALL_UPCOMING
from tests.builders import ADA, a_writer, register
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


@pytest.mark.postgresql  # SQLite has one lock
@pytest.mark.parametrize("act", ["save_answers", "change_email"])
def test_a_confirmation_and_an_erasure_at_once_do_not_deadlock(app, act):
    with write_tx() as db_session:
        register(db_session, DECEMBER, ADA, submission="key")
        member_id = db_session.scalar(select(Member.id))
        writer = a_writer(db_session)

    def confirm():
        sleep(0.2)
        with write_tx() as db_session, suppress(Refused):
            if act == "save_answers":
                confirmation.save_answers(db_session, "key", {}, writer=writer)
            else:
                email = "grace@example.org"
                confirmation.change_email(db_session, "key", email, new_key="new", writer=writer)

    def erase():
        with write_tx() as db_session:
            db_session.execute(select(Member.id).where(Member.id == member_id).with_for_update())
            sleep(0.6)
            erasure.erase(db_session, member_id, writer=writer)

    at_once(app, confirm, erase)

    assert _count(Member.id, Member.id == member_id) == 0


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
