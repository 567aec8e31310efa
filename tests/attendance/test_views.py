"""The attendance page: the preview of a Zoom report, and marks by hand."""

import io
from datetime import timedelta

import pytest
from werkzeug.datastructures import FileStorage
from werkzeug.test import encode_multipart

from cop.audit.audit_log import Action
from cop.models.audit import AttendanceImport, AuditEntry, Viewing
from cop.models.registration import Registration
from tests.attendance.reports import Row, report
from tests.builders import NOW
from tests.client import (
    DECEMBER,
    SAME_ORIGIN,
    add_registrations,
    advance_clock,
    error_summary,
    main_text,
    post,
    rows,
    submit,
    update_meeting,
)
from tests.page import parse
from tests.statements import Statements

PAGE = f"/coordinator/sessions/{DECEMBER}/attendance"
REPORT = f"{PAGE}/report"
ADA, GRACE = "ada@example.org", "grace@example.org"


@pytest.fixture
def over(app):
    """December's session is over; Ada and Grace held a place, Katherine waited."""
    update_meeting(DECEMBER, starts_at=NOW - timedelta(hours=3), ends_at=NOW - timedelta(hours=1))
    add_registrations(DECEMBER, ADA, organization="Harbor Data Lab")
    add_registrations(DECEMBER, GRACE)
    add_registrations(DECEMBER, "katherine@example.org", status="waiting")
    add_registrations("2027-01-19", "bystander@example.org")


def upload(client, content):
    token = parse(client.get(PAGE)).find("input", attrs={"name": "csrf_token"})["value"]
    return send_file(client, content, csrf_token=token)


def send_file(client, content, **fields):
    """Encoded here: the client itself would leave a file open for a body of this size."""
    file = FileStorage(io.BytesIO(content), "report.csv", "report")
    boundary, body = encode_multipart(fields | {"report": file})
    kind = f"multipart/form-data; boundary={boundary}"
    return client.post(REPORT, data=body, content_type=kind, headers=SAME_ORIGIN)


def marks():
    return {row["name"]: (row["attended"], row["minutes_present"]) for row in rows(Registration)}


def registered():
    return [row["id"] for row in rows(Registration)]


def actions():
    return [(row["action"], row["item_count"]) for row in rows(AuditEntry)]


def choices(page):
    """What each select of the preview offers, by the name that Zoom shows."""
    return {
        label.contents[1].strip(): [
            option.get_text() for option in page.find(id=label["for"]).select("option")
        ]
        for label in page.select(".lines label")
    }


def apply(client, page, **more):
    return submit(client, page, f"{REPORT}/keep", **more)


def test_before_the_session_starts_the_page_says_when_it_will(corin):
    page = corin.page(PAGE)

    assert "on December 15 at 11:30 AM ET" in main_text(page)
    assert not page.select("main form")
    assert post(corin, PAGE, form_at="/coordinator/").status_code == 404
    assert post(corin, REPORT, form_at="/coordinator/").status_code == 404


def test_a_report_is_previewed_before_anything_is_marked(corin, over):
    content = report([
        Row("Ada E.", ADA, "10:00", "11:10"),
        Row("Katherin P.", "", "10:00", "10:20"),
        Row("Ada's OtterPilot"), Row("iPhone"), Row("Nobody", "", "10:00", "10:00"),
    ])  # fmt: skip

    answer = upload(corin, content)
    page = corin.page(REPORT)

    assert (answer.status_code, answer.location) == (303, REPORT)
    figures = {div.dt.get_text(): div.dd.get_text() for div in page.select(".figures div")}
    assert figures == {
        "Matched by email": "1", "Matched by name": "0", "For you to match": "2",
        "Not in the report": "1",
    }  # fmt: skip
    assert choices(page)["Katherin P."] == ["Nobody on the roster", "Katherine", "Grace"]
    assert "1 note-taking app is left out Ada's OtterPilot" in main_text(page)
    assert "1 more name has no match and isn't shown." in main_text(page)
    assert set(marks().values()) == {(None, None)}
    assert actions() == []


def test_applying_a_report_marks_what_was_chosen_and_deletes_it(corin, over):
    upload(corin, report([Row("Ada E.", ADA, "10:00", "11:10"), Row("Kat", "", "10:00", "10:20")]))
    page = corin.page(REPORT)
    katherine = next(row["id"] for row in rows(Registration) if row["name"] == "Katherine")

    answer = apply(corin, page, **{"line-1": katherine})

    assert answer.location == PAGE
    assert list(marks().values()) == [(True, 70), (False, 0), (True, 20), (None, None)]
    assert "Saved. 2 people attended. 1 person did not attend." in main_text(corin.page(PAGE))
    assert actions() == [(Action.IMPORTED_ATTENDANCE, 2)]
    assert rows(AttendanceImport) == []


def test_a_match_by_name_can_be_overruled(corin, over):
    upload(corin, report([Row("Grace", "other@example.org", "10:00", "10:30")]))
    page = corin.page(REPORT)

    apply(corin, page, **{"line-0": ""})

    assert choices(page)["Grace"][0] == "Grace"
    assert marks()["Grace"] == (False, 0)


def test_marks_by_hand_stay_unless_the_box_is_checked(corin, over):
    post(corin, PAGE, **{f"person-{registered()[0]}": "not"})
    outcomes = []

    for more in ({}, {"overwrite": "yes"}):
        upload(corin, report([Row("Ada", ADA)]))
        page = corin.page(REPORT)
        apply(corin, page, **more)
        has_stayed = "1 mark made by hand stays" in main_text(corin.page(PAGE))
        outcomes.append((has_stayed, marks()["Ada"]))

    assert "You marked 1 person by hand. The report doesn't change that." in main_text(page)
    assert outcomes == [(True, (False, None)), (False, (True, 60))]


