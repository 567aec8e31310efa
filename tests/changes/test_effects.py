"""What previews say that a change of a session would do, and what is confirmed after it."""

import pytest
from sqlalchemy import update

from cop.db.engine import write_tx
from cop.models.audit import AuditEntry
from cop.models.email import OutboxEmail
from cop.models.meeting import Meeting
from cop.models.registration import Member
from tests.builders import NOW
from tests.client import (
    DECEMBER,
    HTMX,
    JANUARY,
    add_registrations,
    form_values,
    mark_notified,
    post,
    rows,
    submit,
    text_of,
    update_community,
    update_meeting,
)
from tests.page import parse

SESSION = f"/coordinator/sessions/{DECEMBER}"
EDIT, PREVIEW, CANCEL = f"{SESSION}/edit", f"{SESSION}/edit/preview", f"{SESSION}/cancel"
RESTORE = f"{SESSION}/restore"
HELD = "1 registered person gets it."
BOTH = f"{HELD} 2 people on the waiting list get it."


@pytest.fixture
def roster(corin):
    """Two places, held by Ada and Mallory, whose address bounces; Grace waits, Katherine behind."""
    update_meeting(DECEMBER, capacity=2, join_url="https://zoom.example.com/j/1")
    add_registrations(DECEMBER, "ada@example.org", "mallory@example.org")
    add_registrations(DECEMBER, "grace@example.org", "katherine@example.org", status="waiting")
    with write_tx() as db_session:
        is_mallory = Member.email_key == "mallory@example.org"
        db_session.execute(update(Member).where(is_mallory).values(undeliverable_at=NOW))
    mark_notified(DECEMBER)


@pytest.fixture
def preview(corin):
    """Fetch the edit page once; return the effects of saving some answers."""
    pages = []

    def preview(**answers):
        pages[:] = pages or [corin.page(EDIT)]
        return text_of(parse(submit(corin, pages[0], PREVIEW, HTMX, **answers)).find(id="preview"))

    return preview


def save(client, path=EDIT, **answers):
    return submit(client, client.page(EDIT), path, **answers)


def confirmation(client, response):
    """Follow the redirect to the roster; return what it says was done."""
    assert (response.status_code, response.location) == (303, SESSION)
    return text_of(client.page(SESSION).select_one(".well"))


def test_a_preview_names_who_is_emailed(roster, preview):
    delay = "It goes out 2 minutes after your last change."
    more = (
        "There are more people registered (2) than spots (1). Nobody loses their spot, but new "
        "people go on the waiting list."
    )
    two_promoted = "2 people get a spot from the waiting list, and an email right away."

    sentences = [
        preview(topic="Who counts?"),
        preview(starts="12:00"),
        preview(join_url="https://zoom.example.com/j/2"),
        preview(capacity="3"),
        preview(capacity="", starts="12:00"),
        preview(capacity="1"),
    ]

    assert sentences == [
        "Nobody gets an email.",
        f"We'll send an email about the new time. {delay} {BOTH}",
        f"We'll send an email about the new join link. {delay} {HELD}",
        "1 person gets a spot from the waiting list, and an email right away.",
        f"We'll send an email about the new time. {delay} {HELD} {two_promoted}",
        f"Nobody gets an email. {more}",
    ]
    assert rows(OutboxEmail) == rows(AuditEntry) == []


def test_saving_says_what_its_preview_said_and_undoing_it_in_time_emails_nobody(
    corin, roster, preview
):
    update_community(notice_minutes=5)

    before = preview(starts="12:00")
    after = confirmation(corin, save(corin, starts="12:00"))
    pending = text_of(corin.page(EDIT).find(id="preview"))
    undone = confirmation(corin, save(corin, starts="11:30"))

    delay = "It goes out 5 minutes after your last change."
    assert before == f"We'll send an email about the new time. {delay} {BOTH}"
    assert after == f"Saved. {before}"
    assert pending == f"We'll send an email about your changes. {delay} {BOTH}"
    assert undone == "Saved. Nobody gets an email."


def test_the_preview_works_without_javascript(corin, roster):
    summary = "## One\n\n<script>x</script> *two*"

    response = save(corin, PREVIEW, starts="12:00", summary=summary)

    page = parse(response)
    assert response.status_code == 200
    assert "an email about the new time" in text_of(page.find(id="preview"))
    assert page.select_one("#preview em").get_text() == "two"
    assert not page.main.find("script")
    assert form_values(page.main)["starts"] == ["12:00"]
    assert rows(Meeting)[0]["starts_at"].hour == 16


def test_a_preview_shows_what_cannot_be_saved(preview):
    assert "The end must be after the start." in preview(ends="09:00")
    assert "have already passed" in preview(date="2026-11-15")
    assert "Spots: enter at least 1" in preview(capacity="0")
    assert "Enter the time like" in preview(starts="soon")


def test_a_preview_and_the_edit_page_warn_about_the_date(corin, preview):
    unchanged = preview(date=DECEMBER)
    update_community(observances=[f"{DECEMBER} Founding day"])

    assert unchanged == "Nobody gets an email."
    assert preview(date="2026-12-25").startswith("December 25 is Christmas Day.")
    assert preview(date=JANUARY).startswith("There's already a session on January 19")
    assert "December 15 is Founding day." in text_of(corin.page(EDIT).select_one(".warning"))


def test_canceling_and_restoring_announce_who_is_emailed_and_their_pages_change_nothing(
    corin, roster
):
    before = rows(Meeting)[0]

    cancel_page = corin.page(CANCEL).main
    untouched = rows(Meeting)[0]
    cancelled = confirmation(corin, post(corin, CANCEL, reason="Snow"))
    off = rows(Meeting)[0]
    mark_notified(DECEMBER)
    restore_page = corin.page(RESTORE).main
    still_off = rows(Meeting)[0]
    restored = confirmation(corin, post(corin, RESTORE))

    delay = "It goes out 2 minutes after your last change."
    sentence = f"We'll send an email about this. {delay} {BOTH}"
    assert sentence in text_of(cancel_page)
    assert "you can undo this for 30 days" in text_of(cancel_page)
    assert cancelled == f"The session is canceled. {sentence}"
    assert untouched == before
    assert (off["status"], off["reason"], still_off["status"]) == ("cancelled", "Snow", "cancelled")
    assert sentence in text_of(restore_page)
    assert "2 registered, " in text_of(restore_page)
    assert restored == f"The session is back on. {sentence}"
    assert (rows(Meeting)[0]["status"], rows(Meeting)[0]["reason"]) == ("planned", None)
    assert [entry["action"] for entry in rows(AuditEntry)] == [
        "cancelled a session",
        "restored a session",
    ]


def test_canceling_without_registrations_notifies_nobody(corin):
    page = corin.page(CANCEL).main

    done = confirmation(corin, post(corin, CANCEL, reason="Snow"))

    assert "Nobody is registered yet." in text_of(page)
    assert done == "The session is canceled. Nobody gets an email."


def test_a_session_that_cannot_be_restored_says_why_and_has_no_form(corin):
    update_meeting(DECEMBER, status="cancelled", cancelled_at=NOW.replace(month=10))

    page = corin.page(RESTORE)
    response = post(corin, RESTORE, form_at=EDIT)

    assert "more than 30 days ago" in page.main.get_text()
    assert not page.main.find("form")
    assert response.status_code == 422
    assert rows(Meeting)[0]["status"] == "cancelled"
