"""`cop status`: its lines, its warnings and its exit code."""

from dataclasses import replace
from datetime import timedelta

import pytest

from cop.community import community
from cop.db.engine import write_tx
from cop.operations import status
from cop.smtp_url import parse_server
from tests.builders import NOW, an_email
from tests.commands import execute, run
from tests.web.test_faults import gone

pytestmark = pytest.mark.both

SERVER = parse_server("smtps://cop:secret@smtp.example.org")


def report(settings, now=NOW):
    """Whether the site is ready, the lines by their labels, and the labels with a warning."""
    is_ready, lines = status.report(settings, now=now)
    warned = {line.label for line in lines if line.is_warning}
    return is_ready, {line.label: line.text for line in lines}, warned


@pytest.fixture
def healthy(app, settings):
    with write_tx() as db_session:
        community.note_daily_tasks(db_session, now=NOW)
        community.note_backup(db_session, now=NOW)
    return replace(settings, smtp=SERVER, base_url="https://cop.example.org", trusted_proxies=1)


def test_a_healthy_site_has_no_warnings(healthy):
    is_ready, lines, warned = report(healthy)

    assert (is_ready, warned) == (True, set())
    assert lines["Daily tasks"] == "last at 2026-11-22 15:00:00 UTC"
    assert lines["Email"] == "0 waiting, 0 failed"
    assert "secret" not in str(lines)


def test_what_is_late_is_a_warning_and_the_site_stays_ready(healthy):
    with write_tx() as db_session:
        community.note_write_probe(db_session, now=NOW + timedelta(hours=27))

    is_ready, _, warned = report(healthy, now=NOW + timedelta(hours=27))

    assert (is_ready, warned) == (True, {"Daily tasks", "Backup"})


def test_a_clock_that_has_jumped_is_a_warning_that_says_what_waits(healthy):
    later = NOW + timedelta(days=800)
    with write_tx() as db_session:
        community.note_write_probe(db_session, now=later)
        community.note_backup(db_session, now=later)

    is_ready, lines, warned = report(healthy, now=later)

    assert (is_ready, warned) == (True, {"Daily tasks", "Clock"})
    assert "until a coordinator confirms that it is right" in lines["Clock"]


def test_without_a_worker_it_is_not_ready_and_says_what_may_be_missing(healthy):
    is_ready, lines, warned = report(healthy, now=NOW + timedelta(minutes=4))

    assert (is_ready, warned) == (False, {"Writing"})
    assert "neither `cop serve` nor `cop work` runs" in lines["Writing"]


def test_emails_that_wait_or_failed_are_counted(healthy):
    with write_tx() as db_session:
        an_email(db_session)
        an_email(db_session, "grace@example.org").state = "failed"

    _, lines, warned = report(healthy)

    assert lines["Email"] == "1 waiting since 2026-11-22 15:00:00 UTC, 1 failed"
    assert warned == {"Email"}


@pytest.mark.parametrize(
    ("changed", "label"),
    [({"smtp": None}, "Email server"), ({"trusted_proxies": 0}, "Proxies")],
)
def test_a_setting_that_breaks_something_is_a_warning(healthy, changed, label):
    assert report(replace(healthy, **changed))[2] == {label}


def test_an_unavailable_database_is_reported_and_not_raised(healthy, database_url):
    with gone(database_url):
        is_ready, lines, warned = report(healthy)

    assert (is_ready, set(lines), warned) == (False, {"Database"}, {"Database"})


def test_a_clock_in_doubt_is_confirmed_on_the_command_line(site_folder):
    execute(site_folder, "UPDATE community SET daily_tasks_at = '2020-01-01 00:00:00.000000'")

    before = run("status")
    confirmed = run("clock", "confirm")
    after, again = run("status"), run("clock", "confirm")

    assert "! Clock:" in before.output
    assert "Confirmed." in confirmed.output
    assert "  Clock:" in after.output
    assert "nothing to confirm" in again.output


def test_the_command_ends_with_1_where_the_site_is_not_ready(site_folder):
    run("seed")  # notes a write now

    ready = run("status")
    execute(site_folder, "UPDATE community SET write_probe_at = NULL")
    not_ready = run("status")

    assert (ready.exit_code, not_ready.exit_code) == (0, 1)
    assert "  Database:     sqlite, " in ready.output
    assert "  Clock:        as expected" in ready.output
    assert "! Writing:      has not worked yet" in not_ready.output
