"""Backups: whole while the site writes, gone after two weeks, and what a restored one still knows."""

import logging
import os
import subprocess
from contextlib import closing, contextmanager
from dataclasses import replace
from datetime import timedelta
from functools import partial
from threading import Event, Thread

import pytest

from cop import create_app
from cop.accounts import accounts, login_sessions
from cop.community import community
from cop.db.engine import db, read_tx, sqlite_file, sqlite_module, write_tx
from cop.models.coordinator import CoordinatorSession, Invitation
from cop.models.email import OutboxEmail
from cop.models.meeting import Meeting
from cop.models.registration import Member, Withdrawal
from cop.operations import backups, worker
from cop.operations import restore as operations_restore
from cop.operations.backups import BackupRefused
from cop.privacy import erasure
from cop.registration import register as registration_register
from tests.builders import (
    ADA,
    GRACE,
    NOW,
    PASSWORD,
    a_meeting,
    a_registration,
    a_writer,
    find_member,
    register,
    status_summary,
)
from tests.commands import assert_refused, rows, run
from tests.concurrency import at_once
from tests.processes.server import COP

DECEMBER = "2026-12-15"
restore = partial(operations_restore.restore, create_app=create_app)


@contextmanager
def opened(settings):
    """A transaction on a site's database, which is closed again afterwards."""
    app = create_app(settings)
    with app.app_context():
        with write_tx() as db_session:
            yield db_session
        db.engine.dispose()


def file_of(settings):
    return sqlite_file(settings.database_url)


def backed_up(settings, *, now=NOW):
    app = create_app(settings)
    made = backups.make(app, now=now)
    with app.app_context():
        db.engine.dispose()
    return made


def who_is_at(settings, slug=DECEMBER):
    with opened(settings) as db_session:
        return status_summary(db_session, slug)


def erase(settings, email, *, now):
    with opened(settings) as db_session:
        writer = a_writer(db_session, now=now)
        erasure.erase(db_session, find_member(db_session, email).id, writer=writer)


def test_a_backup_is_a_whole_database_for_nobody_else_to_read(site):
    with opened(site) as db_session:
        register(db_session, DECEMBER, ADA)

    made = backed_up(site)

    assert made.parent == file_of(site).parent / "backups"
    assert [each.name for each in made.parent.iterdir()] == [made.name]
    assert [path.stat().st_mode & 0o777 for path in (made, made.parent)] == [0o600, 0o700]
    assert who_is_at(replace(site, database_url=f"sqlite:///{made}")) == "Ada held"


def test_a_backup_is_noted_in_the_database_and_in_itself(site):
    made = backed_up(site)

    for settings in (site, replace(site, database_url=f"sqlite:///{made}")):
        with opened(settings) as db_session:
            assert community.load_community(db_session).backup_at == NOW


def test_backups_while_people_register_each_hold_whole_registrations(site, tmp_path):
    app = create_app(site)
    full, failed = Event(), []

    def registering():
        with app.app_context():
            for number in range(150):
                with write_tx() as db_session:
                    ada = replace(ADA, email=f"ada{number}@example.org")
                    writer = a_writer(db_session)
                    key = f"{number:064}"
                    registration_register.register(
                        db_session, [DECEMBER], ada, submission=key, writer=writer
                    )
        full.set()

    crowd = Thread(target=registering)
    crowd.start()
    made = []
    while not full.is_set() or len(made) < 5:
        made.append(backups.make(app, now=NOW))
    crowd.join()
    made.append(backups.make(app, now=NOW))

    for each in made:
        with closing(sqlite_module.connect(each)) as connection:
            [counts] = connection.execute(
                "SELECT (SELECT count(*) FROM registration), (SELECT count(*) FROM member),"
                " (SELECT count(*) FROM outbox_email WHERE kind = 'confirmation')"
            )
        failed += [each.name] if len(set(counts)) > 1 else []
    assert failed == []
    assert backups.verify(made[-1])["registrations"] == 150
    with app.app_context():
        db.engine.dispose()


def test_backups_made_in_the_same_second_do_not_get_in_each_others_way(site):
    app = create_app(site)

    made = at_once(app, *[lambda: backups.make(app, now=NOW)] * 4)

    assert len(set(made)) == 4
    assert {backups.verify(each)["meetings"] for each in made} == {6}
    with app.app_context():
        db.engine.dispose()


