"""The console page that adds an extra session."""

from datetime import UTC, datetime

import pytest

from cop.meetings.forms import read_date
from cop.models.audit import AuditEntry
from cop.models.meeting import Meeting
from tests.client import HTMX, JANUARY, form_values, rows, submit, text_of, update_meeting
from tests.page import parse

NEW, CHECK = "/coordinator/sessions/new", "/coordinator/sessions/new/preview"
WARNINGS = {
    "2026-12-25": "December 25 is Christmas Day.",
    "2027-03-26": "March 26 is Good Friday.",
    JANUARY: "a session on January 19: Topic to be announced",
    "2021-06-15": "This time has passed. The session goes under past sessions",
    "2026-12-08": "We found no problem with this date.",
}


def test_an_extra_session_is_on_the_schedule_and_its_edit_page_is_next(app, corin):
    form = corin.page(NEW)
    usual = form_values(form.main)

    response = submit(corin, form, NEW, date="2026-12-09", starts="11:00", topic="Who counts?")

    row = rows(Meeting)[-1]
    assert (usual["date"], usual["starts"], usual["ends"]) == ([""], ["11:30"], ["13:00"])
    assert response.status_code == 303
    assert response.location == "/coordinator/sessions/2026-12-09/edit"
    assert (row["starts_at"], row["ends_at"], row["topic"]) == (
        datetime(2026, 12, 9, 16, tzinfo=UTC),
        datetime(2026, 12, 9, 18, tzinfo=UTC),
        "Who counts?",
    )
    assert "Who counts?" in app.test_client().page("/schedule").get_text()
    assert [(entry["action"], entry["meeting_id"]) for entry in rows(AuditEntry)] == [
        ("added a session", row["id"])
    ]
    message = text_of(corin.page(response.location).select_one(".well"))
    assert message == "The session is on the schedule."


def test_a_warning_about_a_date_is_previewed_and_does_not_forbid_it(corin):
    form = corin.page(NEW)
    christmas, harmless = "2026-12-25", "2026-12-08"

    fragments = {
        on: submit(corin, form, CHECK, HTMX, date=on, topic="x").get_data(as_text=True)
        for on in WARNINGS
    }
    page = parse(submit(corin, form, CHECK, date=christmas, topic="x"))
    previewed = len(rows(Meeting))
    for on in (christmas, harmless):
        submit(corin, form, NEW, date=on, topic="x")
    message = text_of(corin.page(NEW).select_one(".well"))

    assert [on for on, warning in WARNINGS.items() if warning not in fragments[on]] == []
    assert WARNINGS[christmas] in text_of(page.find(id="warnings"))
    assert form_values(page.main)["date"] == [christmas]
    assert (previewed, len(rows(Meeting))) == (6, 8)
    assert WARNINGS[christmas] in message
    assert WARNINGS[harmless] not in message


def test_a_canceled_session_causes_no_warning(corin):
    update_meeting(JANUARY, status="cancelled")

    response = submit(corin, corin.page(NEW), CHECK, HTMX, date=JANUARY)

    assert "We found no problem with this date." in response.get_data(as_text=True)


@pytest.mark.parametrize(
    "typed",
    ["", "9.12.2026", "2026-02-30", "9999-12-31", "0001-01-01", "x" * 10_000],
    ids=lambda typed: typed[:10],
)
def test_a_date_is_an_iso_date_in_a_plausible_year(typed):
    assert read_date(typed) is None


@pytest.mark.parametrize(
    ("invalid", "fields"),
    [
        (
            {"date": "9.12.2026", "starts": "soon", "ends": "", "topic": "x" * 201},
            {"date", "starts", "ends", "topic"},
        ),
        ({"date": "1999-12-31"}, {"date"}),
        ({"date": "2027-03-14", "starts": "02:30", "ends": "04:00"}, {"starts"}),
        ({"ends": "11:30"}, {"ends"}),
    ],
    ids=["syntax", "last century", "skipped by the clocks", "no duration"],
)
def test_an_invalid_value_is_refused_at_its_field_and_the_input_stays(corin, invalid, fields):
    values = {"date": "2026-12-09", "topic": "<b>Who</b> counts?"} | invalid

    response = submit(corin, corin.page(NEW), NEW, **values)

    page = parse(response)
    refusals = {tag["id"].removesuffix("-refusal") for tag in page.select("[id$=-refusal]")}
    assert response.status_code == 422
    assert refusals == fields
    assert {name: form_values(page.main)[name][0] for name in values} == values
    assert len(rows(Meeting)) == 6
