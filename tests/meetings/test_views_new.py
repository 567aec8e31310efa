"""Adding a session beside the rhythm, and what saving an edit would do."""

from datetime import UTC, datetime

import pytest

from cop.models.audit import AuditEntry
from cop.models.email import OutboxEmail
from cop.models.meeting import Meeting
from tests.builders import NOW
from tests.client import (
    DECEMBER,
    HTMX,
    JANUARY,
    SAME_ORIGIN,
    change,
    change_community,
    fill,
    post,
    refusals,
    rows,
    tell,
    typed,
)
from tests.page import parse

NEW, CHECK = "/coordinator/sessions/new", "/coordinator/sessions/new/preview"
SESSION = f"/coordinator/sessions/{DECEMBER}"
EDIT, WOULD, RESTORE = f"{SESSION}/edit", f"{SESSION}/edit/preview", f"{SESSION}/restore"
TIME = "One mail about the new time goes to "
FEWER = (
    "2 people hold a place, more than the 1 you offer. Nobody loses theirs, and who comes new has "
    "to wait."
)


def add(client, path=NEW, headers=(), **answers):
    page = client.page(NEW)
    data = {name: values[0] for name, values in typed(page.main).items()} | answers
    return client.post(path, data=data, headers=SAME_ORIGIN | dict(headers))


def would(client, headers=HTMX, **answers):
    """What saving the edit with these answers would do."""
    page = client.page(EDIT)
    data = {name: values[0] for name, values in typed(page.main).items()} | answers
    response = client.post(WOULD, data=data, headers=SAME_ORIGIN | dict(headers))
    return parse(response).find(id="preview").get_text(" ", strip=True)


def test_the_usual_hours_are_there_already(corin):
    form = typed(corin.page(NEW).main)

    assert (form["date"], form["starts"], form["ends"]) == ([""], ["11:30"], ["13:00"])


def test_an_extra_session_is_on_the_schedule_and_its_edit_page_comes_next(app, corin):
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
    said = corin.page(response.location).select_one(".well").get_text(" ", strip=True)
    assert said == "The session is added, and on the schedule."


@pytest.mark.parametrize(
    ("on", "said"),
    [
        ("2026-12-25", "December 25 is Christmas Day."),
        ("2027-03-26", "March 26 is Good Friday."),
        (JANUARY, "On January 19 there is a session already: Topic to be announced"),
        ("2021-06-15", "This time has passed: it goes among the past sessions"),
        ("2026-12-08", "Nothing is known against this date."),
    ],
    ids=["holiday", "day to mind", "taken", "past", "nothing"],
)
def test_what_is_known_of_a_date_is_said_and_does_not_forbid_it(corin, on, said):
    fragment = add(corin, CHECK, headers=HTMX, date=on, topic="x").get_data(as_text=True)
    page = parse(add(corin, CHECK, date=on, topic="x"))
    unchanged = len(rows(Meeting))
    response = add(corin, date=on, topic="x")

    assert said in fragment
    assert said in page.find(id="warnings").get_text(" ", strip=True)
    assert typed(page.main)["date"] == [on]
    assert unchanged == 6
    assert response.status_code == 303
    after = corin.page(response.location).select_one(".well").get_text(" ", strip=True)
    assert (said in after) == (on != "2026-12-08")


def test_a_cancelled_session_leaves_its_date_free(corin):
    change(JANUARY, status="cancelled")

    fragment = add(corin, CHECK, headers=HTMX, date=JANUARY).get_data(as_text=True)

    assert "Nothing is known against this date." in fragment


def test_a_form_that_was_sent_twice_adds_one(corin):
    first = add(corin, date="2026-12-09", topic="Who counts?")
    again = add(corin, date="2026-12-09", topic="Who counts?")

    assert (first.status_code, again.status_code) == (303, 422)
    assert "with this topic already" in refusals(parse(again))[0]
    assert len(rows(Meeting)) == 7


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


def test_what_cannot_be_is_refused_at_its_field_with_everything_kept(corin, subtests):
    for answers, field in REFUSED:
        with subtests.test(ascii(answers)[:60]):
            sent = {"date": "2026-12-09", "topic": "<b>Who</b> counts?"} | answers

            response = add(corin, **sent)

            page = parse(response)
            assert response.status_code == 422
            assert page.find(id=f"{field}-refusal")
            assert {name: typed(page.main)[name][0] for name in sent} == sent
            assert len(rows(Meeting)) == 6


@pytest.fixture
def roster(corin):
    """Two places, held by Ada and Mallory, whose mail comes back; Grace waits, Katherine behind."""
    change(DECEMBER, capacity=2)
    fill(DECEMBER, "ada@example.org", "mallory@example.org")
    fill(DECEMBER, "grace@example.org", "katherine@example.org", status="waiting")
    tell(DECEMBER)


