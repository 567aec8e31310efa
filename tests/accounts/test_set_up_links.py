"""The set-up link to the first account works once, for a day."""

from concurrent.futures import ThreadPoolExecutor, wait
from datetime import timedelta

import pytest
from sqlalchemy import select

from cop.accounts import accounts
from cop.db.engine import write_tx
from cop.errors import LinkExpired
from cop.models.coordinator import SetUpLink
from tests.builders import NOW, PASSWORD
from tests.concurrency import at_once

pytestmark = pytest.mark.both

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)


def works(db_session, token, *, now=NOW):
    try:
        accounts.check_set_up_link(db_session, token, now=now)
    except LinkExpired:
        return False
    return True


def add(db_session, name="Corin"):
    return accounts.add(db_session, f"{name}@example.org", name=name, password=PASSWORD)


def test_a_set_up_link_works_for_a_day_and_only_its_hash_is_stored(db_session):
    guesses = ["", "guessed", "é"]
    before = [works(db_session, guess) for guess in guesses]

    token = accounts.new_set_up_link(db_session, now=NOW)

    assert db_session.scalars(select(SetUpLink.token_hash)).one() != token
    assert works(db_session, token, now=NOW + DAY)
    assert not works(db_session, token, now=NOW + DAY + timedelta(seconds=1))
    assert not any(before + [works(db_session, guess) for guess in guesses])


def test_a_newer_set_up_link_or_an_account_ends_the_one_before(db_session):
    older = accounts.new_set_up_link(db_session, now=NOW)
    newer = accounts.new_set_up_link(db_session, now=NOW + HOUR)
    before = [works(db_session, token, now=NOW + HOUR) for token in (older, newer)]

    add(db_session)

    assert before == [False, True]
    assert accounts.new_set_up_link(db_session, now=NOW) is None
    assert db_session.scalars(select(SetUpLink)).all() == []
    assert not works(db_session, newer)


def test_a_set_up_link_used_twice_at_once_creates_one_account(app):
    with write_tx() as db_session:
        token = accounts.new_set_up_link(db_session, now=NOW)

    def set_up(name):
        with write_tx() as db_session:
            return works(db_session, token) and add(db_session, name)

    created = at_once(app, *(lambda name=name: set_up(name) for name in ("Corin", "Mallory")))

    assert sum(bool(account) for account in created) == 1


def test_of_two_starts_at_once_the_second_prints_a_link_that_works(app):
    def start():
        with app.app_context(), write_tx() as db_session:
            return accounts.new_set_up_link(db_session, now=NOW)

    with ThreadPoolExecutor(1) as pool, write_tx() as db_session:
        accounts.new_set_up_link(db_session, now=NOW)
        db_session.flush()
        second = pool.submit(start)
        wait([second], timeout=0.1)
        db_session.commit()
        token = second.result()

    with write_tx() as db_session:
        assert works(db_session, token)
        assert len(db_session.scalars(select(SetUpLink)).all()) == 1
