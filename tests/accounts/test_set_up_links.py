"""The set-up link to the first account works once, for a day."""

from concurrent.futures import ThreadPoolExecutor, wait
from datetime import timedelta

import pytest
from sqlalchemy import select

from cop.accounts import accounts
from cop.db.engine import write_tx
from cop.errors import LinkExpired
from cop.models.coordinator import SetUpLink
from tests.accounts.test_accounts import add
from tests.builders import NOW
from tests.concurrency import at_once

pytestmark = pytest.mark.both

A_SECOND = timedelta(seconds=1)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)


def test_a_set_up_link_works_for_a_day(db_session):
    token = accounts.new_set_up_link(db_session, now=NOW)
    db_session.flush()

    accounts.check_set_up_link(db_session, token, now=NOW + DAY)

    assert db_session.scalars(select(SetUpLink.token_hash)).one() != token
    with pytest.raises(LinkExpired, match="This set-up link"):
        accounts.check_set_up_link(db_session, token, now=NOW + DAY + A_SECOND)


@pytest.mark.parametrize("guess", ["", "guessed", "é"], ids=["empty", "guessed", "not ASCII"])
def test_a_guessed_set_up_link_does_not_work(db_session, guess):
    with pytest.raises(LinkExpired, match="This set-up link"):
        accounts.check_set_up_link(db_session, guess, now=NOW)
    accounts.new_set_up_link(db_session, now=NOW)
    db_session.flush()

    with pytest.raises(LinkExpired, match="This set-up link"):
        accounts.check_set_up_link(db_session, guess, now=NOW)


def test_a_newer_set_up_link_ends_the_one_before(db_session):
    older = accounts.new_set_up_link(db_session, now=NOW)
    newer = accounts.new_set_up_link(db_session, now=NOW + HOUR)
    db_session.flush()

    accounts.check_set_up_link(db_session, newer, now=NOW + HOUR)

    with pytest.raises(LinkExpired, match="This set-up link"):
        accounts.check_set_up_link(db_session, older, now=NOW + HOUR)


def test_there_is_no_set_up_link_once_somebody_can_sign_in(db_session):
    token = accounts.new_set_up_link(db_session, now=NOW)
    db_session.flush()

    add(db_session)

    assert accounts.new_set_up_link(db_session, now=NOW) is None
    assert db_session.scalars(select(SetUpLink)).all() == []
    with pytest.raises(LinkExpired, match="This set-up link"):
        accounts.check_set_up_link(db_session, token, now=NOW)


def test_a_set_up_link_used_twice_at_once_creates_one_account(app):
    with write_tx() as db_session:
        token = accounts.new_set_up_link(db_session, now=NOW)

    def set_up(name):
        try:
            with write_tx() as db_session:
                accounts.check_set_up_link(db_session, token, now=NOW)
                return add(db_session, name)
        except LinkExpired:
            return None

    made = at_once(app, *(lambda name=name: set_up(name) for name in ("Corin", "Mallory")))

    assert sum(account is not None for account in made) == 1


def test_of_two_starts_at_once_the_second_prints_a_link_that_works(app):
    def start():
        with app.app_context(), write_tx() as db_session:
            return accounts.new_set_up_link(db_session, now=NOW)

    with ThreadPoolExecutor(1) as pool, write_tx() as db_session:
        accounts.new_set_up_link(db_session, now=NOW)
        db_session.flush()
        beside = pool.submit(start)
        wait([beside], timeout=0.3)
        db_session.commit()
        token = beside.result()

    with write_tx() as db_session:
        accounts.check_set_up_link(db_session, token, now=NOW)
        assert len(db_session.scalars(select(SetUpLink)).all()) == 1
