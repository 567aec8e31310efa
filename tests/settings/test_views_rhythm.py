"""The page of the recurrence rule: choices, preview of the dates, saving."""

from datetime import date

import pytest

from cop.models.audit import AuditEntry
from cop.models.community import Community
from cop.models.meeting import Meeting
from tests.client import (
    ALL_SIX,
    HTMX,
    SAME_ORIGIN,
    error_summary,
    form_values,
    main_text,
    rows,
    text_of,
    update_community,
)
from tests.page import parse

RHYTHM, PREVIEW = "/coordinator/rhythm", "/coordinator/rhythm/preview"
HOURS = "11:30 AM – 1:00 PM ET"


def send(client, path=RHYTHM, headers=(), **answers):
    """Send the form as a browser does, with some answers changed."""
    data = form_values(client.page(RHYTHM).main) | answers
    return client.post(path, data=data, headers=SAME_ORIGIN | dict(headers))


def dates(page):
    """The dates that a page shows: each with its tags and warnings."""
    return [text_of(line) for line in page.select(".dates li")]


def saved(client, response):
    assert (response.status_code, response.location) == (303, RHYTHM)
    return client.page(RHYTHM).select_one(".well").get_text(" ", strip=True)


def community():
    [row] = rows(Community)
    return row


def test_the_form_shows_the_rule_and_its_next_dates(corin):
    page = corin.page(RHYTHM)

    form = form_values(page.main)
    assert (form["every"], form["of_month"], form["weekday"]) == (["month"], ["3"], ["TU"])
    assert (form["starts"], form["ends"], form["zone"]) == (
        ["11:30"], ["13:00"], ["America/New_York"],
    )  # fmt: skip
    assert "months_off" not in form
    assert dates(page)[0] == "Tuesday, December 15 planned"
    assert "Saving adds no sessions. 6 sessions you've already planned stay as they are" in (
        page.find(id="dates").get_text(" ", strip=True)
    )


@pytest.mark.parametrize(
    ("answers", "sentence", "rule"),
    [
        ({"of_month": "-1", "weekday": "FR", "months_off": ["8", "7"]},
         f"Last Friday of each month, {HOURS}, except in July and August",
         "FREQ=MONTHLY;BYDAY=-1FR;BYMONTH=1,2,3,4,5,6,9,10,11,12"),
        ({"months_off": [str(n) for n in range(1, 11)], "starts": "18:00", "ends": "19:15",
          "zone": "America/Chicago"},
         "Third Tuesday of each month, 6:00 – 7:15 PM CT, only in November and December",
         "FREQ=MONTHLY;BYDAY=3TU;BYMONTH=11,12"),
        ({"every": "week", "weeks": "2", "recurrence_from": "2026-12-01"},
         f"Every 2 weeks on Tuesday, {HOURS}", "FREQ=WEEKLY;INTERVAL=2;BYDAY=TU"),
    ],
    ids=["last Friday", "two months", "every two weeks"],
)  # fmt: skip
def test_preview_and_public_pages_describe_a_rule_alike(client, corin, answers, sentence, rule):
    shown = parse(send(corin, PREVIEW, **answers)).select_one("#dates strong").get_text()
    response = send(corin, **answers)

    schedule = text_of(client.page("/schedule").select_one(".aside"))
    assert response.status_code == 303
    assert shown == sentence
    assert sentence in main_text(client.page("/"))
    assert sentence.replace("T, ", "T, on Zoom, ") in schedule
    assert community()["recurrence_rule"] == rule


def test_saving_adds_the_dates_that_the_preview_shows(corin):
    answers, stored = {"of_month": "1", "weekday": "TH", "planned_ahead": "3"}, community()

    before = parse(send(corin, PREVIEW, **answers)).find(id="dates").get_text(" ", strip=True)
    unchanged = (community(), len(rows(Meeting)), rows(AuditEntry))
    after = saved(corin, send(corin, **answers))
    again = saved(corin, send(corin, **answers))

    slugs = [row["slug"] for row in rows(Meeting)]
    assert unchanged == (stored, 6, [])
    assert "Saving adds 3 sessions. 6 sessions you've already planned stay" in before
    assert after == "Saved. 3 sessions were added, and planned sessions stay as they are."
    assert "No sessions were added" in again
    assert slugs == [*ALL_SIX, "2026-12-03", "2027-01-07", "2027-02-04"]
    first, _ = rows(AuditEntry)
    assert (first["action"], first["item_count"]) == ("changed settings", 3)


def test_dates_on_holidays_and_observances_are_marked(corin):
    answers = {"weekday": "MO", "observances": "2026-12-21 The longest night\n2027-02-15 Our day"}

    shown = dates(parse(send(corin, PREVIEW, headers=HTMX, **answers)))

    assert shown[:3] == [
        "Monday, December 21 new The longest night",
        "Monday, January 18 new Martin Luther King Jr. Day",
        "Monday, February 15 new Presidents' Day, Our day",
    ]


