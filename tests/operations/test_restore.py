"""Restoring: what people withdrew after the backup was made is withdrawn again."""

from contextlib import closing
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import update

from cop import create_app
from cop.accounts import accounts
from cop.audit import withdrawals
from cop.db.engine import sqlite_module
from cop.errors import InvalidLink
from cop.links import Owner
from cop.meetings import schedule
from cop.members import members, preferences
from cop.members import registrations as members_registrations
from cop.models.coordinator import Coordinator
from cop.models.registration import Member, Registration, Withdrawal
from cop.operations import restore as operations_restore
from cop.privacy import deletion
from cop.registration import confirmation
from cop.roster import address_correction
from tests.builders import (
    ADA,
    GRACE,
    NOW,
    a_coordinator,
    a_writer,
    find_member,
    password_hash,
    register,
    registrations,
)
from tests.operations.test_backups import DECEMBER, backed_up, erase, file_of, opened, who_is_at

KINDS = ("reminders", "takeaways", "list")


@pytest.fixture
def ready(site):
    """A site where Ada and Grace are registered and get every kind of email."""
    with opened(site) as db_session:
        answers = {"organization": "Lab", "access": ["asl"]}
        register(db_session, DECEMBER, replace(ADA, values=answers))
        register(db_session, DECEMBER, replace(GRACE, values=answers))
        everything = {"list_requested_at": NOW, "list_confirmed_at": NOW, "verified_at": NOW}
        db_session.execute(update(Member).values(**everything))
    return site


def act(settings, what, *, hours=1, email=ADA.email):
    """Let a member do something some hours after `NOW`."""
    with opened(settings) as db_session:
        row = find_member(db_session, email)
        owner = Owner(row.id, row.token_version)
        what(db_session, owner, a_writer(db_session, now=NOW + timedelta(hours=hours)))


def restore(settings, made):
    """Restore a backup after everything else; return how many members were erased again."""
    _, erased = operations_restore.restore(
        settings, made, now=NOW + timedelta(hours=5), create_app=create_app
    )
    return erased


def stop(kind):
    return lambda db_session, owner, writer: preferences.opt_out(
        db_session, owner.member_id, kind, writer=writer
    )


def choose(*wanted):
    return lambda db_session, owner, writer: preferences.set_preferences(
        db_session,
        members.verify_and_lock(db_session, owner, now=writer.now),
        wanted=wanted,
        writer=writer,
    )


def confirm(db_session, owner, writer):
    preferences.confirm_subscription(db_session, owner, writer=writer)


def wanted(settings, email=ADA.email):
    """Which kinds of email somebody gets."""
    with opened(settings) as db_session:
        row = find_member(db_session, email)
        on_list = row.list_confirmed_at is not None
        return {*KINDS} - {*row.opt_outs} - (set() if on_list else {"list"})


@pytest.mark.parametrize("kind", ["reminders", "list"])
def test_email_that_was_stopped_after_a_backup_does_not_come_back_with_it(ready, kind):
    made = backed_up(ready)
    act(ready, stop(kind))

    restore(ready, made)

    assert wanted(ready) == {*KINDS} - {kind}
    assert wanted(ready, GRACE.email) == {*KINDS}


def test_what_was_switched_off_on_the_member_s_page_stays_off(ready):
    made = backed_up(ready)
    act(ready, choose("takeaways"))

    restore(ready, made)

    assert wanted(ready) == {"takeaways"}


def test_who_opted_in_again_since_the_backup_stays_opted_in(ready):
    made = backed_up(ready)
    act(ready, choose())
    act(ready, choose(*KINDS), hours=2)
    act(ready, confirm, hours=3)

    restore(ready, made)

    assert wanted(ready) == {*KINDS}


def test_who_only_asked_for_the_list_again_is_not_on_it(ready):
    made = backed_up(ready)
    act(ready, stop("list"))
    act(ready, choose(*KINDS), hours=2)

    restore(ready, made)

    assert wanted(ready) == {"reminders", "takeaways"}


@pytest.mark.parametrize("days", [-30, 0, 30], ids=["behind", "right", "ahead"])
def test_an_erasure_after_a_backup_is_repeated_whatever_the_clock_was_then(ready, days):
    made = backed_up(ready, now=NOW + timedelta(days=days))
    erase(ready, ADA.email, now=NOW + timedelta(hours=1))

    erased = restore(ready, made)

    assert (who_is_at(ready), erased) == ("Grace held", 1)
    assert ADA.email.encode() not in file_of(ready).read_bytes()


