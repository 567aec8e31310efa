"""Console pages that edit, cancel and restore a session, and publish its takeaways."""

from datetime import UTC, datetime, timedelta

import pytest
from bs4 import BeautifulSoup

from cop.db.engine import write_tx
from cop.models.email import OutboxEmail
from cop.models.meeting import Meeting
from cop.models.registration import Member
from tests.builders import NOW
from tests.client import (
    DECEMBER,
    SAME_ORIGIN,
    add_registrations,
    error_summary,
    form_values,
    mark_notified,
    post,
    registration_statuses,
    rows,
    submit,
    update_community,
    update_meeting,
)
from tests.page import parse

SESSION = f"/coordinator/sessions/{DECEMBER}"
EDIT, CANCEL, RESTORE = f"{SESSION}/edit", f"{SESSION}/cancel", f"{SESSION}/restore"
PREVIEW = f"{EDIT}/preview"
TAKEAWAYS = f"{SESSION}/takeaways"
AFTER = timedelta(days=24)
JOIN = "https://zoom.example.com/j/1"
LONG = "x" * 301


@pytest.fixture
def december(app):
    def december():
        return next(row for row in rows(Meeting) if row["slug"] == DECEMBER)

    return december


def edit(client, page=None, address=EDIT, **answers):
    return submit(client, page or client.page(EDIT), address, **answers)


def confirmation(client, response):
    """What the next page says was done."""
    assert (response.status_code, response.location) == (303, SESSION)
    return client.page(SESSION).select_one(".well").get_text(" ", strip=True)


def test_the_form_shows_the_session_as_it_is(corin):
    update_meeting(
        DECEMBER, topic="Who counts?", capacity=12, reading_minutes=20, summary="One\n\nTwo"
    )

    form = form_values(corin.page(EDIT).main)

    assert (form["date"], form["starts"], form["ends"]) == (["2026-12-15"], ["11:30"], ["13:00"])
    assert (form["topic"], form["capacity"], form["reading_minutes"]) == (
        ["Who counts?"],
        ["12"],
        ["20"],
    )
    assert form["summary"][0].strip() == "One\n\nTwo"
    assert form["guests"] == form["join_url"] == [""]


def test_everything_can_be_changed_at_once_under_one_lock(corin, december):
    locks = december()["lock_version"]
    texts = {
        "topic": "Who counts?",
        "guests": "A guest",
        "reading_title": "A chapter",
        "reading_url": "http://example.org/chapter",
        "prep_question": "Whom do you count?",
        "reason": "Snow",
        "join_url": JOIN,
    }

    response = edit(corin, date="2026-12-16", starts="12:00", ends="13:30", capacity="30",
                    reading_minutes="20", summary="One\r\n\r\nTwo", **texts)  # fmt: skip

    row = december()
    assert confirmation(corin, response) == "Saved. Nobody gets a mail."
    assert {name: row[name] for name in texts} == texts
    assert row["starts_at"] == datetime(2026, 12, 16, 17, 0, tzinfo=UTC)
    assert row["ends_at"] == datetime(2026, 12, 16, 18, 30, tzinfo=UTC)
    assert (row["capacity"], row["reading_minutes"], row["summary"]) == (30, 20, "One\n\nTwo")
    assert (row["sequence"], row["lock_version"]) == (1, locks + 1)


def test_public_pages_show_an_edit_at_once_but_never_the_join_address(app, corin):
    edit(corin, topic="Who counts?", join_url=JOIN)

    page = app.test_client().get(f"/schedule/{DECEMBER}").get_data(as_text=True)

    assert "Who counts?" in page
    assert "zoom.example.com" not in page


def test_unchanged_values_are_not_written(corin, december):
    before = december()

    response = edit(corin)

    assert confirmation(corin, response) == "Nothing was changed."
    assert december() == before


def test_the_recipients_of_a_notice_are_announced_before_and_after_saving(corin):
    update_meeting(DECEMBER, capacity=2)
    update_community(notice_minutes=5)
    add_registrations(DECEMBER, "ada@example.org", "katherine@example.org")
    add_registrations(DECEMBER, "grace@example.org", status="waiting")
    mark_notified(DECEMBER)

    before = edit(corin, starts="12:00", address=PREVIEW)
    after = confirmation(corin, edit(corin, starts="12:00"))

    sentence = (
        "One mail about the new time goes to 2 people who hold a place and 1 who waits, 5 minutes "
        "after your last change."
    )
    assert sentence in parse(before).find(id="preview").get_text(" ", strip=True)
    assert after == f"Saved. {sentence}"