def test_htmx_gets_the_dates_and_others_the_page(corin):
    fragment = send(corin, PREVIEW, headers=HTMX, weekday="WE").get_data(as_text=True)
    page = parse(send(corin, PREVIEW, weekday="WE"))

    assert fragment.lstrip().startswith('<div class="flow" id="dates">')
    assert "Wednesday, December 16" in fragment
    assert form_values(page.main)["weekday"] == ["WE"]
    assert dates(page)[0] == "Wednesday, December 16 new"


def test_a_custom_rule_is_shown_and_stays_until_it_is_replaced(corin):
    by_hand = "FREQ=MONTHLY;BYDAY=3TU;COUNT=300"
    update_community(recurrence_rule=by_hand)

    page = corin.page(RHYTHM)
    unchanged = send(corin, ends="14:00")
    rule_then = community()["recurrence_rule"]
    replaced = send(corin, every="month", of_month="2", weekday="TU")

    assert form_values(page.main)["every"] == ["custom"]
    assert by_hand in page.find(id="every").get_text()
    assert (unchanged.status_code, replaced.status_code) == (303, 303)
    assert (rule_then, community()["recurrence_rule"]) == (by_hand, "FREQ=MONTHLY;BYDAY=2TU")


def test_weeks_are_counted_from_a_date_and_months_need_none(corin):
    send(corin, every="week", weeks="3", recurrence_from="2026-12-01")
    counted = community()["recurrence_from"]

    send(corin, every="month", recurrence_from="2026-12-01")

    assert (counted, community()["recurrence_from"]) == (date(2026, 12, 1), None)


REFUSED = [
    ({"every": "never"}, "every", "Choose from the answers"),
    ({"weekday": "TU;COUNT=1"}, "weekday", "Choose from the answers"),
    ({"weeks": "1,2"}, "weeks", "Choose from the answers"),
    ({"months_off": ["13"]}, "months_off", "Choose from the answers"),
    ({"months_off": [str(n) for n in range(1, 13)]}, "months_off", "Uncheck at least one month"),
    ({"every": "week", "weeks": "2"}, "recurrence_from", "Enter a date on the weekday above"),
    ({"recurrence_from": "9999-12-31"}, "recurrence_from", "Enter the date like"),
    ({"ends": "x" * 5000}, "ends", "Enter the time like"),
    ({"ends": "11:30"}, "ends", "The end must be after the start"),
    ({"zone": "../../../etc/passwd"}, "zone", "Choose a time zone"),
    ({"planned_ahead": "many"}, "planned_ahead", "Plan 1 to 24"),
    ({"observances": "2027-01-01 Fine\nSome day"}, "observances", "Line 2 of the dates to avoid"),
    ({"observances": "x" * 60_001}, "observances", "Use at most"),
]


def test_an_invalid_value_is_refused_at_its_field_and_all_values_stay(corin, subtests):
    before, shown = community(), form_values(corin.page(RHYTHM).main)
    for answers, field, sentence in REFUSED:
        with subtests.test(ascii(answers)[:60]):
            sent = shown | {"ends": "13:30"} | answers

            response = corin.post(RHYTHM, data=sent, headers=SAME_ORIGIN)

            page = parse(response)
            assert response.status_code == 422
            assert page.title.get_text().startswith("Error:")
            assert sentence in error_summary(page)[0]
            assert sentence in page.find(id=f"{field}-refusal").get_text()
            assert form_values(page.main)["ends"] == [sent["ends"]]
    assert community() == before


@pytest.mark.parametrize(
    ("answers", "sentence"),
    [
        ({"ends": "09:00"}, "The end must be after the start"),
        ({"starts": "soon"}, "Enter the time like"),
        ({"observances": "Some day"}, "Line 1 of the dates to avoid"),
    ],
    ids=["of a rule", "of the form", "of a line"],
)
def test_an_invalid_preview_shows_the_errors(corin, answers, sentence):
    response = send(corin, PREVIEW, headers=HTMX, **answers)

    assert response.status_code == 422
    assert sentence in parse(response).find(id="dates").get_text()


def test_observances_are_stored_in_order_and_shown_as_text(corin):
    send(corin, observances="2027-05-01 B\r\n\r\n2026-12-15  <script>alert(1)</script>")

    page = corin.page(RHYTHM)

    assert community()["observances"][1] == "2027-05-01 B"
    assert not page.main.find("script")
    assert dates(page)[0] == "Tuesday, December 15 planned <script>alert(1)</script>"


def test_the_dashboard_links_to_the_rule_and_to_a_new_session(corin):
    links = {link["href"] for link in corin.page("/coordinator/").main.select("a")}

    assert {RHYTHM, "/coordinator/sessions/new"} <= links
