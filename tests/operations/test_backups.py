"""Backups: consistent, deleted after two weeks, and restored with what was erased since."""

import os
import shutil
from contextlib import closing, contextmanager
from dataclasses import replace
from datetime import timedelta
from functools import cache, partial
from itertools import count
from threading import Event, Thread

import pytest

from cop import create_app
from cop.accounts import accounts, login_sessions
from cop.community import community
from cop.community.community import load_community
from cop.db.engine import db, read_tx, sqlite_file, sqlite_module, write_tx
from cop.models.coordinator import CoordinatorSession, Invitation
from cop.models.email import OutboxEmail
from cop.models.registration import Member, Withdrawal
from cop.operations import backup_names, backups, worker
from cop.operations import restore as operations_restore
from cop.operations.backups import BackupRefused
from cop.privacy import erasure
from tests.builders import (
    ADA,
    GRACE,
    NOW,
    a_coordinator,
    a_meeting,
    a_registration,
    a_writer,
    find_member,
    register,
    status_summary,
)
from tests.commands import assert_refused, execute, rows, run, run_process
from tests.concurrency import at_once

DECEMBER = "2026-12-15"
restore = partial(operations_restore.restore, create_app=create_app)


@cache
def app_of(settings):
    return create_app(settings)


@contextmanager
def opened(settings):
    """A transaction on a site's database, which is closed again afterwards."""
    with app_of(settings).app_context():
        try:
            with write_tx() as db_session:
                yield db_session
        finally:
            db.engine.dispose()


def file_of(settings):
    return sqlite_file(settings.database_url)


def folder_of(settings):
    return file_of(settings).parent / "backups"


def backed_up(settings, *, now=NOW):
    app = app_of(settings)
    made = backups.make(app, now=now)
    with app.app_context():
        db.engine.dispose()
    return made


def who_is_at(settings, slug=DECEMBER):
    with opened(settings) as db_session:
        return status_summary(db_session, slug)


def assert_no_leftovers(settings):
    """Assert that only the database and its backups are there."""
    left = {each.name for each in file_of(settings).parent.iterdir()}
    assert left <= {"cop.sqlite3", "cop.sqlite3-wal", "cop.sqlite3-shm", "backups"}


def erase(settings, email, *, now):
    with opened(settings) as db_session:
        writer = a_writer(db_session, now=now)
        erasure.erase(db_session, find_member(db_session, email).id, writer=writer)


def test_a_backup_is_a_whole_database_for_nobody_else_to_read(site):
    with opened(site) as db_session:
        register(db_session, DECEMBER, ADA)

    made = backed_up(site)

    assert [each.name for each in folder_of(site).iterdir()] == [made.name]
    assert [path.stat().st_mode & 0o777 for path in (made, made.parent)] == [0o600, 0o700]
    assert who_is_at(replace(site, database_url=f"sqlite:///{made}")) == "Ada held"


def test_a_backup_is_noted_in_the_database_and_in_itself(site):
    made = backed_up(site)

    for settings in (site, replace(site, database_url=f"sqlite:///{made}")):
        with opened(settings) as db_session:
            assert load_community(db_session).backup_at == NOW


def test_backups_while_people_register_each_hold_whole_registrations(site):
    app, is_over = app_of(site), Event()

    def register_people():
        with app.app_context():
            for number in count():
                if is_over.is_set():
                    break
                with write_tx() as db_session:
                    ada = replace(ADA, email=f"ada{number}@example.org")
                    register(db_session, DECEMBER, ada, submission=f"{number:064}")

    crowd = Thread(target=register_people)
    crowd.start()
    made = [backups.make(app, now=NOW) for _ in range(10)]
    is_over.set()
    crowd.join()
    made.append(backups.make(app, now=NOW))
    with app.app_context():
        db.engine.dispose()

    for each in made:
        with closing(sqlite_module.connect(each)) as connection:
            [counts] = connection.execute(
                "SELECT (SELECT count(*) FROM registration), (SELECT count(*) FROM member),"
                " (SELECT count(*) FROM outbox_email WHERE kind = 'confirmation')"
            )
        assert len(set(counts)) == 1, each.name
    numbers = [backups.verify(each)["registrations"] for each in made]
    assert numbers == sorted(numbers)
    assert numbers[-1] > numbers[0] + 10


def test_backups_made_in_the_same_second_do_not_get_in_each_others_way(site):
    app = app_of(site)

    made = at_once(app, *[lambda: backups.make(app, now=NOW)] * 4)

    assert len(set(made)) == 4
    assert {backups.verify(each)["meetings"] for each in made} == {6}
    with app.app_context():
        db.engine.dispose()