@pytest.mark.parametrize(
    ("answers", "field"),
    [
        ({"date": ""}, "date"),
        ({"date": "2026-11-15"}, "date"),
        ({"starts": "25:00"}, "starts"),
        ({"ends": "13:00:00Z"}, "ends"),
        ({"ends": "09:00"}, "ends"),
        ({"capacity": "0"}, "capacity"),
        ({"capacity": "many"}, "capacity"),
        ({"capacity": "٣"}, "capacity"),
        ({"capacity": "99999999999999999999"}, "capacity"),
        ({"join_url": "http://zoom.example.com"}, "join_url"),
        ({"reading_url": "javascript:alert(1)"}, "reading_url"),
        ({"reading_minutes": "twenty"}, "reading_minutes"),
        ({"topic": LONG}, "topic"),
        ({"guests": LONG}, "guests"),
        ({"reason": LONG}, "reason"),
        ({"summary": "x" * 5001}, "summary"),
        ({"reading_title": LONG}, "reading_title"),
        ({"prep_question": LONG}, "prep_question"),
    ],
    ids=ascii,
)
def test_an_invalid_value_is_refused_at_its_field_and_the_input_stays(
    corin, december, answers, field
):
    before = december()
    others = {"topic": "Who counts?", "guests": "A guest"} | answers

    response = edit(corin, **others)

    page = parse(response)
    kept = form_values(page.main)
    assert response.status_code == 422
    assert page.title.get_text().startswith("Error:")
    assert error_summary(page)[0] in page.find(id=f"{field}-refusal").get_text()
    assert {name: kept[name][0].strip() for name in others} == others
    assert december() == before


def test_a_refused_form_still_knows_what_was_changed(corin, december):
    refused = parse(edit(corin, topic="Who counts?", starts="soon"))
    update_meeting(DECEMBER, guests="A guest")

    edit(corin, refused, starts="12:00")

    row = december()
    assert (row["topic"], row["guests"]) == ("Who counts?", "A guest")
    assert row["starts_at"].hour == 17


def test_control_characters_and_extra_spaces_are_removed(corin, december):
    edit(corin, topic="  Who\x00 \tcounts?\x1b ", summary="One\x07\r\nTwo")

    row = december()
    assert (row["topic"], row["summary"]) == ("Who counts?", "One\nTwo")


def test_a_past_session_can_be_edited_but_not_moved(corin, over, december):
    told = corin.page(EDIT).find(id="preview").get_text(" ", strip=True)

    described = edit(corin, topic="Who counted?")
    moved = edit(corin, starts="12:00")

    assert "Nobody gets a mail." in told
    assert (described.status_code, moved.status_code) == (303, 422)
    assert december()["topic"] == "Who counted?"


def test_canceling_announces_who_is_notified(corin, december):
    add_registrations(DECEMBER, "ada@example.org")
    add_registrations(DECEMBER, "grace@example.org", status="waiting")
    mark_notified(DECEMBER)

    asked = corin.page(CANCEL).main.get_text(" ", strip=True)
    response = post(corin, CANCEL, reason="Snow")

    sentence = (
        "One mail that says so goes to 1 person who holds a place and 1 who waits, 2 minutes later."
    )
    assert sentence in asked
    assert confirmation(corin, response) == f"The session is cancelled. {sentence}"
    assert (december()["status"], december()["reason"]) == ("cancelled", "Snow")
    assert [status for *_, status in registration_statuses()] == ["held", "waiting"]


def test_canceling_without_registrations_notifies_nobody(corin):
    asked = corin.page(CANCEL).main.get_text(" ", strip=True)

    done = confirmation(corin, post(corin, CANCEL, reason="Snow"))

    assert "Nobody is registered." in asked
    assert done == "The session is cancelled. Nobody gets a mail."


@pytest.mark.parametrize("reason", ["", "  ", "\x00", LONG], ids=ascii)
def test_cancelling_needs_a_reason_of_readable_length(corin, december, reason):
    response = post(corin, CANCEL, reason=reason)

    assert response.status_code == 422
    assert parse(response).find(id="reason-refusal")
    assert december()["status"] == "planned"


