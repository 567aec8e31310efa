"""Console pages that edit, cancel and restore a session, and publish its takeaways."""

from datetime import UTC, datetime, timedelta

import pytest
from bs4 import BeautifulSoup

from cop.db.engine import write_tx
from cop.models.audit import AuditEntry
from cop.models.email import OutboxEmail
from cop.models.meeting import Meeting
from cop.models.registration import Member
from tests.builders import NOW
from tests.client import (
    DECEMBER,
    SAME_ORIGIN,
    add_registrations,
    form_values,
    main_text,
    post,
    rows,
    submit,
    text_of,
    update_meeting,
)
from tests.page import parse
from tests.statements import Statements

SESSION = f"/coordinator/sessions/{DECEMBER}"
EDIT, CANCEL, RESTORE = f"{SESSION}/edit", f"{SESSION}/cancel", f"{SESSION}/restore"
TAKEAWAYS = f"{SESSION}/takeaways"
PUBLIC = f"/schedule/{DECEMBER}"
JOIN, VIDEO = "https://zoom.example.com/j/1", "https://video.example.com/1"
LONG = "x" * 301
IN_THE_PAST = {"starts_at": NOW - timedelta(days=1), "ends_at": NOW - timedelta(hours=22)}


def december():
    return next(row for row in rows(Meeting) if row["slug"] == DECEMBER)


def edit(client, page=None, **answers):
    return submit(client, page or client.page(EDIT), EDIT, **answers)


def confirmation(client, response):
    """Follow the redirect to the roster; return what it says was done."""
    assert (response.status_code, response.location) == (303, SESSION)
    return text_of(client.page(SESSION).select_one(".well"))


def test_the_form_shows_the_session_as_it_is_and_unchanged_values_are_not_written(corin):
    update_meeting(
        DECEMBER, topic="Who counts?", capacity=12, reading_minutes=20, summary="One\n\nTwo"
    )
    before, page = december(), corin.page(EDIT)

    response = edit(corin, page)

    form = {name: value.strip() for name, [value] in form_values(page.main).items()}
    shown = ("date", "starts", "ends", "topic", "capacity", "reading_minutes", "summary", "guests")
    assert [form[name] for name in shown] == [
        *("2026-12-15", "11:30", "13:00", "Who counts?", "12", "20", "One\n\nTwo", ""),
    ]
    assert confirmation(corin, response) == "Nothing was changed."
    assert december() == before
    assert rows(AuditEntry) == []


def test_everything_can_be_changed_at_once_under_one_lock(app, corin):
    locks = december()["lock_version"]
    texts = {
        "guests": "A guest",
        "reading_title": "A chapter",
        "reading_url": "http://example.org/chapter",
        "prep_question": "Whom do you count?",
        "reason": "Snow",
        "join_url": JOIN,
    }
    times = {"date": "2026-12-16", "starts": "12:00", "ends": "13:30"}
    with_controls = {"topic": "  Who\x00 \tcounts?\x1b ", "summary": "One\x07\r\n\r\nTwo"}

    response = edit(corin, capacity="30", reading_minutes="20", **texts, **times, **with_controls)

    row = december()
    public_page = app.test_client().page(PUBLIC).get_text()
    assert confirmation(corin, response) == "Saved. Nobody gets an email."
    assert {name: row[name] for name in texts} == texts
    assert row["starts_at"] == datetime(2026, 12, 16, 17, 0, tzinfo=UTC)
    assert row["ends_at"] == datetime(2026, 12, 16, 18, 30, tzinfo=UTC)
    assert (row["capacity"], row["reading_minutes"]) == (30, 20)
    assert (row["topic"], row["summary"]) == ("Who counts?", "One\n\nTwo")
    assert (row["sequence"], row["lock_version"]) == (1, locks + 1)
    assert [entry["action"] for entry in rows(AuditEntry)] == [
        "moved a session",
        "edited a session",
    ]
    assert "Who counts?" in public_page
    assert "zoom.example.com" not in public_page