def backed_up_on(settings, *days, **options):
    """A copy of each of these days, counted from now."""
    return [backed_up(settings, now=NOW + timedelta(days=each), **options) for each in days]


def forget(settings, *, days=0):
    """Delete the old copies so many days from now; return those that are left, by name."""
    app = create_app(settings)
    number = backups.delete_old(app, now=NOW + timedelta(days=days))
    left = sorted(each.name for each in (file_of(settings).parent / "backups").iterdir())
    return number, left


def damage(file, *, page):
    """Overwrite a page of a database file."""
    with file.open("r+b") as opened:
        opened.seek((page - 1) * 4096)
        opened.write(b"\x7f" * 4096)


def test_backups_go_after_fourteen_days_by_the_time_in_their_names(site):
    old, *newer = backed_up_on(site, -14, -3, -2, -1)
    os.utime(old)  # as when the folder was copied to another disk
    exactly = forget(site)
    os.utime(newer[0], (0, 0))
    later = forget(site, days=0.001)

    assert exactly == (0, [each.name for each in (old, *newer)])
    assert later == (1, [each.name for each in newer])


def test_the_newest_three_backups_stay_however_old_they_are(site):
    made = backed_up_on(site, -60, -50, -40, -30, -20)

    gone = forget(site)

    assert gone == (2, [each.name for each in made[2:]])
    assert forget(site, days=1000) == (0, [each.name for each in made[2:]])


def test_the_key_beside_a_backup_stays_and_goes_with_it(site):
    made = backed_up_on(site, -60, -50, -40, -30)
    for copy in (made[0], made[1]):
        copy.with_suffix(".key").write_text("k" * 40)

    _, left = forget(site)

    assert made[0].with_suffix(".key").name not in left
    assert left == sorted(each.name for each in (*made[1:], made[1].with_suffix(".key")))


def test_a_copy_from_before_an_upgrade_counts_like_another_and_a_damaged_database_does_not(site):
    made = backed_up_on(site, -60, -30, -20)
    upgrade = backups.copy(file_of(site), why="before-upgrade", now=NOW - timedelta(days=15))
    aside = made[0].with_name(upgrade.name.replace("before-upgrade-2026", "damaged-2026"))
    aside.write_bytes(b"not a database")

    _, with_three_newer = forget(site, days=0)

    assert with_three_newer == sorted([made[1].name, made[2].name, upgrade.name, aside.name])
    backed_up(site)
    _, with_a_newer_one = forget(site)
    assert aside.name not in with_a_newer_one


def test_no_backup_goes_while_there_is_no_newer_one_that_is_sound(site, caplog):
    made = backed_up_on(site, -30, -3, -2, -1)
    for file in made[1:]:
        damage(file, page=3)

    with caplog.at_level(logging.ERROR):
        backups.log.parent.addHandler(caplog.handler)
        kept = forget(site)
        backups.log.parent.removeHandler(caplog.handler)

    assert kept == (0, [each.name for each in made])
    assert "a backup is damaged" in caplog.text
    backed_up(site)
    assert forget(site)[0] == 1


def test_copies_that_a_clock_ahead_made_are_never_taken_for_the_newest(site):
    ahead = backed_up_on(site, 800, 801, 802)
    true = backed_up_on(site, -40, -30, -20)

    marked = [f"ahead-20261122T150000Z-{each.name}" for each in ahead]
    expected = sorted([*marked, *(each.name for each in true)])
    assert forget(site) == (0, expected)
    assert forget(site, days=14) == (0, expected)
    backed_up_on(site, 15)
    assert forget(site, days=15)[0] == 1 + len(ahead)


def test_copies_that_a_clock_behind_takes_for_future_ones_keep_their_time(site):
    made = backed_up_on(site, *range(-13, 1))
    keys = [file.with_suffix(".key") for file in made]
    for key in keys:
        key.write_text("k" * 40)
    behind = backed_up_on(site, -30, -29)

    number, left = forget(site, days=-29)
    backed_up_on(site, 3)
    again = forget(site, days=3)

    assert (number, len(left)) == (0, 30)
    still = {each.name for file in made[2:] for each in (file, file.with_suffix(".key"))}
    assert again[0] == len(behind) + 2 * 2
    assert {name.split("Z-", 1)[1] for name in again[1] if name.startswith("ahead")} == still


