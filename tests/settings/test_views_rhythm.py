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
    rows,
    update_community,
)
from tests.page import parse
from tests.statements import Statements

RHYTHM, PREVIEW = "/coordinator/rhythm", "/coordinator/rhythm/preview"
HOURS = "11:30 am to 1:00 pm Eastern Time"


def send(client, path=RHYTHM, headers=(), **answers):
    """Send the form as a browser does, with some answers changed."""
    data = form_values(client.page(RHYTHM).main) | answers
    return client.post(path, data=data, headers=SAME_ORIGIN | dict(headers))


def dates(page):
    """The dates that a page shows: each with its tags and warnings."""
    return [line.get_text(" ", strip=True) for line in page.select(".dates li")]


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
    assert "Saving adds no date. 6 sessions that are planned already stay as they are" in (
        page.find(id="dates").get_text(" ", strip=True)
    )


@pytest.mark.parametrize(
    ("answers", "said", "rule"),
    [
        ({"of_month": "-1", "weekday": "FR"}, f"Last Friday of each month, {HOURS}",
         "FREQ=MONTHLY;BYDAY=-1FR"),
        ({"months_off": ["7"]}, f"Third Tuesday of each month, {HOURS}; not in July",
         "FREQ=MONTHLY;BYDAY=3TU;BYMONTH=1,2,3,4,5,6,8,9,10,11,12"),
        ({"months_off": ["8", "7"]}, f"Third Tuesday of each month, {HOURS}; not in July and August",
         "FREQ=MONTHLY;BYDAY=3TU;BYMONTH=1,2,3,4,5,6,9,10,11,12"),
        ({"months_off": [str(n) for n in range(1, 11)]},
         f"Third Tuesday of each month, {HOURS}; only in November and December",
         "FREQ=MONTHLY;BYDAY=3TU;BYMONTH=11,12"),
        ({"every": "week", "weeks": "1", "weekday": "WE"}, f"Every Wednesday, {HOURS}",
         "FREQ=WEEKLY;BYDAY=WE"),
        ({"every": "week", "weeks": "2", "recurrence_from": "2026-12-01"},
         f"Every 2 weeks on Tuesday, {HOURS}", "FREQ=WEEKLY;INTERVAL=2;BYDAY=TU"),
        ({"starts": "18:00", "ends": "19:15", "zone": "America/Chicago"},
         "Third Tuesday of each month, 6:00 pm to 7:15 pm Central Time", "FREQ=MONTHLY;BYDAY=3TU"),
    ],
    ids=["last Friday", "not in July", "not in summer", "only two months", "weekly",
         "every two weeks", "another time"],
)  # fmt: skip
def test_preview_and_public_pages_describe_a_rule_alike(app, corin, answers, said, rule):
    shown = parse(send(corin, PREVIEW, **answers)).select_one("#dates strong").get_text()
    response = send(corin, **answers)

    public = app.test_client().page("/").get_text(" ", strip=True)
    assert response.status_code == 303
    assert shown == said
    assert said in public
    assert community()["recurrence_rule"] == rule


def test_the_schedule_shows_location_and_hours(app, corin):
    send(corin, months_off=["7"])

    aside = app.test_client().page("/schedule").select_one(".aside").get_text(" ", strip=True)

    assert f"{HOURS}, on Zoom; not in July." in aside


def test_saving_adds_dates_and_leaves_planned_sessions_alone(corin):
    answers = {"of_month": "1", "weekday": "TH", "planned_ahead": "3"}

    before = parse(send(corin, PREVIEW, **answers)).find(id="dates").get_text(" ", strip=True)
    after = saved(corin, send(corin, **answers))

    slugs = [row["slug"] for row in rows(Meeting)]
    assert "Saving adds 3 dates to the schedule. 6 sessions that are planned already stay" in before
    assert after == "Saved. 3 dates were added; what was planned already stays as it is."
    assert slugs == [*ALL_SIX, "2026-12-03", "2027-01-07", "2027-02-04"]
    assert [(act["action"], act["item_count"]) for act in rows(AuditEntry)] == [
        ("changed settings", 3)
    ]


def test_a_preview_changes_nothing(corin):
    before = community()

    send(corin, PREVIEW, weekday="TH", planned_ahead="12")

    assert community() == before
    assert len(rows(Meeting)) == 6
    assert rows(AuditEntry) == []


def test_more_dates_can_be_planned_ahead(corin):
    said = saved(corin, send(corin, planned_ahead="7"))

    assert said == "Saved. 1 date was added; what was planned already stays as it is."
    assert rows(Meeting)[-1]["slug"] == "2027-06-15"
    assert "No date was added" in saved(corin, send(corin, planned_ahead="7"))


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


def test_observances_are_stored_in_order(corin):
    send(corin, observances="2027-05-01 B\r\n\r\n2027-03-26  Good Friday")

    assert community()["observances"] == ["2027-03-26 Good Friday", "2027-05-01 B"]


