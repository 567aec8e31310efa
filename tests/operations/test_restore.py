"""Restoring: what people withdrew after the backup was made is withdrawn again."""

from contextlib import closing
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import update

from cop import create_app
from cop.accounts import accounts
from cop.accounts.passwords import verify_password
from cop.audit import withdrawals
from cop.db.engine import sqlite_module
from cop.errors import InvalidLink
from cop.links import Owner
from cop.meetings import schedule
from cop.members import members, preferences
from cop.members import registrations as members_registrations
from cop.models.coordinator import Coordinator
from cop.models.registration import Member, Withdrawal
from cop.operations import restore as operations_restore
from cop.privacy import retention
from cop.roster import address_correction
from tests.builders import (
    ADA,
    CORIN,
    GRACE,
    NOW,
    PASSWORD,
    a_writer,
    find_member,
    register,
    registrations,
)
from tests.operations.test_backups import DECEMBER, backed_up, erase, file_of, opened, who_is_at

KINDS = ("reminders", "takeaways", "list")
DANA = "dana@example.org"
NEW_PASSWORD = "seven green herons dance"


@pytest.fixture
def ready(site):
    """A site where Ada and Grace are registered and get every kind of email."""
    with opened(site) as db_session:
        said = {"organization": "Lab", "access": ["asl"]}
        register(db_session, DECEMBER, replace(ADA, values=said))
        register(db_session, DECEMBER, replace(GRACE, values=said))
        everything = {"list_requested_at": NOW, "list_confirmed_at": NOW, "verified_at": NOW}
        db_session.execute(update(Member).values(**everything))
    return site


def act(settings, what, *, hours=1, email=ADA.email):
    """Let a member do something some hours after `NOW`."""
    with opened(settings) as db_session:
        row = find_member(db_session, email)
        owner = Owner(row.id, row.token_version)
        what(db_session, owner, a_writer(db_session, now=NOW + timedelta(hours=hours)))


def restore(settings, made, *, hours=5):
    operations_restore.restore(
        settings, made, now=NOW + timedelta(hours=hours), create_app=create_app
    )


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


@pytest.mark.parametrize("kind", KINDS)
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


def test_a_backup_that_is_newer_than_a_withdrawal_is_right_as_it_is(ready):
    act(ready, choose())
    with opened(ready) as db_session:
        db_session.execute(update(Member).values(opt_outs=[], list_confirmed_at=NOW))
    made = backed_up(ready, now=NOW + timedelta(hours=2))

    restore(ready, made)

    assert wanted(ready) == {*KINDS}


@pytest.mark.parametrize("days", [-30, 30], ids=["behind", "ahead"])
def test_what_was_withdrawn_after_a_backup_is_undone_whatever_the_clock_was_then(ready, days):
    made = backed_up(ready, now=NOW + timedelta(days=days))
    erase(ready, ADA.email, now=NOW + timedelta(hours=1))

    restore(ready, made)

    assert who_is_at(ready) == "Grace held"


def test_who_came_back_before_a_backup_by_a_clock_behind_stays(ready):
    erase(ready, ADA.email, now=NOW + timedelta(hours=1))
    with opened(ready) as db_session:
        register(db_session, DECEMBER, ADA)
    made = backed_up(ready, now=NOW - timedelta(days=30))

    restore(ready, made)

    assert who_is_at(ready) == "Grace held, Ada held"


def test_withdrawals_are_remembered_over_several_restores(ready):
    made = backed_up(ready)
    act(ready, choose())
    with opened(ready) as db_session:
        others = {row.scope for row in db_session.query(Withdrawal)}

    restore(ready, made, hours=2)
    with opened(ready) as db_session:
        db_session.execute(update(Member).values(opt_outs=[], list_confirmed_at=NOW))
        times = {row.withdrawn_at for row in db_session.query(Withdrawal)}
    restore(ready, made, hours=3)

    assert others == {*KINDS}
    assert times == {NOW + timedelta(hours=1)}  # not when they were applied again
    assert wanted(ready) == set()


def test_who_left_the_list_and_has_no_row_any_more_is_not_put_on_it_again(ready):
    made = backed_up(ready)
    act(ready, stop("list"))
    with opened(ready) as db_session:
        for row in registrations(db_session):
            db_session.delete(row)
        db_session.flush()
        retention.run(db_session, now=NOW)
        assert find_member(db_session, ADA.email) is None

    restore(ready, made)

    assert wanted(ready) == {"reminders", "takeaways"}


