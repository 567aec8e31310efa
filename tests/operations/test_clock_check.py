"""A clock that jumps deletes nothing; a site that was switched off looks the same."""

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import func, select, update

from cop.audit import clock_check
from cop.audit.clock_check import Verdict
from cop.community import community
from cop.community.community import load_community
from cop.db.engine import db, read_tx, sqlite_file, write_tx
from cop.mail.errors import TransientError
from cop.mail.transport import FolderTransport
from cop.models.community import Community
from cop.models.email import OutboxEmail
from cop.models.meeting import Meeting
from cop.models.registration import Registration, Withdrawal
from cop.operations import backups, seed, worker
from cop.outbox import retries
from cop.outbox.delivery import Delivery
from cop.outbox.outbox import EmailKind
from tests.builders import (
    ADA,
    LINKS,
    NOW,
    a_coordinator,
    a_meeting,
    a_registration,
    an_email,
    outbox_emails,
    register,
)
from tests.outbox.test_delivery import SENDER, Clock

pytestmark = pytest.mark.both

DAY, HOUR = timedelta(days=1), timedelta(hours=1)


@pytest.fixture
def site(app, settings, tmp_path):
    """The worker of a site that has run its daily tasks, with a registration of 50 days ago."""
    app.extensions["cop.settings"] = replace(settings, instance=tmp_path)
    with write_tx() as db_session:
        old = a_meeting(db_session, slug="old", starts_at=NOW - 50 * DAY)
        a_registration(db_session, old, "grace@example.org")
        register(db_session, "2026-12-15", ADA)
    delivery = Delivery(FolderTransport(tmp_path / "outbox"), SENDER, LINKS, Clock())
    delivery.run()
    started = worker.Planner(app, delivery)
    started.run_due()
    return restarted(started)


def restarted(planner):
    """The worker of the same site after a new start."""
    return worker.Planner(planner.app, planner.delivery)


def run_at(planner, now):
    planner.delivery.clock.now = now
    planner.run_due()


def run_on(planner, hours):
    """Let the worker check its tasks once an hour."""
    for _ in range(hours):
        run_at(planner, planner.delivery.clock.now + HOUR)


def people():
    with read_tx() as db_session:
        return db_session.scalar(select(func.count(Registration.id)))


def texts():
    with read_tx() as db_session:
        query = select(func.count(OutboxEmail.id)).where(OutboxEmail.text != "")
        return db_session.scalar(query)


def reminders():
    with read_tx() as db_session:
        return outbox_emails(db_session, EmailKind.REMINDER)


def latest_session():
    with read_tx() as db_session:
        return db_session.scalar(select(func.max(Meeting.starts_at)))


def daily_tasks_at():
    with read_tx() as db_session:
        return load_community(db_session).daily_tasks_at


def files(planner):
    """How many emails are in the folder, and how many backups are beside the database."""
    file = backups.file_of(planner.app)
    copies = len(list((file.parent / "backups").iterdir())) if file else 0
    return len(list(planner.delivery.transport.folder.glob("*.eml"))), copies


@pytest.mark.parametrize("days", [1, -1])
def test_a_day_either_way_is_nothing_unusual(site, days):
    run_at(site, NOW + days * DAY)

    assert site.verdict is Verdict.RUN
    assert daily_tasks_at() == NOW + days * DAY
    assert people() == 2


@pytest.mark.parametrize("days", [2.1, 59, 61, -3.1, -800])
def test_a_jump_erases_nothing_and_is_nothing_once_the_clock_is_right_again(
    site, days, caplog, monkeypatch
):
    before = files(site)
    monkeypatch.setattr(worker.log.parent, "propagate", True)

    run_at(site, NOW + days * DAY)
    run_on(site, 23)

    assert (people(), texts(), daily_tasks_at()) == (2, 1, NOW)
    assert files(site)[0] == before[0]
    assert files(site)[1] >= before[1]
    assert "nothing is deleted" in caplog.text
    run_at(site, NOW + DAY)
    assert daily_tasks_at() == NOW + DAY
    assert people() == 2