def backed_up_on(settings, *days):
    """A copy of each of these days, counted from now."""
    file = file_of(settings)
    made = [backup_names.new_name(file, "daily", now=NOW + timedelta(days=day)) for day in days]
    for each in made:
        shutil.copy(file, each)
    return made


def names(files):
    return sorted(each.name for each in files)


def delete_old(settings, *, days=0):
    """Delete the old copies so many days from now; return how many, and the names left."""
    number = backups.delete_old(app_of(settings), now=NOW + timedelta(days=days))
    return number, names(folder_of(settings).iterdir())


def damage(file, *, page):
    """Overwrite a page of a database file."""
    with file.open("r+b") as opened:
        opened.seek((page - 1) * 4096)
        opened.write(b"\x7f" * 4096)


def test_backups_go_after_fourteen_days_by_the_time_in_their_names(site):
    old, *newer = backed_up_on(site, -14, -3, -2, -1)
    os.utime(old)  # as when the folder was copied to another disk
    exactly = delete_old(site)
    os.utime(newer[0], (0, 0))
    later = delete_old(site, days=0.001)

    assert exactly == (0, names([old, *newer]))
    assert later == (1, names(newer))


def test_the_newest_three_backups_stay_however_old_they_are(site):
    made = backed_up_on(site, -60, -50, -40, -30, -20)

    assert delete_old(site) == (2, names(made[2:]))
    assert delete_old(site, days=1000) == (0, names(made[2:]))


def test_the_key_beside_a_backup_stays_and_goes_with_it(site):
    made = backed_up_on(site, -60, -50, -40, -30)
    keys = [copy.with_suffix(".key") for copy in made[:2]]
    for key in keys:
        key.write_text("k" * 40)

    assert delete_old(site) == (2, names([*made[1:], keys[1]]))


def test_a_copy_from_before_an_upgrade_counts_like_another_and_a_damaged_database_does_not(site):
    made = backed_up_on(site, -60, -30, -20)
    upgrade = backups.copy(file_of(site), why="before-upgrade", now=NOW - timedelta(days=15))
    damaged = made[0].with_name(upgrade.name.replace("before-upgrade-2026", "damaged-2026"))
    damaged.write_bytes(b"not a database")

    assert delete_old(site) == (1, names([*made[1:], upgrade, damaged]))
    backed_up(site)
    _, left = delete_old(site)
    assert damaged.name not in left


def test_no_backup_goes_while_there_is_no_newer_one_that_is_sound(site, caplog, monkeypatch):
    monkeypatch.setattr(backups.log.parent, "propagate", True)
    made = backed_up_on(site, -30, -3, -2, -1)
    for file in made[1:]:
        damage(file, page=3)

    assert delete_old(site) == (0, names(made))
    assert "a backup is damaged" in caplog.text
    backed_up(site)
    assert delete_old(site)[0] == 1


def test_copies_that_a_clock_ahead_made_are_never_taken_for_the_newest(site):
    ahead = backed_up_on(site, 800, 801, 802)
    true = backed_up_on(site, -40, -30, -20)

    left = sorted([f"ahead-20261122T150000Z-{name}" for name in names(ahead)] + names(true))
    assert delete_old(site) == (0, left)
    assert delete_old(site, days=14) == (0, left)
    backed_up_on(site, 15)
    assert delete_old(site, days=15)[0] == 1 + len(ahead)


def test_copies_that_a_clock_behind_takes_for_future_ones_keep_their_time(site):
    made = backed_up_on(site, *range(-13, 1))
    keys = [file.with_suffix(".key") for file in made]
    for key in keys:
        key.write_text("k" * 40)
    behind = backed_up_on(site, -30, -29)

    number, left = delete_old(site, days=-29)
    backed_up_on(site, 3)
    number_later, left_later = delete_old(site, days=3)

    assert (number, len(left)) == (0, 30)
    assert number_later == len(behind) + 2 * 2
    ahead = [name.split("Z-", 1)[1] for name in left_later if name.startswith("ahead")]
    assert sorted(ahead) == names(made[2:] + keys[2:])


def test_a_copy_from_the_future_is_an_ordinary_one_once_its_time_has_come(site):
    made = backed_up_on(site, -40, -30, -20, 10)
    delete_old(site)

    number, left = delete_old(site, days=11)

    assert number == 1  # it is one of the newest three now
    assert made[0].name not in left


def test_a_copy_from_the_future_counts_as_old_for_what_has_to_be_remembered(site):
    backed_up_on(site, 10)
    delete_old(site)

    assert backups.oldest_at(app_of(site)) <= NOW


def test_files_that_others_put_into_the_folder_of_backups_stay(site):
    backed_up_on(site, -3, -2, -1)
    theirs = folder_of(site) / "my-copy-of-2020.sqlite3"
    theirs.touch()
    os.utime(theirs, (0, 0))
    for day in ("20260231", "00010101", "99991231"):  # no date, or none that can be counted from
        (folder_of(site) / f"daily-{day}T000000Z-abcdef12.sqlite3").touch()

    assert delete_old(site, days=100)[0] == 0
    assert backups.oldest_at(app_of(site)) == NOW - timedelta(days=3)