def test_a_canceled_session_can_be_restored(corin, december):
    add_registrations(DECEMBER, "ada@example.org")
    post(corin, CANCEL, reason="Snow")

    asked = corin.page(RESTORE).main.get_text(" ", strip=True)
    response = post(corin, RESTORE)

    assert "1 hold a place" in asked
    assert "takes place after all" in confirmation(corin, response)
    assert (december()["status"], december()["reason"]) == ("planned", None)


def test_previews_on_pages_change_nothing(corin, december):
    add_registrations(DECEMBER, "ada@example.org")
    before = december()

    for path in (EDIT, CANCEL, RESTORE):
        corin.page(path)

    assert december() == before


def test_the_roster_links_to_the_actions_that_are_possible(app, corin):
    def led_to():
        return {link["href"] for link in corin.page(SESSION).select(".next .actions a, .pages a")}

    planned = led_to()
    update_meeting(DECEMBER, status="cancelled")
    cancelled = led_to()
    update_meeting(
        DECEMBER, status="planned", starts_at=NOW - AFTER, ends_at=NOW - timedelta(days=23)
    )
    over = led_to()

    public = f"/schedule/{DECEMBER}"
    fates = {CANCEL, RESTORE, TAKEAWAYS}
    assert {EDIT, public} <= planned & cancelled & over
    assert [found & fates for found in (planned, cancelled, over)] == [
        {CANCEL}, {RESTORE}, {TAKEAWAYS},
    ]  # fmt: skip


def test_the_roster_says_whether_the_join_address_is_set(corin):
    before = corin.page(SESSION).main.get_text()

    update_meeting(DECEMBER, join_url=JOIN)
    after = corin.page(SESSION).main.get_text()

    assert "The join address is missing" in before
    assert "The join address is set" in after
    assert "zoom.example.com" not in after


@pytest.fixture
def over(corin):
    """Yesterday's session: Ada, proven, and Katherine, not proven, held a place; Grace waited."""
    update_meeting(DECEMBER, starts_at=NOW - timedelta(days=1), ends_at=NOW - timedelta(hours=22))
    add_registrations(DECEMBER, "ada@example.org", "katherine@example.org")
    add_registrations(DECEMBER, "grace@example.org", status="waiting")
    with write_tx() as db_session:
        for member in db_session.query(Member).filter(Member.email != "katherine@example.org"):
            member.verified_at = NOW


def test_a_preview_of_takeaways_publishes_nothing(corin, over, december):
    response = post(corin, TAKEAWAYS, takeaways="## Three\n\n<b>x</b> *y*", preview="yes")

    page = parse(response)
    assert response.status_code == 200
    assert page.select_one(".before em").get_text() == "y"
    assert not page.select(".before b")
    assert form_values(page.main)["takeaways"][0].strip() == "## Three\n\n<b>x</b> *y*"
    assert (december()["takeaways"], rows(OutboxEmail)) == (None, [])


def test_takeaways_are_emailed_once_and_shown_on_the_session_page(app, corin, over):
    button = corin.page(TAKEAWAYS).select("main form button")[-1].get_text()
    answers = {"takeaways": "We *met*.", "recording_url": "https://video.example.com/1"}

    first = confirmation(corin, post(corin, TAKEAWAYS, **answers))
    again = confirmation(corin, post(corin, TAKEAWAYS, **answers | {"takeaways": "We *agreed*."}))

    page = app.test_client().page(f"/schedule/{DECEMBER}")
    assert button == "Publish and mail it to 1 person"
    assert "mailed to 1 person" in first
    assert again == "Published on the session's page."
    assert [mail["to_address"] for mail in rows(OutboxEmail)] == ["ada@example.org"]
    assert page.find("em").get_text() == "agreed"
    assert page.select_one("a[href='https://video.example.com/1']")


def test_unpublished_takeaways_are_on_no_page(app, corin, over):
    update_meeting(DECEMBER, takeaways="A draft", recording_url="https://video.example.com/1")

    page = app.test_client().get(f"/schedule/{DECEMBER}").get_data(as_text=True)

    assert "A draft" not in page
    assert "video.example.com" not in page