def test_a_copy_from_the_future_is_an_ordinary_one_once_its_time_has_come(site):
    made = backed_up_on(site, -40, -30, -20, 10)
    forget(site)

    number, left = forget(site, days=11)

    assert number == 1  # it is one of the newest three now
    assert made[0].name not in left


def test_a_copy_from_the_future_counts_as_old_for_what_has_to_be_remembered(site):
    backed_up_on(site, 10)
    forget(site)

    assert backups.oldest_at(create_app(site)) <= NOW


def test_what_nobody_made_here_stays_in_the_folder_of_backups(site):
    backed_up_on(site, -3, -2, -1)
    folder = file_of(site).parent / "backups"
    (folder / "my-copy-of-2020.sqlite3").touch()
    os.utime(folder / "my-copy-of-2020.sqlite3", (0, 0))
    for day in ("20260231", "00010101", "99991231"):  # no date, or none that can be counted from
        (folder / f"daily-{day}T000000Z-abcdef12.sqlite3").touch()

    assert forget(site, days=100)[0] == 0
    assert backups.oldest_at(create_app(site)) == NOW - timedelta(days=3)


def test_a_copy_of_a_damaged_database_is_not_kept_and_the_old_ones_stay(site):
    [good] = backed_up_on(site, -20)
    with closing(sqlite_module.connect(file_of(site))) as connection:
        query = "SELECT rootpage FROM sqlite_master WHERE name = 'ix_registration_member_id'"
        [(page,)] = connection.execute(query)
    damage(file_of(site), page=page)

    with pytest.raises(BackupRefused, match="damaged"):
        backed_up(site)

    assert forget(site) == (0, [good.name])


def test_the_worker_makes_one_backup_a_day(site):
    app = create_app(site)
    planner = worker.Planner(app, worker.delivery_for(app))
    times = [NOW, NOW + timedelta(hours=1), NOW + timedelta(days=1), NOW + timedelta(days=2)]

    made = []
    for now in times:
        planner.delivery = replace(planner.delivery, clock=lambda now=now: now)
        with app.app_context():
            planner.run_due()
        made.append(len(list((file_of(site).parent / "backups").iterdir())))

    assert made == [1, 1, 2, 3]
    with app.app_context():
        db.engine.dispose()


def test_a_disk_that_takes_no_backup_does_not_hold_up_the_worker(site, caplog):
    app = create_app(site)
    (file_of(site).parent / "backups").touch()  # a file where the folder should be
    planner = worker.Planner(app, worker.delivery_for(app))

    with app.app_context(), caplog.at_level(logging.ERROR):
        worker.log.parent.addHandler(caplog.handler)
        waits = [planner.run_due(), planner.run_due()]
        worker.log.parent.removeHandler(caplog.handler)
        with read_tx() as db_session:
            noted = community.load_community(db_session).backup_at
        db.engine.dispose()

    assert waits == [worker.PLANNING_INTERVAL] * 2
    assert "backup failed" in caplog.text
    assert noted is None


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
        assert (
            community.load_community(db_session).backup_at is None
        )  # this host makes one at the next start
    names = {each.name for each in file_of(site).parent.iterdir()}
    assert names <= {"cop.sqlite3", "cop.sqlite3-wal", "cop.sqlite3-shm", "backups"}
    assert file_of(site).stat().st_mode & 0o777 == 0o600


def test_who_was_erased_after_a_backup_is_not_brought_back_by_it(site):
    with opened(site) as db_session:
        register(db_session, DECEMBER, ADA)
        register(db_session, DECEMBER, GRACE)
    made = backed_up(site)
    erase(site, "ada@example.org", now=NOW + timedelta(hours=1))

    _, erased = restore(site, made, now=NOW + timedelta(hours=2))

    assert (who_is_at(site), erased) == ("Grace held", 1)
    assert b"ada@example.org" not in file_of(site).read_bytes()