@pytest.mark.parametrize("days", [59, -800])
def test_after_a_day_of_steady_clock_the_daily_tasks_go_on(site, days):
    run_at(site, NOW + days * DAY)
    run_on(site, 24)

    assert daily_tasks_at() == NOW + days * DAY + DAY
    assert people() == (2 if days < 11 else 1)
    run_at(site, NOW + days * DAY + 2 * DAY)
    assert daily_tasks_at() == NOW + days * DAY + 2 * DAY


def test_a_long_jump_waits_for_a_coordinator_however_steady_the_clock_is(site):
    run_at(site, NOW + 90 * DAY)
    run_on(site, 25)
    before = people()

    with write_tx() as db_session:
        corin = a_coordinator(db_session)
        clock_check.confirm(db_session, coordinator_id=corin.id, now=site.delivery.clock())
    run_on(site, 1)

    assert (before, people()) == (2, 0)
    assert daily_tasks_at() == site.delivery.clock()


def test_a_machine_that_runs_by_day_only_has_its_24_hours_too(site):
    run_at(site, NOW + 21 * DAY)
    for _ in range(2):
        run_on(site, 8)
        site = restarted(site)
        run_at(site, site.delivery.clock() + 16 * HOUR)
    run_on(site, 7)
    before = people()

    run_on(site, 1)

    assert (before, people()) == (2, 1)


@pytest.mark.parametrize("more", [3 * DAY, -3 * DAY], ids=["ahead", "back"])
def test_another_jump_begins_the_24_hours_again(site, more):
    run_at(site, NOW + 21 * DAY)
    run_on(site, 23)
    run_at(site, site.delivery.clock() + more)
    run_on(site, 23)
    before = people()

    run_on(site, 1)

    assert (before, people()) == (2, 1)


def test_a_jump_of_a_day_while_the_clock_is_watched_counts_as_no_time(site):
    run_at(site, NOW + 21 * DAY)
    run_at(site, NOW + 22 * DAY + HOUR)
    run_on(site, 1)

    assert people() == 2


def test_time_that_was_watched_counts_no_more_once_the_clock_was_right(site):
    run_at(site, NOW)
    run_at(site, NOW + 21 * DAY)
    run_on(site, 23)
    run_at(site, NOW + 1.2 * HOUR)
    run_at(site, NOW + 22 * DAY)
    run_on(site, 2)

    assert people() == 2


def test_the_first_daily_tasks_of_a_new_site_need_no_others_before_them(site):
    with write_tx() as db_session:
        db_session.execute(update(Community).values(daily_tasks_at=None))

    run_at(site, NOW + 800 * DAY)

    assert daily_tasks_at() == NOW + 800 * DAY


def test_a_site_that_was_switched_off_plans_ahead_and_reminds_while_it_waits(site):
    with write_tx() as db_session:
        soon = NOW + 45 * DAY
        a_registration(
            db_session, a_meeting(db_session, starts_at=soon + 20 * HOUR), "katherine@example.org"
        )

    run_at(site, soon)
    at_once = len(reminders())
    run_on(site, 1)
    run_at(site, site.delivery.clock() + HOUR / 2)

    assert (at_once, len(reminders())) == (0, 1)
    assert people() == 3
    assert latest_session() > soon + 100 * DAY


@pytest.mark.parametrize(("days", "is_planned"), [(45, True), (800, False)])
def test_sessions_are_planned_by_a_settled_clock_and_after_a_long_jump_not_at_all(
    site, days, is_planned
):
    before = latest_session()

    run_at(site, NOW + days * DAY)
    with write_tx() as db_session:
        seed.create_site(db_session, now=NOW + days * DAY)
    at_once = latest_session()
    run_on(site, 2)
    with write_tx() as db_session:
        seed.create_site(db_session, now=site.delivery.clock())

    assert at_once == before
    assert (latest_session() > before) is is_planned


def deliver_at(planner, now):
    planner.delivery.clock.now = now
    return planner.delivery.run()


def states():
    """The states of the queued links, by key."""
    with read_tx() as db_session:
        return {mail.dedup_key: mail.state for mail in outbox_emails(db_session, EmailKind.LINK)}