@pytest.mark.parametrize(
    ("answers", "field"),
    [
        ({"takeaways": " ", "recording_url": ""}, "takeaways"),
        ({"takeaways": "x" * 20_001}, "takeaways"),
        ({"takeaways": "We met.", "recording_url": "http://video.example.com"}, "recording_url"),
    ],
    ids=["nothing", "too long", "not https"],
)
def test_takeaways_that_cannot_be_are_refused_at_their_field(corin, over, december, answers, field):
    response = post(corin, TAKEAWAYS, **answers)

    assert response.status_code == 422
    assert parse(response).find(id=f"{field}-refusal")
    assert december()["published_at"] is None


def test_only_a_session_that_took_place_has_takeaways(corin):
    upcoming = corin.get(TAKEAWAYS).status_code

    update_meeting(
        DECEMBER, status="cancelled", starts_at=NOW - AFTER, ends_at=NOW - timedelta(days=23)
    )

    assert (upcoming, corin.get(TAKEAWAYS).status_code) == (404, 404)


@pytest.mark.parametrize("path", [CANCEL, RESTORE])
def test_a_past_session_can_be_neither_canceled_nor_restored(corin, over, path):
    shown = corin.get(path).status_code

    sent = post(corin, path, form_at=EDIT, reason="Snow").status_code

    assert (shown, sent) == (404, 404)


def test_the_roster_marks_who_joined_by_link_unless_attendance_is_recorded(corin):
    add_registrations(DECEMBER, "ada@example.org", joined_at=NOW)
    add_registrations(DECEMBER, "grace@example.org", joined_at=NOW, attended=True)
    add_registrations(DECEMBER, "katherine@example.org")

    lines = [row.get_text(" ", strip=True) for row in corin.page(SESSION).select("tbody tr")]

    assert [("through the link" in line) for line in lines] == [True, False, False]


PAGES = (EDIT, CANCEL, RESTORE)
POSTS = (EDIT, CANCEL, RESTORE, TAKEAWAYS)


@pytest.mark.parametrize("path", POSTS)
def test_only_signed_in_coordinators_change_a_session(app, corin, december, path):
    add_registrations(DECEMBER, "ada@example.org")
    before = december()
    post(corin, "/coordinator/sign-out", form_at="/coordinator/")

    answers = [
        (client.get(path).status_code, post(client, path, form_at="/coordinator/sign-in",
                                            reason="Snow").status_code)
        for client in (app.test_client(), corin)
    ]  # fmt: skip

    assert answers == [(303, 403)] * 2
    assert december() == before


@pytest.mark.parametrize("path", POSTS)
def test_a_form_without_its_token_changes_nothing(corin, december, path):
    before = december()

    response = corin.post(path, data={"reason": "Snow"}, headers=SAME_ORIGIN)

    assert response.status_code == 403
    assert december() == before


@pytest.mark.parametrize("path", [*PAGES, TAKEAWAYS])
def test_a_session_that_does_not_exist_cannot_be_changed(corin, path):
    unknown = path.replace(DECEMBER, "1999-01-01")

    assert corin.get(unknown).status_code == 404
    assert post(corin, unknown, form_at=EDIT, reason="Snow").status_code == 404


def test_scripts_in_takeaways_are_shown_as_text_on_the_page_and_in_the_email(app, corin, over):
    hostile = (
        "<script>alert(1)</script>\n\n<img src=x onerror=alert(2)>\n\n"
        "[here](javascript:alert(3)) ![](https://spy.example.com/1.png)\n\n"
        '<a href="https://example.org" onclick="alert(4)">there</a>\n\n**Bold** [fine](mailto:ada@example.org)'
    )

    shown = parse(post(corin, TAKEAWAYS, takeaways=hostile, preview="yes")).select_one(".before")
    post(corin, TAKEAWAYS, takeaways=hostile)

    page = app.test_client().page(f"/schedule/{DECEMBER}").main
    [mail] = rows(OutboxEmail)
    letter = BeautifulSoup(mail["html"], "lxml")
    for place in (shown, page, letter):
        assert not place.select("script, img, [onerror], [onclick], a[href^='javascript']")
        assert place.find("strong", string="Bold")
        assert place.find("a", string="fine")["href"] == "mailto:ada@example.org"
        assert "<script>alert(1)</script>" in place.get_text()


def test_the_longest_text_can_be_in_any_script(corin):
    update_meeting(DECEMBER, starts_at=NOW - AFTER, ends_at=NOW - AFTER + timedelta(hours=1))

    answer = post(corin, TAKEAWAYS, takeaways="\u8a9e" * 20_000)

    assert answer.status_code == 303