@pytest.mark.parametrize(
    "invalid",
    [
        {
            "date": "",
            "starts": "25:00",
            "ends": "13:00:00Z",
            "reason": LONG,
            "capacity": "many",
            "join_url": "http://zoom.example.com",
            "topic": LONG,
            "guests": LONG,
            "summary": "x" * 5001,
            "reading_title": LONG,
            "reading_url": "javascript:alert(1)",
            "reading_minutes": "twenty",
            "prep_question": LONG,
        },
        {"date": "2026-11-15"},
        {"ends": "11:30"},
        {"capacity": "0"},
        {"capacity": "٣"},
        {"capacity": "99999999999999999999"},
    ],
    ids=lambda invalid: ascii(invalid)[:40],
)
def test_an_invalid_value_is_refused_at_its_field_and_the_input_stays(corin, invalid):
    before = december()
    answers = {"topic": "Who counts?", "guests": "A guest"} | invalid

    response = edit(corin, **answers)

    page = parse(response)
    form = form_values(page.main)
    refusals = [tag["id"].removesuffix("-refusal") for tag in page.select("[id$=-refusal]")]
    assert response.status_code == 422
    assert page.title.get_text().startswith("Error:")
    assert sorted(refusals) == sorted(invalid)
    assert {name: form[name][0].strip() for name in answers} == answers
    assert december() == before


def test_a_refused_form_still_knows_what_was_changed(corin):
    refused = parse(edit(corin, topic="Who counts?", starts="soon"))
    update_meeting(DECEMBER, guests="A guest")

    edit(corin, refused, starts="12:00")

    row = december()
    assert (row["topic"], row["guests"]) == ("Who counts?", "A guest")
    assert row["starts_at"].hour == 17


def test_a_past_session_can_be_edited_but_neither_moved_nor_canceled_nor_restored(corin):
    update_meeting(DECEMBER, **IN_THE_PAST)
    page = corin.page(EDIT)

    described = edit(corin, page, topic="Who counted?")
    moved = edit(corin, page, starts="12:00")
    others = [
        answer.status_code
        for path in (CANCEL, RESTORE)
        for answer in (corin.get(path), submit(corin, page, path, reason="Snow"))
    ]

    assert text_of(page.find(id="preview")) == "Nobody gets an email."
    assert (described.status_code, moved.status_code) == (303, 422)
    assert december()["topic"] == "Who counted?"
    assert others == [404] * 4


def test_the_page_that_asks_before_canceling_only_reads(corin):
    corin.page(CANCEL)

    with Statements() as sent:
        page = corin.page(CANCEL)

    assert "Nobody is registered yet." in main_text(page)
    assert [each for each in sent if each.startswith("UPDATE")] == []


@pytest.mark.parametrize("reason", ["\x00 ", LONG], ids=["empty", "too long"])
def test_canceling_needs_a_reason_of_readable_length(corin, reason):
    response = post(corin, CANCEL, reason=reason)

    assert response.status_code == 422
    assert parse(response).find(id="reason-refusal")
    assert december()["status"] == "planned"


def test_the_roster_links_to_the_actions_that_are_possible(corin):
    def links():
        return {link["href"] for link in corin.page(SESSION).select(".next .actions a, .pages a")}

    planned = links()
    update_meeting(DECEMBER, status="cancelled")
    cancelled = links()
    update_meeting(DECEMBER, status="planned", **IN_THE_PAST)
    over = links()

    assert {EDIT, PUBLIC} <= planned & cancelled & over
    actions = [found & {CANCEL, RESTORE, TAKEAWAYS} for found in (planned, cancelled, over)]
    assert actions == [{CANCEL}, {RESTORE}, {TAKEAWAYS}]


def test_the_roster_says_whether_the_join_address_is_set(corin):
    before = corin.page(SESSION).main.get_text()

    update_meeting(DECEMBER, join_url=JOIN)
    after = corin.page(SESSION).main.get_text()

    assert "Add the join link" in before
    assert "Join link added" in after
    assert "zoom.example.com" not in after


@pytest.fixture
def over(corin):
    """Yesterday's session: Ada, verified, and Katherine, unverified, were there; Grace waited."""
    update_meeting(DECEMBER, **IN_THE_PAST)
    add_registrations(DECEMBER, "ada@example.org", "katherine@example.org")
    add_registrations(DECEMBER, "grace@example.org", status="waiting")
    with write_tx() as db_session:
        for member in db_session.query(Member).filter(Member.email != "katherine@example.org"):
            member.verified_at = NOW


def test_a_preview_of_takeaways_publishes_nothing(corin, over):
    text = "## Three\n\n<b>x</b> *y*"

    response = post(corin, TAKEAWAYS, takeaways=text, preview="yes")

    page = parse(response)
    assert response.status_code == 200
    assert page.select_one(".framed em").get_text() == "y"
    assert not page.select(".framed b")
    assert form_values(page.main)["takeaways"][0].strip() == text
    assert (december()["takeaways"], rows(OutboxEmail)) == (None, [])