def test_who_came_back_before_a_backup_by_a_clock_behind_stays(ready):
    erase(ready, ADA.email, now=NOW + timedelta(hours=1))
    with opened(ready) as db_session:
        register(db_session, DECEMBER, ADA)
    made = backed_up(ready, now=NOW - timedelta(days=30))

    erased = restore(ready, made)

    assert (who_is_at(ready), erased) == ("Grace held, Ada held", 0)


def test_who_left_the_list_and_has_no_row_any_more_is_not_put_on_it_again(ready):
    made = backed_up(ready)
    act(ready, stop("list"))
    with opened(ready) as db_session:
        for row in registrations(db_session):
            db_session.delete(row)
        db_session.flush()
        deletion.run(db_session, now=NOW)
        assert find_member(db_session, ADA.email) is None

    restore(ready, made)

    assert wanted(ready) == {"reminders", "takeaways"}


def renew_links(db_session, owner, writer):
    recipient = members.verify_and_lock(db_session, owner, now=writer.now)
    preferences.renew_links(db_session, recipient, writer=writer)


def renew_calendar(db_session, owner, writer):
    preferences.renew_calendar(db_session, owner.member_id, writer=writer)


def test_old_links_and_calendar_addresses_are_dead_after_a_restore_too(ready):
    with opened(ready) as db_session:
        ada, grace = (find_member(db_session, email) for email in (ADA.email, GRACE.email))
    made = backed_up(ready)
    act(ready, renew_links)
    act(ready, renew_calendar, email=GRACE.email)

    restore(ready, made)

    with opened(ready) as db_session:
        with pytest.raises(InvalidLink):
            members.find(db_session, Owner(ada.id, ada.token_version))
        owner = Owner(grace.id, grace.token_version)  # her links still work
        assert members.find(db_session, owner).email == GRACE.email
        for before in (ada, grace):
            assert find_member(db_session, before.email).calendar_version != before.calendar_version


def delete_answer(name):
    return lambda db_session, owner, writer: members_registrations.delete_answer(
        db_session, owner.member_id, DECEMBER, name, writer=writer
    )


def empty_answer(name):
    def change(db_session, owner, writer):
        known = members.read_member(db_session, owner, schedule.read(db_session, now=NOW))
        found = known.registration_for(DECEMBER)
        row = db_session.get_one(Registration, found.row.id)
        confirmation.change_answers(db_session, row, found.meeting, {name: ""}, writer=writer)

    return change


@pytest.mark.parametrize("way", [delete_answer, empty_answer], ids=["deleted", "emptied"])
def test_an_answer_that_was_deleted_after_a_backup_does_not_come_back_with_it(ready, way):
    made = backed_up(ready)
    act(ready, way("organization"))

    restore(ready, made)

    with opened(ready) as db_session:
        answers = [(row.organization, row.access) for row in registrations(db_session)]
    assert answers == [("", ["asl"]), ("Lab", ["asl"])]


def test_an_address_that_was_corrected_gets_nothing_from_a_restored_backup(ready):
    made = backed_up(ready)
    with opened(ready) as db_session:
        row = registrations(db_session)[0]
        slip = Owner(row.member_id, find_member(db_session, ADA.email).token_version)
        writer = a_writer(db_session, now=NOW + timedelta(hours=1))
        address_correction.correct_address(db_session, row.id, "ada@example.net", writer=writer)

    restore(ready, made)

    assert who_is_at(ready) == "Ada held, Grace held"
    with opened(ready) as db_session:
        assert find_member(db_session, ADA.email).undeliverable_at
        with pytest.raises(InvalidLink):
            members.find(db_session, slip)
        assert find_member(db_session, GRACE.email).undeliverable_at is None


@pytest.mark.parametrize("again", [False, True], ids=["stopped", "resumed"])
def test_an_address_that_coordinators_marked_stays_marked_until_it_works_again(ready, again):
    made = backed_up(ready)
    act(ready, lambda s, owner, w: preferences.opt_out_of_all(s, owner.member_id, writer=w))
    if again:
        act(ready, lambda s, owner, w: preferences.opt_in_to_all(s, owner.member_id, writer=w))

    restore(ready, made)

    with opened(ready) as db_session:
        assert (find_member(db_session, ADA.email).undeliverable_at is None) is again


