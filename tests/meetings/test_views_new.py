"""The console page that adds an extra session."""

from datetime import UTC, datetime

import pytest

from cop.models.audit import AuditEntry
from cop.models.meeting import Meeting
from tests.client import (
    HTMX,
    JANUARY,
    form_values,
    rows,
    submit,
    update_meeting,
)
from tests.page import parse

NEW, CHECK = "/coordinator/sessions/new", "/coordinator/sessions/new/preview"


def add(client, path=NEW, headers=(), **answers):
    return submit(client, client.page(NEW), path, headers, **answers)


def test_the_form_is_filled_with_the_usual_hours(corin):
    form = form_values(corin.page(NEW).main)

    assert (form["date"], form["starts"], form["ends"]) == ([""], ["11:30"], ["13:00"])


def test_an_extra_session_is_on_the_schedule_and_its_edit_page_is_next(app, corin):
    response = add(corin, date="2026-12-09", starts="18:00", ends="19:00", topic="Who counts?")

    row = rows(Meeting)[-1]
    assert (response.status_code, response.location) == (
        303,
        "/coordinator/sessions/2026-12-09/edit",
    )
    assert (row["starts_at"], row["topic"]) == (
        datetime(2026, 12, 9, 23, tzinfo=UTC),
        "Who counts?",
    )
    assert "Who counts?" in app.test_client().page("/schedule").get_text()
    assert [(act["action"], act["meeting_id"]) for act in rows(AuditEntry)] == [
        ("added a session", row["id"])
    ]
    message = corin.page(response.location).select_one(".well").get_text(" ", strip=True)
    assert message == "The session is added, and on the schedule."


@pytest.mark.parametrize(
    ("on", "expected"),
    [
        ("2026-12-25", "December 25 is Christmas Day."),
        ("2027-03-26", "March 26 is Good Friday."),
        (JANUARY, "On January 19 there is a session already: Topic to be announced"),
        ("2021-06-15", "This time has passed: it goes among the past sessions"),
        ("2026-12-08", "Nothing is known against this date."),
    ],
    ids=["holiday", "day to mind", "taken", "past", "nothing"],
)
def test_a_warning_about_a_date_does_not_forbid_it(corin, on, expected):
    fragment = add(corin, CHECK, headers=HTMX, date=on, topic="x").get_data(as_text=True)
    page = parse(add(corin, CHECK, date=on, topic="x"))
    unchanged = len(rows(Meeting))
    response = add(corin, date=on, topic="x")

    assert expected in fragment
    assert expected in page.find(id="warnings").get_text(" ", strip=True)
    assert form_values(page.main)["date"] == [on]
    assert unchanged == 6
    assert response.status_code == 303
    after = corin.page(response.location).select_one(".well").get_text(" ", strip=True)
    assert (expected in after) == (on != "2026-12-08")


def test_a_canceled_session_causes_no_warning(corin):
    update_meeting(JANUARY, status="cancelled")

    fragment = add(corin, CHECK, headers=HTMX, date=JANUARY).get_data(as_text=True)

    assert "Nothing is known against this date." in fragment


REFUSED = [
    ({"date": ""}, "date"),
    ({"date": "9.12.2026"}, "date"),
    ({"date": "2026-02-30"}, "date"),
    ({"date": "9999-12-31"}, "date"),
    ({"date": "0001-01-01"}, "date"),
    ({"date": "1999-12-31"}, "date"),
    ({"date": "x" * 10_000}, "date"),
    ({"date": "2027-03-14", "starts": "02:30", "ends": "04:00"}, "starts"),
    ({"starts": "soon"}, "starts"),
    ({"ends": ""}, "ends"),
    ({"ends": "11:30"}, "ends"),
    ({"ends": "09:00"}, "ends"),
    ({"topic": "x" * 201}, "topic"),
]


def test_an_invalid_value_is_refused_at_its_field_and_the_input_stays(corin, subtests):
    for answers, field in REFUSED:
        with subtests.test(ascii(answers)[:60]):
            sent = {"date": "2026-12-09", "topic": "<b>Who</b> counts?"} | answers

            response = add(corin, **sent)

            page = parse(response)
            assert response.status_code == 422
            assert page.find(id=f"{field}-refusal")
            assert {name: form_values(page.main)[name][0] for name in sent} == sent
            assert len(rows(Meeting)) == 6