def test_takeaways_are_emailed_once_and_shown_on_the_session_page(app, corin, over):
    button = corin.page(TAKEAWAYS).select("main form button")[-1].get_text()

    first = confirmation(corin, post(corin, TAKEAWAYS, takeaways="We met.", recording_url=VIDEO))
    answers = {"takeaways": "We *agreed*.", "recording_url": VIDEO}
    again = confirmation(corin, post(corin, TAKEAWAYS, **answers))

    page = app.test_client().page(PUBLIC)
    assert button == "Publish and email 1 person"
    assert "emailed to 1 person" in first
    assert again == "Published on the session's page."
    assert [email["to_address"] for email in rows(OutboxEmail)] == ["ada@example.org"]
    assert page.find("em").get_text() == "agreed"
    assert page.select_one(f"a[href='{VIDEO}']")


def test_unpublished_takeaways_are_on_no_page(app, corin, over):
    update_meeting(DECEMBER, takeaways="A draft", recording_url=VIDEO)

    page = app.test_client().get(PUBLIC).get_data(as_text=True)

    assert "A draft" not in page
    assert VIDEO not in page


@pytest.mark.parametrize(
    ("answers", "fields"),
    [
        ({"takeaways": " ", "recording_url": ""}, ["takeaways"]),
        (
            {"takeaways": "x" * 20_001, "recording_url": "http://video.example.com"},
            ["takeaways", "recording_url"],
        ),
    ],
    ids=["nothing", "too long, and not https"],
)
def test_invalid_takeaways_are_refused_at_their_field(corin, over, answers, fields):
    response = post(corin, TAKEAWAYS, **answers)

    page = parse(response)
    assert response.status_code == 422
    assert [tag["id"] for tag in page.select("[id$=-refusal]")] == [f"{f}-refusal" for f in fields]
    assert december()["published_at"] is None


def test_only_a_session_that_took_place_has_takeaways(corin):
    upcoming = corin.get(TAKEAWAYS).status_code

    update_meeting(DECEMBER, status="cancelled", **IN_THE_PAST)

    assert (upcoming, corin.get(TAKEAWAYS).status_code) == (404, 404)


def test_scripts_in_takeaways_are_shown_as_text_on_the_page_and_in_the_email(app, corin, over):
    hostile = (
        "<script>alert(1)</script>\n\n<img src=x onerror=alert(2)>\n\n"
        "[here](javascript:alert(3)) ![](https://spy.example.com/1.png)\n\n"
        '<a href="https://example.org" onclick="alert(4)">there</a>\n\n'
        "**Bold** [fine](mailto:ada@example.org)"
    )

    preview = parse(post(corin, TAKEAWAYS, takeaways=hostile, preview="yes")).select_one(".framed")
    post(corin, TAKEAWAYS, takeaways=hostile)

    page = app.test_client().page(PUBLIC).main
    [email] = rows(OutboxEmail)
    for place in (preview, page, BeautifulSoup(email["html"], "lxml")):
        assert not place.select("script, img, [onerror], [onclick], a[href^='javascript']")
        assert place.find("strong", string="Bold")
        assert place.find("a", string="fine")["href"] == "mailto:ada@example.org"
        assert "<script>alert(1)</script>" in place.get_text()


def test_the_longest_text_can_be_in_any_script(corin):
    update_meeting(DECEMBER, **IN_THE_PAST)

    response = post(corin, TAKEAWAYS, takeaways="\u8a9e" * 20_000)

    assert response.status_code == 303


def test_the_roster_marks_who_joined_by_link_unless_attendance_is_recorded(corin):
    add_registrations(DECEMBER, "ada@example.org", joined_at=NOW)
    add_registrations(DECEMBER, "grace@example.org", joined_at=NOW, attended=True)
    add_registrations(DECEMBER, "katherine@example.org")

    lines = [row.get_text(" ", strip=True) for row in corin.page(SESSION).select("tbody tr")]

    assert ["Used the join link" in line for line in lines] == [True, False, False]


def test_a_form_without_its_token_changes_nothing(corin):
    before = december()

    for path in (EDIT, CANCEL, RESTORE, TAKEAWAYS):
        response = corin.post(path, data={"reason": "Snow"}, headers=SAME_ORIGIN)

        assert response.status_code == 403
    assert december() == before


def test_a_session_that_does_not_exist_cannot_be_changed(corin):
    page = corin.page(EDIT)

    for path in (EDIT, CANCEL, RESTORE, TAKEAWAYS):
        unknown = path.replace(DECEMBER, "1999-01-01")

        assert corin.get(unknown).status_code == 404
        assert submit(corin, page, unknown, reason="Snow").status_code == 404