def test_old_links_are_dead_after_a_restore_too(ready):
    with opened(ready) as db_session:
        old, graces = ((m.id, m.token_version, m.calendar_version)
                       for m in (find_member(db_session, ADA.email), find_member(db_session, GRACE.email)))  # fmt: skip
    made = backed_up(ready)
    act(
        ready,
        lambda db_session, owner, writer: preferences.renew_links(
            db_session, members.verify_and_lock(db_session, owner, now=writer.now), writer=writer
        ),
    )

    restore(ready, made)

    with opened(ready) as db_session:
        with pytest.raises(InvalidLink):
            members.find(db_session, Owner(*old[:2]))
        assert find_member(db_session, ADA.email).calendar_version != old[2]
        assert members.find(db_session, Owner(*graces[:2])).email == GRACE.email


def test_an_old_calendar_address_is_dead_after_a_restore_too(ready):
    with opened(ready) as db_session:
        old = find_member(db_session, ADA.email)
    made = backed_up(ready)
    act(ready, lambda s, owner, w: preferences.renew_calendar(s, owner.member_id, writer=w))

    restore(ready, made)

    with opened(ready) as db_session:
        new = find_member(db_session, ADA.email)
        assert new.calendar_version != old.calendar_version
        assert new.token_version == old.token_version


def delete_answer(name):
    return lambda db_session, owner, writer: members_registrations.delete_answer(
        db_session, owner.member_id, DECEMBER, name, writer=writer
    )


def empty_answer(name):
    def change(db_session, owner, writer):
        known = members.read_member(db_session, owner, schedule.read(db_session, now=NOW))
        members_registrations.change_answers(
            db_session, known.registration_for(DECEMBER), {name: ""}, writer=writer
        )

    return change


@pytest.mark.parametrize("way", [delete_answer, empty_answer], ids=["deleted", "emptied"])
def test_an_answer_that_was_deleted_after_a_backup_does_not_come_back_with_it(ready, way):
    made = backed_up(ready)
    act(ready, way("organization"))

    restore(ready, made)

    with opened(ready) as db_session:
        said = [(row.organization, row.access) for row in registrations(db_session)]
    assert said == [("", ["asl"]), ("Lab", ["asl"])]


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
    """The same, with two coordinators: Corin, and Dana who may not take lists away."""
    with opened(ready) as db_session:
        for email, may_export in ((CORIN, True), (DANA, False)):
            name = email.partition("@")[0].title()
            accounts.add(db_session, email, name=name, password=PASSWORD, may_export=may_export)
    return ready


def remove(settings, email, *, by=CORIN):
    with opened(settings) as db_session:
        rows = {row.email: row for row in db_session.query(Coordinator)}
        writer = a_writer(db_session, now=NOW + timedelta(hours=1))
        accounts.remove(db_session, rows[email].id, by=rows[by], writer=writer)


def emails_of_coordinators(settings):
    with opened(settings) as db_session:
        return {coordinator.email for coordinator in db_session.query(Coordinator)}


def test_a_coordinator_who_was_removed_does_not_come_back_with_a_backup(staffed):
    made = backed_up(staffed)
    remove(staffed, DANA)

    restore(staffed, made)

    assert emails_of_coordinators(staffed) == {CORIN}


def test_a_coordinator_who_was_removed_and_added_again_is_there_after_a_restore(staffed):
    made = backed_up(staffed)
    remove(staffed, DANA)
    with opened(staffed) as db_session:
        accounts.add(db_session, DANA, name="Dana", password=PASSWORD)

    restore(staffed, made)

    assert emails_of_coordinators(staffed) == {CORIN, DANA}


def test_coordinators_sign_in_after_a_restore_with_what_they_sign_in_with_now(staffed):
    made = backed_up(staffed)
    secret = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"
    with opened(staffed) as db_session:
        accounts.change_password(db_session, CORIN, password=NEW_PASSWORD)
        corin = db_session.query(Coordinator).filter_by(email=CORIN).one()
        corin.totp_secret, corin.recovery_hashes = secret, ["a hash"]

    restore(staffed, made)

    with opened(staffed) as db_session:
        corin, dana = db_session.query(Coordinator).order_by(Coordinator.email)
        assert verify_password(corin.password_hash, NEW_PASSWORD)
        assert (corin.totp_secret, corin.recovery_hashes) == (secret, ["a hash"])
        assert verify_password(dana.password_hash, PASSWORD)
        assert (dana.may_export, dana.totp_secret) == (False, None)


def test_a_restore_never_leaves_a_site_where_nobody_may_take_lists_away(staffed):
    made = backed_up(staffed)
    with opened(staffed) as db_session:
        accounts.add(db_session, "eve@example.org", name="Eve", password=PASSWORD)
    remove(staffed, CORIN, by="eve@example.org")

    restore(staffed, made)

    assert emails_of_coordinators(staffed) == {CORIN, DANA}


def test_accounts_of_a_backup_are_whole_where_there_is_another_site(staffed, tmp_path):
    made = backed_up(staffed)
    with opened(staffed) as db_session:
        db_session.query(Coordinator).delete()

    restore(staffed, made)

    assert emails_of_coordinators(staffed) == {CORIN, DANA}
