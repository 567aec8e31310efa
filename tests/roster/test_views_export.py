"""The CSV export of the attendee list, as a coordinator gets it."""

import csv
import io
from datetime import UTC, datetime, timedelta

from cop.models.audit import Viewing
from cop.models.meeting import Meeting
from tests.builders import NOW
from tests.client import (
    DECEMBER,
    FEBRUARY,
    JANUARY,
    add_registrations,
    register,
    rows,
    update_meeting,
)

EXPORT = "/coordinator/export.csv"


def exported(corin, query=""):
    """The rows of an export as a spreadsheet reads them."""
    response = corin.get(f"{EXPORT}{query}")
    assert response.status_code == 200
    return list(csv.DictReader(io.StringIO(response.data.decode("utf-8-sig"), newline="")))


def test_answers_of_the_form_are_sent_as_a_file_for_spreadsheets(corin):
    typed = {"organization": "Example, Inc.", "first_time": "yes", "hats_other": "gardener"}
    register(corin, DECEMBER, **typed, hats=["analyst", "gis-analyst"], access="asl")

    response = corin.get(EXPORT)

    byte_order_mark, (header, row, _) = "\ufeff", response.data.decode().split("\r\n")
    assert header.startswith(f"{byte_order_mark}session_date,session_topic,status,")
    assert row == (
        '2026-12-15,,registered,Ada Example,ada@example.org,"Example, Inc.",,'
        "Data analyst; GIS analyst; gardener,,yes,,no,2026-11-22T10:00:00-05:00,"
    )
    assert response.headers["Content-Type"] == "text/csv; charset=utf-8"
    assert int(response.headers["Content-Length"]) == len(response.data)
    assert response.cache_control.no_store
    disposition = response.headers["Content-Disposition"].replace('"', "")
    assert "attachment; filename=equity-in-data-attendees.csv" in disposition


def test_sessions_statuses_and_columns_are_chosen_in_the_query(corin):
    update_meeting(FEBRUARY, starts_at=NOW - timedelta(days=5), ends_at=NOW - timedelta(days=4))
    for number, slug in enumerate([FEBRUARY, DECEMBER, JANUARY]):
        for status in ("waiting", "held", "cancelled"):
            at = NOW - timedelta(days=30 - number, minutes=len(status))
            add_registrations(slug, f"{status}{number}@x.org", status=status, registered_at=at)

    expected = {
        "": ["waiting0", "held0", "waiting1", "held1", "waiting2", "held2"],
        f"?session={DECEMBER}": ["waiting1", "held1"],
        f"?session={FEBRUARY}&status=held": ["held0"],
        "?status=cancelled": ["cancelled0", "cancelled1", "cancelled2"],
        f"?session={JANUARY}&status=cancelled,held,waiting": ["cancelled2", "waiting2", "held2"],
    }

    found = {
        query: [row["email"].split("@")[0] for row in exported(corin, query)] for query in expected
    }
    two_columns = [
        corin.get(f"{EXPORT}?session={DECEMBER}&status=held&{columns}").data.decode("utf-8-sig")
        for columns in ("columns=name,email", "columns=name&columns=email")
    ]
    assert found == expected
    assert two_columns == ["name,email\r\nHeld1,held1@x.org\r\n"] * 2


def test_the_file_is_named_after_the_current_date_of_its_session(corin):
    starts_at = datetime(2027, 2, 23, 2, 0, tzinfo=UTC)
    update_meeting(FEBRUARY, starts_at=starts_at, ends_at=starts_at + timedelta(hours=1))
    add_registrations(FEBRUARY, "ada@example.org")

    plain = corin.get(f"{EXPORT}?session={DECEMBER}").headers["Content-Disposition"]
    moved = corin.get(f"{EXPORT}?session={FEBRUARY}").headers["Content-Disposition"]

    assert "equity-in-data-2026-12-15-attendees.csv" in plain
    assert "equity-in-data-2027-02-22-attendees.csv" in moved  # the date in Connecticut
    assert exported(corin)[0]["session_date"] == "2027-02-22"


def test_unknown_values_are_refused_and_no_viewing_is_recorded(corin):
    expected = {
        **dict.fromkeys(("session=1999-01-01", "session=", "session=%00"), 404),
        **dict.fromkeys(("status=held,gone", "status=", "status=%00"), 422),
        **dict.fromkeys(("columns=name,password", "columns="), 422),
    }

    answers = {query: corin.get(f"{EXPORT}?{query}").status_code for query in expected}

    assert answers == expected
    assert rows(Viewing) == []


def test_every_export_is_recorded_as_a_viewing(corin):
    corin.get(EXPORT)
    corin.get(f"{EXPORT}?session={JANUARY}&columns=name,access")

    first, second = rows(Viewing)

    slugs = {meeting["id"]: meeting["slug"] for meeting in rows(Meeting)}
    assert [first["resource"], second["resource"]] == ["export", "export"]
    assert (first["meeting_id"], slugs[second["meeting_id"]]) == (None, JANUARY)
    assert "access" not in first["columns"]
    assert second["columns"] == ["name", "access"]
    assert first["viewed_at"] == NOW
    assert first["coordinator_id"] is not None