def test_who_was_erased_before_and_has_come_back_by_their_own_wish_stays(site):
    with opened(site) as db_session:
        register(db_session, DECEMBER, ADA)
    erase(site, "ada@example.org", now=NOW)
    with opened(site) as db_session:
        register(db_session, DECEMBER, ADA)
    made = backed_up(site, now=NOW + timedelta(hours=1))

    _, erased = restore(site, made, now=NOW + timedelta(hours=2))

    assert (who_is_at(site), erased) == ("Ada held", 0)


def test_what_is_past_its_date_does_not_come_back_with_a_backup(site):
    with opened(site) as db_session:
        old = a_meeting(db_session, slug="old", starts_at=NOW - timedelta(days=55))
        a_registration(db_session, old, "ada@example.org")
    made = backed_up(site)

    restore(site, made, now=NOW + timedelta(days=10))

    with opened(site) as db_session:
        assert find_member(db_session, "ada@example.org") is None
        assert db_session.query(Meeting).filter_by(slug="old").one().registered_count == 1


@pytest.mark.parametrize(
    ("live", "copied", "is_erased"),
    [(-1, 10, True), (800, 10, False), (None, 10, False), (None, 90, False), (None, 1, True)],
    ids=["right", "jumped", "new host", "new host, old copy", "new host, new copy"],
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
        daily_tasks_at = community.load_community(db_session).daily_tasks_at
    assert daily_tasks_at == (now if is_erased else now - timedelta(days=copied))


def test_that_somebody_was_erased_is_remembered_as_long_as_backups_are_kept(app):
    with write_tx() as db_session:
        register(db_session, DECEMBER, ADA)
        ada = find_member(db_session, "ada@example.org")
        erasure.erase(db_session, ada.id, writer=a_writer(db_session))
        keys = [row.key for row in db_session.query(Withdrawal)]

    left = []
    for days in (13, 14):
        worker.run_daily_tasks(now=NOW + timedelta(days=days))
        with read_tx() as db_session:
            left.append(db_session.query(Withdrawal).count())

    assert len(keys) == 1
    assert "ada@" not in keys[0]
    assert left == [1, 0]


def test_a_running_site_is_not_restored_under_its_feet(site):
    made = backed_up(site)
    app = create_app(site)

    with app.app_context(), read_tx() as db_session:
        before = db_session.query(Member).count()
        with pytest.raises(BackupRefused, match="Stop it first"):
            restore(site, made, now=NOW)
        assert db_session.query(Member).count() == before
        db.engine.dispose()


@pytest.mark.parametrize("harm", ["cut", "overwritten", "empty", "text", "missing"])
def test_a_damaged_copy_is_refused_and_changes_nothing(site, tmp_path, harm):
    made = backed_up(site)
    before = file_of(site).read_bytes()
    if harm == "cut":
        os.truncate(made, made.stat().st_size // 2)
    elif harm == "overwritten":
        with made.open("r+b") as file:
            for page in range(2, 60):
                file.seek(page * 4096)
                file.write(b"\x7f" * 4096)
    elif harm == "missing":
        made.unlink()
    else:
        made.write_text("" if harm == "empty" else "Dear coordinator, " * 999)

    with pytest.raises(BackupRefused):
        restore(site, made, now=NOW)

    assert file_of(site).read_bytes() == before


def alone(*words):
    """Run `cop` in a process of its own, as somebody does who has stopped the site."""
    command = [*COP, *words]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.mark.processes
def test_the_commands_back_up_verify_and_restore(instance):
    alone("seed", "--demo")
    made = alone("backup").stdout.splitlines()[0]
    with closing(sqlite_module.connect(instance / "cop.sqlite3")) as connection:
        connection.execute("DELETE FROM registration")
        connection.commit()

    verified = alone("restore", "--verify", made)
    empty = rows(instance, "SELECT count(*) FROM registration")
    restored = alone("restore", made)

    assert "The copy is sound. It holds " in verified.stdout
    assert empty == [(0,)]
    assert restored.returncode == 0, restored.stderr
    assert "is kept for 14 days as" in restored.stdout
    assert rows(instance, "SELECT count(*) > 0 FROM registration") == [(1,)]


def test_the_commands_refuse_with_a_sentence(instance, tmp_path):
    run("seed")
    letter = tmp_path / "letter.txt"
    letter.write_text("Dear coordinator")

    assert assert_refused(run("restore", str(letter)), says="file is not a database")
    assert assert_refused(run("restore", str(tmp_path / "none")), says="There is no file")


def test_a_backup_by_other_means_can_be_noted(instance):
    run("seed")

    result = run("backup", "--noted")

    assert result.output == "Noted.\n"
    assert rows(instance, "SELECT backup_at IS NOT NULL FROM community") == [(1,)]
    assert not (instance / "backups").exists()


@pytest.mark.postgresql
def test_another_database_is_left_to_its_own_tools(app, settings):
    assert backups.make(app, now=NOW) is None
    with pytest.raises(BackupRefused, match="its own tools"):
        restore(settings, file_of(settings), now=NOW)


def test_a_log_that_is_left_beside_does_no_harm_to_the_copy(site):
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


def test_a_damaged_database_is_put_aside_and_restored_over(site):
    with opened(site) as db_session:
        register(db_session, DECEMBER, ADA)
    made = backed_up(site)
    file = file_of(site)
    file.write_bytes(b"no database any more" * 999)

    kept, _ = restore(site, made, now=NOW)

    assert who_is_at(site) == "Ada held"
    assert kept.name.startswith("damaged-")
    assert kept.read_bytes().startswith(b"no database any more")
    assert {each.name for each in file.parent.iterdir()} <= {
        "cop.sqlite3", "cop.sqlite3-wal", "cop.sqlite3-shm", "backups",
    }  # fmt: skip


def test_an_erasure_is_remembered_over_several_restores(site):
    first = backed_up(site)
    with opened(site) as db_session:
        register(db_session, DECEMBER, ADA)
    second = backed_up(site, now=NOW + timedelta(minutes=1))
    erase(site, "ada@example.org", now=NOW + timedelta(hours=1))

    restore(site, first, now=NOW + timedelta(hours=2))
    _, erased = restore(site, second, now=NOW + timedelta(hours=3))

    assert (who_is_at(site), erased) == ("", 1)


def test_mail_that_went_out_after_a_backup_does_not_go_out_again(site):
    with opened(site) as db_session:
        register(db_session, DECEMBER, ADA)
    made = backed_up(site)
    with opened(site) as db_session:
        db_session.query(OutboxEmail).update({"state": "sent"})

    restore(site, made, now=NOW)

    with opened(site) as db_session:
        assert {mail.state for mail in db_session.query(OutboxEmail)} == {"sent"}


def test_no_device_is_signed_in_and_nobody_invited_after_a_restore(site):
    with opened(site) as db_session:
        corin = accounts.add(db_session, "corin@example.org", name="Corin", password=PASSWORD)
        login_sessions.start_session(db_session, corin, now=NOW)
        invitation = Invitation(
            email="a@b.org", email_key="a@b.org", created_at=NOW, coordinator_id=corin
        )
        db_session.add(invitation)
    made = backed_up(site)

    restore(site, made, now=NOW)

    with opened(site) as db_session:
        assert db_session.query(CoordinatorSession).count() == 0
        assert db_session.query(Invitation).count() == 0
        assert accounts.any_exist(db_session)


def test_a_backup_that_failed_is_tried_again_within_the_hour(site):
    app = create_app(site)
    folder = file_of(site).parent / "backups"
    folder.touch()  # a file where the folder should be
    planner = worker.Planner(app, worker.delivery_for(app))

    made = []
    for minutes in (0, 30, 61):
        planner.delivery = replace(
            planner.delivery, clock=lambda minutes=minutes: NOW + timedelta(minutes=minutes)
        )
        with app.app_context():
            planner.run_due()
        made.append(folder.is_dir())
        if folder.is_file():
            folder.unlink()

    assert made == [False, False, True]
    with app.app_context():
        db.engine.dispose()


def test_a_copy_that_is_damaged_is_not_kept(site):
    with opened(site) as db_session:
        for number in range(50):
            ada = replace(ADA, email=f"ada{number}@example.org")
            register(db_session, DECEMBER, ada)
    with file_of(site).open("r+b") as file:  # SQLite copies pages without a look at them
        file.seek(file_of(site).stat().st_size // 2 // 4096 * 4096)
        file.write(b"\x7f" * 4096 * 4)

    with pytest.raises(BackupRefused):
        backed_up(site)

    assert list((file_of(site).parent / "backups").iterdir()) == []