@pytest.fixture
def waiting(site):
    """The same, with an email that expires in three days and one that does not."""
    with write_tx() as db_session:
        an_email(db_session, dedup_key="expires", expires_at=NOW + 3 * DAY)
        an_email(db_session, dedup_key="stays")
    return site


@pytest.mark.parametrize("days", [21, 800])
def test_nothing_is_delivered_or_withdrawn_until_a_clock_that_has_jumped_has_settled(waiting, days):
    at_once = deliver_at(waiting, NOW + days * DAY)
    before = states()
    run_at(waiting, NOW + days * DAY)
    run_on(waiting, 1)
    deliver_at(waiting, NOW + HOUR)  # it was set right

    assert (at_once, before) == (False, {"expires": "queued", "stays": "queued"})
    assert states() == {"expires": "sent", "stays": "sent"}


def test_an_earlier_jump_does_not_count_as_time_that_was_watched(waiting):
    run_at(waiting, NOW + 21 * DAY)
    run_on(waiting, 2)
    run_at(waiting, NOW)

    assert deliver_at(waiting, NOW + 40 * DAY) is False
    assert states() == {"expires": "queued", "stays": "queued"}


@pytest.mark.parametrize(("days", "expired"), [(21, "withdrawn"), (800, "queued")])
def test_after_an_hour_a_site_that_was_switched_off_delivers_what_has_not_expired(
    waiting, days, expired
):
    run_at(waiting, NOW + days * DAY)
    run_on(waiting, 1)
    deliver_at(waiting, waiting.delivery.clock())

    assert states() == {"expires": expired, "stays": "sent"}


def test_once_a_long_jump_is_confirmed_what_has_expired_is_withdrawn(waiting):
    run_at(waiting, NOW + 800 * DAY)
    with write_tx() as db_session:
        clock_check.confirm(db_session, coordinator_id=None, now=NOW + 800 * DAY)

    deliver_at(waiting, NOW + 800 * DAY)

    assert states() == {"expires": "withdrawn", "stays": "sent"}


@pytest.mark.parametrize(("days", "state"), [(21, "failed"), (800, "retrying")])
def test_no_email_is_given_up_by_a_clock_that_nobody_confirmed(site, days, state):
    now = NOW + days * DAY
    with write_tx() as db_session:
        an_email(db_session, dedup_key="refused").attempts = retries.MIN_ATTEMPTS
        email = retries.claim(db_session, now=NOW)

        retries.store_result(db_session, email, TransientError("451 Later"), now=now)

    assert states() == {"refused": state}


@pytest.mark.sqlite
def test_the_daily_tasks_back_up_before_they_erase_and_erase_nothing_if_that_fails(site):
    folder = sqlite_file(str(db.engine.url)).parent / "backups"
    [first] = folder.iterdir()
    first.unlink()
    folder.rmdir()
    folder.touch()  # a file where the folder should be
    now = NOW
    for _ in range(11):
        now += DAY
        run_at(site, now)
    failing = (people(), daily_tasks_at())
    folder.unlink()
    with write_tx() as db_session:
        community.note_daily_tasks(db_session, now=now)

    run_at(site, now + DAY)

    assert failing == (2, NOW)
    assert people() == 1
    [copy] = folder.iterdir()
    assert backups.verify(copy)["registrations"] == 2


@pytest.mark.sqlite
def test_withdrawals_are_remembered_as_long_as_there_is_a_backup_from_before(site):
    with write_tx() as db_session:
        db_session.add(Withdrawal(key="k", scope="everything", withdrawn_at=NOW + HOUR))

    worker.run_daily_tasks(now=NOW + 40 * DAY)
    with read_tx() as db_session:
        kept = db_session.scalars(select(Withdrawal.key)).all()
    for file in (sqlite_file(str(db.engine.url)).parent / "backups").iterdir():
        file.unlink()
    worker.run_daily_tasks(now=NOW + 40 * DAY)

    with read_tx() as db_session:
        assert (kept, db_session.scalars(select(Withdrawal.key)).all()) == (["k"], [])