def test_a_report_that_was_replaced_meanwhile_is_not_applied(app, corin, over):
    upload(corin, report([Row("Ada", ADA)]))
    page = corin.page(REPORT)
    advance_clock(app, timedelta(seconds=5))
    upload(corin, report([Row("Grace", GRACE)]))

    answer = apply(corin, page)

    assert answer.location == PAGE
    assert "Nothing was changed" in main_text(corin.page(PAGE))
    assert set(marks().values()) == {(None, None)}
    assert actions() == []


def test_a_report_can_be_deleted(corin, over):
    upload(corin, report([Row("Ada", ADA)]))
    waiting = main_text(corin.page(PAGE))

    answer = post(corin, f"{REPORT}/delete", form_at=REPORT)

    assert "Your Zoom report with 1 names" not in waiting
    assert "Your Zoom report with 1 name isn't saved yet" in waiting
    assert answer.location == PAGE
    assert corin.get(REPORT).location == PAGE
    assert rows(AttendanceImport) == []
    assert set(marks().values()) == {(None, None)}


@pytest.mark.parametrize(
    ("content", "sentence"),
    [(b"", "Choose the CSV file"), (b"\x89PNG\x00", "picture")],
    ids=["nothing", "picture"],
)
def test_another_file_is_refused(corin, over, content, sentence):
    answer = upload(corin, content)

    page = parse(answer)
    assert answer.status_code == 422
    assert sentence in error_summary(page)[0]
    assert page.title.get_text().startswith("Error:")
    assert rows(AttendanceImport) == []


def test_only_marks_changed_on_this_page_are_saved(corin, over):
    page = corin.page(PAGE)
    ada, grace, katherine = registered()[:3]
    shown = page.find("input", attrs={"name": "shown"})["value"]
    # Somebody else marks Grace meanwhile.
    post(corin, PAGE, **{f"person-{grace}": "came"})

    answer = post(corin, PAGE, shown=shown, **{
        f"person-{ada}": "came", f"person-{grace}": "unknown", f"person-{katherine}": "not",
    })  # fmt: skip

    assert answer.location == PAGE
    assert [attended for attended, _ in marks().values()] == [True, True, False, None]
    assert "Saved: 2 changes." in main_text(corin.page(PAGE))
    assert actions() == [(Action.MARKED_ATTENDANCE, 1), (Action.MARKED_ATTENDANCE, 2)]


def test_all_unknown_people_can_be_marked_absent_at_once(corin, over):
    ada, grace = registered()[:2]

    post(corin, PAGE, others="not", **{f"person-{ada}": "came", f"person-{grace}": "unknown"})

    assert list(marks().values()) == [(True, None), (False, None), (None, None), (None, None)]


def test_people_who_used_their_join_link_and_have_no_mark_are_preselected(corin, over):
    add_registrations(DECEMBER, "mallory@example.org", joined_at=NOW)
    add_registrations(DECEMBER, "nora@example.org", joined_at=NOW, attended=False)

    page = corin.page(PAGE)

    figures = [div.get_text(" ", strip=True) for div in page.select(".figures div")]
    checked = [radio["value"] for radio in page.select("input[type=radio][checked]")]
    assert figures == ["Attended 0", "Did not attend 1", "Unknown 4"]
    assert checked == ["unknown", "unknown", "unknown", "came", "not"]
    assert "1 person used their join link" in main_text(page)


def test_nonsense_in_the_form_changes_nothing(corin, over):
    ada = registered()[0]
    sent = {f"person-{ada}": "maybe", "person-x": "came", "person-": ""}

    answer = post(corin, PAGE, **sent, **{"person-99999999999": "came"})

    assert answer.status_code == 303
    assert set(marks().values()) == {(None, None)}


def test_the_pages_take_at_most_five_statements_and_record_the_viewing(corin, over):
    add_registrations(DECEMBER, *(f"person{n}@example.org" for n in range(9)))
    upload(corin, report([Row(f"Person {n}") for n in range(9)]))
    seen = len(rows(Viewing))
    took = {}

    for path in (PAGE, REPORT):
        with Statements() as sent:
            corin.page(path)
        took[path] = len(sent)

    assert max(took.values()) <= 5, took
    assert [row["resource"] for row in rows(Viewing)][seen:] == ["roster", "roster"]


def test_a_roster_of_two_hundred_can_be_marked_in_one_form(corin, over):
    sent = {f"person-{id_}": "came" for id_ in range(200)}

    answer = post(corin, PAGE, **sent)

    assert answer.status_code == 303
    assert [attended for attended, _ in marks().values()] == [True, True, True, None]


def test_the_page_says_why_there_is_nobody_to_mark(corin):
    update_meeting(DECEMBER, starts_at=NOW - timedelta(hours=3), ends_at=NOW - timedelta(hours=1))
    text = []

    for values in ({}, {"registered_count": 7, "attended_count": 5}, {"status": "cancelled"}):
        update_meeting(DECEMBER, **values)
        text.append(main_text(corin.page(PAGE)))

    assert "Nobody registered" in text[0]
    assert "7 people registered. 5 people attended." in text[1]
    assert "was canceled" in text[2]