def test_a_copy_that_is_damaged_is_not_kept(site):
    [good] = backed_up_on(site, -20)
    with closing(sqlite_module.connect(file_of(site))) as connection:
        query = "SELECT rootpage FROM sqlite_master WHERE name = 'ix_registration_member_id'"
        [(page,)] = connection.execute(query)
    damage(file_of(site), page=page)  # SQLite copies pages without checking them

    with pytest.raises(BackupRefused, match="damaged"):
        backed_up(site)

    assert delete_old(site) == (0, [good.name])


@pytest.fixture
def run_worker(site):
    """Let the worker do what is due at a time; the same worker each time."""
    app = app_of(site)
    planner = worker.Planner(app, worker.delivery_for(app))

    def run(now):
        planner.delivery = replace(planner.delivery, clock=lambda: now)
        with app.app_context():
            pause = planner.run_due()
            db.engine.dispose()
        return pause

    return run


def test_the_worker_makes_one_backup_a_day(site, run_worker):
    made = []
    for days in (0, 1 / 24, 1, 2):
        run_worker(NOW + timedelta(days=days))
        made.append(len(list(folder_of(site).iterdir())))

    assert made == [1, 1, 2, 3]


def test_a_backup_that_fails_does_not_stop_the_worker_and_is_tried_again_within_the_hour(
    site, run_worker, caplog, monkeypatch
):
    monkeypatch.setattr(worker.log.parent, "propagate", True)
    folder_of(site).touch()  # a file where the folder should be

    pause = run_worker(NOW)
    with opened(site) as db_session:
        backup_at = load_community(db_session).backup_at
    folder_of(site).unlink()
    run_worker(NOW + timedelta(minutes=30))
    is_too_early = not folder_of(site).exists()
    run_worker(NOW + timedelta(minutes=61))

    assert (pause, backup_at) == (worker.PLANNING_INTERVAL, None)
    assert "backup failed" in caplog.text
    assert is_too_early
    assert folder_of(site).is_dir()


def test_a_restored_backup_is_what_was_and_the_database_from_before_is_kept(site):
    with opened(site) as db_session:
        register(db_session, DECEMBER, ADA)
    made = backed_up(site)
    with opened(site) as db_session:
        register(db_session, DECEMBER, GRACE)

    kept, erased = restore(site, made, now=NOW)

    assert who_is_at(site) == "Ada held"
    assert who_is_at(replace(site, database_url=f"sqlite:///{kept}")) == "Ada held, Grace held"
    assert erased == 0
    with opened(site) as db_session:
        assert load_community(db_session).backup_at is None  # the worker makes one at its start
    assert_no_leftovers(site)
    assert file_of(site).stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize(
    ("live", "copied", "is_erased"),
    [(-1, 10, True), (800, 10, False), (None, 10, False), (None, 1, True)],
    ids=["right", "jumped", "new host", "new host, new copy"],
)
def test_a_restore_erases_by_no_clock_that_is_in_doubt(site, live, copied, is_erased):
    now = NOW + timedelta(days=10)
    with opened(site) as db_session:
        old = a_meeting(db_session, slug="old", starts_at=NOW - timedelta(days=55))
        a_registration(db_session, old, "ada@example.org")
        community.note_daily_tasks(db_session, now=now - timedelta(days=copied))
    made = backed_up(site)
    with opened(site) as db_session:
        if live is not None:
            community.note_daily_tasks(db_session, now=now - timedelta(days=live))
    if live is None:
        file_of(site).unlink()

    restore(site, made, now=now)

    with opened(site) as db_session:
        assert (find_member(db_session, "ada@example.org") is None) == is_erased
        daily_tasks_at = load_community(db_session).daily_tasks_at
    assert daily_tasks_at == (now if is_erased else now - timedelta(days=copied))


def test_a_running_site_is_not_restored(site):
    made = backed_up(site)
    app = app_of(site)

    with app.app_context(), read_tx() as db_session:
        before = db_session.query(Member).count()
        with pytest.raises(BackupRefused, match="Stop it first"):
            restore(site, made, now=NOW)
        assert db_session.query(Member).count() == before
        db.engine.dispose()