def test_what_an_edit_mails_is_said_as_it_is_changed(corin, roster):
    held, waiting = "2 people who hold a place", "2 who wait"
    delay = "2 minutes after your last change."

    said = [
        would(corin, topic="Who counts?"),
        would(corin, starts="12:00"),
        would(corin, join_url="https://zoom.example.com/j/1"),
        would(corin, capacity="3"),
        would(corin, capacity="", starts="12:00"),
        would(corin, capacity="1"),
    ]

    assert said == [
        "Nobody gets a mail.",
        f"{TIME}{held} and {waiting}, {delay}",
        "Nobody gets a mail.",
        "1 person comes off the waiting list, and gets a mail at once.",
        f"{TIME}{held}, {delay} 2 people come off the waiting list, and get a mail at once.",
        f"Nobody gets a mail. {FEWER}",
    ]
    assert rows(OutboxEmail) == []


def test_another_way_in_is_mailed_to_those_who_knew_one(corin, roster):
    change(DECEMBER, join_url="https://zoom.example.com/j/1")
    tell(DECEMBER)

    said = would(corin, join_url="https://zoom.example.com/j/2")

    assert said == (
        "One mail about the new join address goes to 2 people who hold a place, 2 minutes after "
        "your last change."
    )


def test_an_edit_that_is_taken_back_in_time_mails_nobody(corin, roster):
    page = corin.page(EDIT)
    data = {name: values[0] for name, values in typed(page.main).items()}
    corin.post(EDIT, data=data | {"starts": "12:00"}, headers=SAME_ORIGIN)

    pending, back = would(corin), would(corin, starts="11:30")

    assert pending.startswith("One mail about your last changes goes to 2 people who hold a place")
    assert back == "Nobody gets a mail."


def test_without_javascript_the_page_says_it_with_everything_kept(corin, roster):
    data = {n: v[0] for n, v in typed(corin.page(EDIT).main).items()}
    data |= {"starts": "12:00", "summary": "## One\n\n<script>x</script> *two*"}

    response = corin.post(WOULD, data=data, headers=SAME_ORIGIN)

    page = parse(response)
    assert response.status_code == 200
    assert TIME in page.find(id="preview").get_text(" ", strip=True)
    assert page.select_one("#preview em").get_text() == "two"
    assert not page.main.find("script")
    assert typed(page.main)["starts"] == ["12:00"]
    assert rows(Meeting)[0]["starts_at"].hour == 16


def test_what_cannot_be_saved_is_said_before_it_is_sent(corin):
    assert "The end is before the start." in would(corin, ends="09:00")
    assert "would be over already" in would(corin, date="2026-11-15")
    assert "Offer at least one place" in would(corin, capacity="0")
    assert "Write the time like" in would(corin, starts="soon")


def test_a_date_to_which_it_is_moved_is_looked_at(corin):
    assert would(corin, date="2026-12-25").startswith("December 25 is Christmas Day.")
    assert would(corin, date=JANUARY).startswith("On January 19 there is a session already")
    assert would(corin, date=DECEMBER) == "Nobody gets a mail."


def test_the_page_of_a_session_on_a_holiday_says_so(corin):
    change_community(observances=[f"{DECEMBER} A day of ours"])

    page = corin.page(EDIT)

    assert "December 15 is A day of ours." in page.select_one(".caution").get_text()


def test_each_deed_is_on_the_record(corin, roster):
    data = {n: v[0] for n, v in typed(corin.page(EDIT).main).items()}
    corin.post(EDIT, data=data | {"starts": "12:00"}, headers=SAME_ORIGIN)
    data = {n: v[0] for n, v in typed(corin.page(EDIT).main).items()}
    corin.post(EDIT, data=data | {"topic": "x"}, headers=SAME_ORIGIN)
    corin.post(EDIT, data={n: v[0] for n, v in typed(corin.page(EDIT).main).items()},
               headers=SAME_ORIGIN)  # fmt: skip
    post(corin, f"{SESSION}/cancel", reason="Snow")
    post(corin, RESTORE)

    assert [act["action"] for act in rows(AuditEntry)] == [
        "moved a session", "edited a session", "cancelled a session", "restored a session",
    ]  # fmt: skip


def test_restoring_says_whom_it_mails(app, corin, roster):
    post(corin, f"{SESSION}/cancel", reason="Snow")
    tell(DECEMBER)

    asked = corin.page(RESTORE).main.get_text(" ", strip=True)

    assert "One mail that says so goes to 2 people who hold a place and 2 who wait" in asked
    assert "for 30 days after it was cancelled" in asked


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"cancelled_at": NOW.replace(month=10)}, "more than 30 days ago"),
        ({"ends_at": NOW}, "Its time is over"),
    ],
    ids=["too late", "over"],
)
def test_a_session_that_cannot_be_restored_says_why_and_offers_no_button(corin, values, said):
    change(DECEMBER, status="cancelled", starts_at=NOW.replace(hour=1), **values)

    page = corin.page(RESTORE)
    sent = post(corin, RESTORE, form_at=EDIT)

    assert said in page.main.get_text()
    assert not page.main.find("form")
    assert sent.status_code == 422
    assert rows(Meeting)[0]["status"] == "cancelled"
