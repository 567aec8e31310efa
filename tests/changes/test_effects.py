"""What previews say a change of a session would do, and what is in the audit log after it."""

import pytest

from cop.models.audit import AuditEntry
from cop.models.email import OutboxEmail
from cop.models.meeting import Meeting
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
    update_community,
    update_meeting,
)
from tests.page import parse

SESSION = f"/coordinator/sessions/{DECEMBER}"
EDIT, PREVIEW, RESTORE = f"{SESSION}/edit", f"{SESSION}/edit/preview", f"{SESSION}/restore"
TIME = "One mail about the new time goes to "
FEWER = (
    "2 people hold a place, more than the 1 you offer. Nobody loses theirs, and who comes new has "
    "to wait."
)


def save(client, *, path=EDIT, headers=(), **answers):
    return submit(client, client.page(EDIT), path, headers, **answers)


def preview(client, **answers):
    """The effects of saving these answers."""
    response = save(client, path=PREVIEW, headers=HTMX, **answers)
    return parse(response).find(id="preview").get_text(" ", strip=True)


@pytest.fixture
def roster(corin):
    """Two places, held by Ada and Mallory, whose mail comes back; Grace waits, Katherine behind."""
    update_meeting(DECEMBER, capacity=2)
    add_registrations(DECEMBER, "ada@example.org", "mallory@example.org")
    add_registrations(DECEMBER, "grace@example.org", "katherine@example.org", status="waiting")
    mark_notified(DECEMBER)


def test_a_preview_names_who_is_emailed(corin, roster):
    held, waiting = "2 people who hold a place", "2 who wait"
    delay = "2 minutes after your last change."

    sentences = [
        preview(corin, topic="Who counts?"),
        preview(corin, starts="12:00"),
        preview(corin, join_url="https://zoom.example.com/j/1"),
        preview(corin, capacity="3"),
        preview(corin, capacity="", starts="12:00"),
        preview(corin, capacity="1"),
    ]

    assert sentences == [
        "Nobody gets a mail.",
        f"{TIME}{held} and {waiting}, {delay}",
        "Nobody gets a mail.",
        "1 person comes off the waiting list, and gets a mail at once.",
        f"{TIME}{held}, {delay} 2 people come off the waiting list, and get a mail at once.",
        f"Nobody gets a mail. {FEWER}",
    ]
    assert rows(OutboxEmail) == []


def test_a_changed_join_address_is_emailed_to_those_with_a_spot(corin, roster):
    update_meeting(DECEMBER, join_url="https://zoom.example.com/j/1")
    mark_notified(DECEMBER)

    sentences = preview(corin, join_url="https://zoom.example.com/j/2")

    assert sentences == (
        "One mail about the new join address goes to 2 people who hold a place, 2 minutes after "
        "your last change."
    )


def test_undoing_an_edit_in_time_emails_nobody(corin, roster):
    save(corin, starts="12:00")

    pending, back = preview(corin), preview(corin, starts="11:30")

    assert pending.startswith("One mail about your last changes goes to 2 people who hold a place")
    assert back == "Nobody gets a mail."


def test_the_preview_works_without_javascript(corin, roster):
    summary = "## One\n\n<script>x</script> *two*"

    response = save(corin, path=PREVIEW, starts="12:00", summary=summary)

    page = parse(response)
    assert response.status_code == 200
    assert TIME in page.find(id="preview").get_text(" ", strip=True)
    assert page.select_one("#preview em").get_text() == "two"
    assert not page.main.find("script")
    assert form_values(page.main)["starts"] == ["12:00"]
    assert rows(Meeting)[0]["starts_at"].hour == 16


def test_a_preview_shows_what_cannot_be_saved(corin):
    assert "The end is before the start." in preview(corin, ends="09:00")
    assert "would be over already" in preview(corin, date="2026-11-15")
    assert "Offer at least one place" in preview(corin, capacity="0")
    assert "Write the time like" in preview(corin, starts="soon")


def test_a_preview_warns_about_the_new_date(corin):
    assert preview(corin, date="2026-12-25").startswith("December 25 is Christmas Day.")
    assert preview(corin, date=JANUARY).startswith("On January 19 there is a session already")
    assert preview(corin, date=DECEMBER) == "Nobody gets a mail."


def test_the_edit_page_warns_about_a_holiday(corin):
    update_community(observances=[f"{DECEMBER} A day of ours"])

    page = corin.page(EDIT)

    assert "December 15 is A day of ours." in page.select_one(".warning").get_text()


def test_each_change_is_in_the_audit_log(corin, roster):
    for answers in ({"starts": "12:00"}, {"topic": "x"}, {}):
        save(corin, **answers)
    post(corin, f"{SESSION}/cancel", reason="Snow")
    post(corin, RESTORE)

    assert [act["action"] for act in rows(AuditEntry)] == [
        "moved a session", "edited a session", "cancelled a session", "restored a session",
    ]  # fmt: skip


def test_the_restore_page_names_who_is_emailed(app, corin, roster):
    post(corin, f"{SESSION}/cancel", reason="Snow")
    mark_notified(DECEMBER)

    asked = corin.page(RESTORE).main.get_text(" ", strip=True)

    assert "One mail that says so goes to 2 people who hold a place and 2 who wait" in asked
    assert "for 30 days after it was cancelled" in asked


@pytest.mark.parametrize(
    ("values", "sentences"),
    [
        ({"cancelled_at": NOW.replace(month=10)}, "more than 30 days ago"),
        ({"ends_at": NOW}, "Its time is over"),
    ],
    ids=["too late", "over"],
)
def test_a_session_that_cannot_be_restored_says_why_and_has_no_form(corin, values, sentences):
    update_meeting(DECEMBER, status="cancelled", starts_at=NOW.replace(hour=1), **values)

    page = corin.page(RESTORE)
    sent = post(corin, RESTORE, form_at=EDIT)

    assert sentences in page.main.get_text()
    assert not page.main.find("form")
    assert sent.status_code == 422
    assert rows(Meeting)[0]["status"] == "cancelled"