def test_a_custom_rule_is_shown_and_kept_until_it_is_replaced(corin):
    by_hand = "FREQ=MONTHLY;BYDAY=3TU;COUNT=300"
    update_community(recurrence_rule=by_hand)

    page = corin.page(RHYTHM)
    kept = send(corin, ends="14:00")
    rule_then = community()["recurrence_rule"]
    replaced = send(corin, every="month", of_month="2", weekday="TU")

    assert form_values(page.main)["every"] == ["kept"]
    assert by_hand in page.find(id="every").get_text()
    assert (kept.status_code, replaced.status_code) == (303, 303)
    assert (rule_then, community()["recurrence_rule"]) == (by_hand, "FREQ=MONTHLY;BYDAY=2TU")


def test_weeks_are_counted_from_a_date_and_months_need_none(corin):
    send(corin, every="week", weeks="3", recurrence_from="2026-12-01")
    counted = community()["recurrence_from"]

    send(corin, every="month", recurrence_from="2026-12-01")

    assert (counted, community()["recurrence_from"]) == (date(2026, 12, 1), None)


REFUSED = [
    ({"every": "never"}, "every", "Choose among the answers"),
    ({"weekday": "TU;COUNT=1"}, "weekday", "Choose among the answers"),
    ({"weeks": "0"}, "weeks", "Choose among the answers"),
    ({"months_off": ["13"]}, "months_off", "Choose among the answers"),
    ({"months_off": [str(n) for n in range(1, 13)]}, "months_off", "Leave at least one month"),
    (
        {"every": "week", "weeks": "2", "recurrence_from": ""},
        "recurrence_from",
        "Write one of its dates",
    ),
    (
        {"every": "week", "weeks": "2", "recurrence_from": "2026-12-02"},
        "recurrence_from",
        "on the weekday",
    ),
    ({"recurrence_from": "9999-12-31"}, "recurrence_from", "Write the date like"),
    ({"starts": ""}, "starts", "Write the time like"),
    ({"ends": "x" * 5000}, "ends", "Write the time like"),
    ({"ends": "11:30"}, "ends", "The end is before the start"),
    ({"zone": "../../../etc/passwd"}, "zone", "Choose a time zone"),
    ({"zone": "x" * 61}, "zone", "Shorten this"),
    ({"planned_ahead": ""}, "planned_ahead", "Plan 1 to 24"),
    ({"planned_ahead": "many"}, "planned_ahead", "Plan 1 to 24"),
    ({"observances": "2027-01-01 Fine\nSome day"}, "observances", "Mend line 2"),
    ({"observances": "x" * 60_001}, "observances", "Shorten this"),
]


def test_an_invalid_value_is_refused_at_its_field_with_all_values_kept(corin, subtests):
    before = community()
    for answers, field, said in REFUSED:
        with subtests.test(ascii(answers)[:60]):
            sent = {"ends": "13:30"} | answers

            response = send(corin, **sent)

            page = parse(response)
            assert response.status_code == 422
            assert page.title.get_text().startswith("Error:")
            assert said in error_summary(page)[0]
            assert said in page.find(id=f"{field}-refusal").get_text()
            assert form_values(page.main)["ends"] == [sent["ends"]]
            assert community() == before


@pytest.mark.parametrize(
    ("answers", "said"),
    [
        ({"ends": "09:00"}, "The end is before the start"),
        ({"starts": "soon"}, "Write the time like"),
        ({"observances": "Some day"}, "Mend line 1"),
    ],
    ids=["of a rule", "of the form", "of a line"],
)
@pytest.mark.parametrize("headers", [{}, HTMX], ids=["page", "fragment"])
def test_an_invalid_preview_shows_the_errors(corin, headers, answers, said):
    response = send(corin, PREVIEW, headers=headers, **answers)

    assert response.status_code == 422
    assert said in parse(response).find(id="dates").get_text()


def test_hostile_text_is_text(corin):
    send(corin, observances="2026-12-15 <script>alert(1)</script>")

    page = corin.page(RHYTHM)

    assert not page.main.find("script")
    assert dates(page)[0] == "Tuesday, December 15 planned <script>alert(1)</script>"


def test_the_dashboard_links_to_the_rule_and_to_a_new_session(corin):
    links = {link["href"] for link in corin.page("/coordinator/").main.select("a")}

    assert {RHYTHM, "/coordinator/sessions/new"} <= links


@pytest.mark.parametrize(
    "path", [RHYTHM, "/coordinator/sessions/new", f"/coordinator/sessions/{ALL_SIX[0]}/edit"]
)
def test_a_page_takes_five_statements_at_most(corin, path):
    corin.get("/coordinator/")  # the use of the device is noted once a minute

    with Statements() as sent:
        corin.get(path)

    assert len(sent) <= 5, sent


@pytest.mark.parametrize(
    "answers",
    [{"every": "week", "weeks": "1,2"}, {"every": "month,week"}, {"weekday": "MO,TU"}],
    ids=str,
)
@pytest.mark.parametrize("below", ["", "/preview"])
def test_two_values_for_one_field_are_refused(corin, answers, below):
    before = rows(Community)
    shown = form_values(corin.page("/coordinator/rhythm"))

    answer = corin.post(f"/coordinator/rhythm{below}", data=shown | answers, headers=SAME_ORIGIN)

    assert answer.status_code in {200, 422}
    assert rows(Community) == before