@pytest.mark.parametrize("harm", ["cut", "overwritten", "empty", "text", "missing"])
def test_a_damaged_copy_is_refused_and_changes_nothing(site, harm):
    made = backed_up(site)
    before = file_of(site).read_bytes()
    if harm == "cut":
        os.truncate(made, made.stat().st_size // 2)
    elif harm == "overwritten":
        for page in range(3, 61):
            damage(made, page=page)
    elif harm == "missing":
        made.unlink()
    else:
        made.write_text("" if harm == "empty" else "Dear coordinator, " * 999)

    with pytest.raises(BackupRefused):
        restore(site, made, now=NOW)

    assert file_of(site).read_bytes() == before


@pytest.mark.processes
def test_the_commands_back_up_verify_and_restore(instance):
    run_process("seed", "--demo")
    made = run_process("backup").stdout.splitlines()[0]
    execute(instance, "DELETE FROM registration")

    verified = run_process("restore", "--verify", made)
    empty = rows(instance, "SELECT count(*) FROM registration")
    restored = run_process("restore", made)

    assert "The backup is intact. Sessions: " in verified.stdout
    assert empty == [(0,)]
    assert restored.returncode == 0, restored.stderr
    assert "The replaced database is kept for 14 days as" in restored.stdout
    assert rows(instance, "SELECT count(*) > 0 FROM registration") == [(1,)]


def test_the_commands_refuse_with_a_sentence(instance, tmp_path):
    letter = tmp_path / "letter.txt"
    letter.write_text("Dear coordinator")

    assert assert_refused(run("restore", str(letter)), says="file is not a database")
    assert assert_refused(run("restore", str(tmp_path / "none")), says="There is no file")


def test_a_backup_by_other_means_can_be_noted(site_folder):
    result = run("backup", "--noted")

    assert result.output == "Recorded.\n"
    assert rows(site_folder, "SELECT backup_at IS NOT NULL FROM community") == [(1,)]
    assert not (site_folder / "backups").exists()


@pytest.mark.postgresql
def test_another_database_is_left_to_its_own_tools(app, settings):
    assert backups.make(app, now=NOW) is None
    with pytest.raises(BackupRefused, match="its own tools"):
        restore(settings, file_of(settings), now=NOW)


def test_a_log_of_the_old_database_is_not_replayed_into_the_copy(site):
    with opened(site) as db_session:
        register(db_session, DECEMBER, ADA)
    made = backed_up(site)
    file = file_of(site)
    with closing(sqlite_module.connect(file)) as connection:
        connection.execute("DELETE FROM registration")
        connection.commit()
        log = file.with_name("cop.sqlite3-wal").read_bytes()
    file.unlink()
    file.with_name("cop.sqlite3-wal").write_bytes(log)

    restore(site, made, now=NOW)

    assert who_is_at(site) == "Ada held"
    assert backups.verify(file)["registrations"] == 1


def test_a_damaged_database_is_kept_as_a_file_and_replaced(site):
    with opened(site) as db_session:
        register(db_session, DECEMBER, ADA)
    made = backed_up(site)
    file = file_of(site)
    file.write_bytes(b"no database any more" * 999)

    kept, _ = restore(site, made, now=NOW)

    assert who_is_at(site) == "Ada held"
    assert kept.name.startswith("damaged-")
    assert kept.read_bytes().startswith(b"no database any more")
    assert_no_leftovers(site)


def test_an_erasure_is_remembered_over_several_restores(site):
    first = backed_up(site)
    with opened(site) as db_session:
        register(db_session, DECEMBER, ADA)
    second = backed_up(site, now=NOW + timedelta(minutes=1))
    erase(site, "ada@example.org", now=NOW + timedelta(hours=1))

    restore(site, first, now=NOW + timedelta(hours=2))
    _, erased = restore(site, second, now=NOW + timedelta(hours=3))

    assert (who_is_at(site), erased) == ("", 1)
    with opened(site) as db_session:  # not when it was applied again
        assert db_session.query(Withdrawal).one().withdrawn_at == NOW + timedelta(hours=1)


def test_emails_sent_after_a_backup_are_not_sent_again(site):
    with opened(site) as db_session:
        register(db_session, DECEMBER, ADA)
    made = backed_up(site)
    with opened(site) as db_session:
        db_session.query(OutboxEmail).update({"state": "sent"})

    restore(site, made, now=NOW)

    with opened(site) as db_session:
        assert {email.state for email in db_session.query(OutboxEmail)} == {"sent"}


def test_no_device_is_signed_in_and_nobody_invited_after_a_restore(site):
    with opened(site) as db_session:
        corin = a_coordinator(db_session)
        login_sessions.start_session(db_session, corin.id, now=NOW)
        invitation = Invitation(
            email="a@b.org", email_key="a@b.org", created_at=NOW, coordinator_id=corin.id
        )
        db_session.add(invitation)
    made = backed_up(site)

    restore(site, made, now=NOW)

    with opened(site) as db_session:
        assert db_session.query(CoordinatorSession).count() == 0
        assert db_session.query(Invitation).count() == 0
        assert accounts.any_exist(db_session)