def test_withdrawals_hold_no_address_and_go_when_no_backup_is_older(ready):
    act(ready, choose())
    with opened(ready) as db_session:
        for days in (13, 14):
            withdrawals.delete_old(db_session, now=NOW + timedelta(days=days))
            before = repr([vars(row) for row in db_session.query(Withdrawal)])
            assert "ada" not in before
        left = db_session.query(Withdrawal).count()
        withdrawals.delete_old(db_session, now=NOW + timedelta(days=14, hours=1))
        assert (left, db_session.query(Withdrawal).count()) == (3, 0)


@pytest.mark.parametrize(
    "older_schema",
    [
        "ALTER TABLE withdrawal RENAME COLUMN scope TO what",
        (
            "CREATE TABLE erasure AS SELECT key, withdrawn_at AS erased_at FROM withdrawal;"
            "DROP TABLE withdrawal"
        ),
    ],
    ids=["0005", "0004"],
)
def test_erasures_that_an_older_release_remembers_are_applied_too(ready, older_schema):
    made = backed_up(ready)
    erase(ready, ADA.email, now=NOW + timedelta(hours=1))
    with closing(sqlite_module.connect(file_of(ready))) as connection:
        connection.executescript(older_schema)

    restore(ready, made)

    assert who_is_at(ready) == "Grace held"


@pytest.fixture
def staffed(ready):
    """The same, with three coordinators, of whom only Corin may export lists."""
    with opened(ready) as db_session:
        for name in ("Corin", "Dana", "Eve"):
            a_coordinator(db_session, name, may_export=name == "Corin")
    return ready


def find_coordinator(db_session, name):
    return db_session.query(Coordinator).filter_by(name=name).one()


def remove(settings, name, *, by="Corin"):
    with opened(settings) as db_session:
        removed, remover = (find_coordinator(db_session, each) for each in (name, by))
        writer = a_writer(db_session, now=NOW + timedelta(hours=1))
        accounts.remove(db_session, removed.id, by=remover, writer=writer)


def coordinators(settings):
    with opened(settings) as db_session:
        return {coordinator.name for coordinator in db_session.query(Coordinator)}


def test_a_coordinator_who_was_removed_does_not_come_back_unless_added_again(staffed):
    made = backed_up(staffed)
    remove(staffed, "Dana")
    remove(staffed, "Eve")
    with opened(staffed) as db_session:
        a_coordinator(db_session, "Eve")

    restore(staffed, made)

    assert coordinators(staffed) == {"Corin", "Eve"}


def test_coordinators_sign_in_after_a_restore_with_what_they_sign_in_with_now(staffed):
    made = backed_up(staffed)
    current = {
        "password_hash": "a new hash",
        "totp_secret": "GEZDGNBVGY3TQOJQ",
        "totp_step": 7,
        "recovery_hashes": ["a hash"],
        "may_export": False,
    }
    with opened(staffed) as db_session:
        find_coordinator(db_session, "Eve").may_export = True
        corin = find_coordinator(db_session, "Corin")
        for name, value in current.items():
            setattr(corin, name, value)

    restore(staffed, made)

    with opened(staffed) as db_session:
        corin, dana = (find_coordinator(db_session, name) for name in ("Corin", "Dana"))
        assert {name: getattr(corin, name) for name in current} == current
        assert (dana.password_hash, dana.may_export) == (password_hash(), False)


def test_a_restore_never_leaves_a_site_where_nobody_may_export_lists(staffed):
    made = backed_up(staffed)
    with opened(staffed) as db_session:
        a_coordinator(db_session, "Frank", may_export=True)
    remove(staffed, "Corin", by="Frank")

    restore(staffed, made)

    assert coordinators(staffed) == {"Corin", "Dana", "Eve"}


def test_accounts_of_a_backup_are_whole_where_there_is_another_site(staffed):
    made = backed_up(staffed)
    with opened(staffed) as db_session:
        db_session.query(Coordinator).delete()

    restore(staffed, made)

    assert coordinators(staffed) == {"Corin", "Dana", "Eve"}
