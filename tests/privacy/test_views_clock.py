"""Coordinators check the server's clock before anything is deleted by it."""

from datetime import timedelta

import pytest

from cop.models.audit import AuditEntry
from cop.models.community import Community
from tests.builders import NOW
from tests.client import (
    DECEMBER,
    add_registrations,
    main_text,
    post,
    rows,
    update_community,
    update_meeting,
)
from tests.dashboard.test_views import about

FRONT, CLOCK = "/coordinator/", "/coordinator/clock"


@pytest.mark.parametrize(("days", "words"), [(3, "24 hours"), (90, "until you confirm")])
def test_a_doubtful_clock_is_a_to_do_and_is_confirmed_once(corin, days, words):
    update_community(daily_tasks_at=NOW - timedelta(days=days))
    past = NOW - timedelta(days=70)
    update_meeting(DECEMBER, starts_at=past, ends_at=past + timedelta(hours=1))
    add_registrations(DECEMBER, "ada@example.org", pronouns="she/her")
    [to_do] = about(corin, "clock")
    page = main_text(corin.page(CLOCK))

    answer = post(corin, CLOCK)

    assert "Old data isn't being deleted" in to_do
    assert words in page
    assert "November 22, 2026, 10:00 AM ET" in page
    assert "1 registration will be deleted with all its answers" in page
    assert answer.status_code == 303
    assert "Clock confirmed." in main_text(corin.page(FRONT))
    assert about(corin, "clock") == []
    assert rows(Community)[0]["clock_confirmed_at"] == NOW
    activity = main_text(corin.page("/coordinator/record"))
    assert "Corin confirmed that the server's clock is right" in activity


def test_a_doubtful_clock_with_nothing_to_delete_says_so(corin):
    update_community(daily_tasks_at=NOW - timedelta(days=90))

    page = main_text(corin.page(CLOCK))

    assert "nothing will be deleted right now" in page
    assert "0 registrations" not in page


def test_a_right_clock_is_no_to_do_and_cannot_be_confirmed(corin):
    for last in (None, NOW - timedelta(hours=47), NOW + timedelta(hours=47)):
        update_community(daily_tasks_at=last)
        assert "There's nothing to do" in main_text(corin.page(CLOCK)), last
        assert about(corin, "clock") == [], last

    post(corin, CLOCK, form_at=FRONT)

    answer = main_text(corin.page(FRONT))
    assert "The server's clock is right. There's nothing to confirm." in answer
    assert "Clock confirmed" not in answer
    assert rows(AuditEntry) == []


def test_only_coordinators_confirm_the_clock(client):
    update_community(daily_tasks_at=NOW - timedelta(days=90))

    answers = [client.get(CLOCK).status_code, post(client, CLOCK, form_at="/register").status_code]

    assert answers == [303, 403]
    assert rows(Community)[0]["clock_confirmed_at"] is None


def test_a_backup_from_the_future_counts_as_missing(corin):
    update_community(backup_at=NOW + timedelta(days=800))

    [line] = about(corin, "no backup since")

    assert "old data isn't deleted" in line
