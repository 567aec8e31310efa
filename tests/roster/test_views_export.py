"""The CSV export of the attendee list, as a coordinator gets it."""

import csv
import io
from datetime import UTC, datetime, timedelta

import pytest

from cop.models.audit import Viewing
from cop.models.meeting import Meeting
from tests.builders import NOW
from tests.client import (
    ALL_SIX,
    DECEMBER,
    FEBRUARY,
    JANUARY,
    add_registrations,
    register,
    rows,
    update_meeting,
)

EXPORT = "/coordinator/export.csv"
COLUMNS = (
    "session_date,session_topic,status,name,email,organization,pronouns,hats,taking_part,"
    "first_time,prep_answer,mailing_list,registered_at,attended"
)
HARMLESS = ["Ada", "1+1", "a=b", "'=1", "O'Brien", "", "(=1)", 'Ada, "the" first\nline', "é=", "~@"]


INSIDE = [
    *(
        "Ann;=HYPERLINK(1)",
        "Ann; =1",
        "Ann;\u00a0＝1",
        'Ann;"=1',
        'Ann;"";@x',
        "a;-2;+3",
        "Ann\t=1",
    ),
    *(
        "Ann;\t=1",
        "one\n=1\ntwo",
        "one\r\n@x",
        "'Ann;=1",
        "=1;=2",
        'x;"\n=1',
        "a;|calc\t%0A",
        'a;"',
    ),
]
RUN_BY_SPREADSHEETS = tuple("=+-@|%\t\r＝＋－＠｜％")


def exported(corin, query=""):
    """The rows of an export as a spreadsheet reads them."""
    response = corin.get(f"{EXPORT}{query}")
    assert response.status_code == 200
    return list(csv.DictReader(io.StringIO(response.data.decode("utf-8-sig"), newline="")))


def test_the_file_has_the_documented_columns_and_headers(corin):
    update_meeting(DECEMBER, topic="Counting renters")
    typed = {"organization": "Example, Inc.", "pronouns": "she/her", "first_time": "yes"}
    ticked = {"hats": ["analyst", "gis-analyst"], "hats_other": "gardener", "taking_part": "type"}
    register(corin, DECEMBER, **typed, **ticked, access="asl")
    add_registrations(
        JANUARY, "grace@example.org", status="waiting", registered_at=NOW + timedelta(days=1)
    )

    response = corin.get(EXPORT)

    assert response.data.decode() == (
        f"\ufeff{COLUMNS}\r\n"
        '2026-12-15,Counting renters,held,Ada Example,ada@example.org,"Example, Inc.",she/her,'
        "Data analyst; GIS analyst; gardener,I like to type in the chat,yes,,no,"
        "2026-11-22T10:00:00-05:00,\r\n"
        "2027-01-19,,waiting,Grace,grace@example.org,,,,,no,,no,2026-11-23T10:00:00-05:00,\r\n"
    )
    assert response.headers["Content-Type"] == "text/csv; charset=utf-8"
    assert int(response.headers["Content-Length"]) == len(response.data)
    assert response.cache_control.no_store
    assert "attachment; filename=equity-in-data-attendees.csv" in response.headers[
        "Content-Disposition"
    ].replace('"', "")


@pytest.fixture
def three_sessions(corin):
    """A session that is over, and two to come, each with people of every kind."""
    update_meeting(FEBRUARY, starts_at=NOW - timedelta(days=5), ends_at=NOW - timedelta(days=4))
    for number, slug in enumerate([FEBRUARY, DECEMBER, JANUARY]):
        for status in ("waiting", "held", "cancelled"):
            at = NOW - timedelta(days=30 - number, minutes=len(status))
            add_registrations(
                slug, f"{status}{number}@example.org", status=status, registered_at=at
            )


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", ["waiting0", "held0", "waiting1", "held1", "waiting2", "held2"]),
        (f"?session={DECEMBER}", ["waiting1", "held1"]),
        (f"?session={FEBRUARY}&status=held", ["held0"]),
        ("?status=cancelled", ["cancelled0", "cancelled1", "cancelled2"]),
        (f"?session={JANUARY}&status=cancelled,held,waiting", ["cancelled2", "waiting2", "held2"]),
    ],
    ids=["all, past ones too", "one", "one status", "the cancelled", "everybody at one"],
)
def test_sessions_and_statuses_are_chosen_in_the_query(corin, three_sessions, query, expected):
    emails = [row["email"].split("@")[0] for row in exported(corin, query)]

    assert emails == expected


def test_the_file_is_named_after_the_current_date_of_its_session(corin):
    update_meeting(FEBRUARY, starts_at=datetime(2027, 2, 23, 2, 0, tzinfo=UTC),
           ends_at=datetime(2027, 2, 23, 3, 0, tzinfo=UTC))  # fmt: skip
    add_registrations(FEBRUARY, "ada@example.org")

    plain = corin.get(f"{EXPORT}?session={DECEMBER}").headers["Content-Disposition"]
    moved = corin.get(f"{EXPORT}?session={FEBRUARY}").headers["Content-Disposition"]

    assert "equity-in-data-2026-12-15-attendees.csv" in plain
    assert "equity-in-data-2027-02-22-attendees.csv" in moved  # the date in Connecticut
    assert exported(corin)[0]["session_date"] == "2027-02-22"


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("?session=1999-01-01", 404),
        ("?session=", 404),
        ("?status=held,gone", 422),
        ("?status=", 422),
        ("?columns=name,password", 422),
        ("?columns=", 422),
        ("?session=%00", 404),
        ("?status=%00", 422),
    ],
)
def test_unknown_values_are_refused_and_no_viewing_is_recorded(corin, query, status):
    response = corin.get(f"{EXPORT}{query}")

    assert response.status_code == status
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


def read_in_every_way(text):
    """The cells of readers that split at commas, semicolons or tabs, with quotes or without."""
    for delimiter in ",;\t":
        for row in csv.reader(io.StringIO(text, newline=""), delimiter=delimiter):
            yield from row
    for delimiter in ";\t":
        for line in text.splitlines():
            yield from (cell.strip('" \u00a0') for cell in line.split(delimiter))


def test_no_reader_finds_a_formula_at_whatever_delimiter_it_splits(corin):
    for number, text in enumerate(INSIDE + HARMLESS):
        add_registrations(
            DECEMBER, f"ada{number}@example.org", name=text, prep_answer=text, hats_other=text
        )

    query = "?columns=name,prep_answer,hats"
    whole = corin.get(f"{EXPORT}{query}").data.decode("utf-8-sig")
    found = exported(corin, query)

    run = [cell for cell in read_in_every_way(whole) if cell.startswith(RUN_BY_SPREADSHEETS)]
    assert run == []
    for column in ("name", "prep_answer", "hats"):
        cells = [row[column] for row in found]
        assert all(cell.startswith("'") for cell in cells[: len(INSIDE) - 1])
        assert cells[len(INSIDE) - 1 :] == [INSIDE[-1], *HARMLESS]
        for cell, text in zip(cells, INSIDE, strict=False):
            assert cell.replace("'", "") == text.replace("'", "")


@pytest.mark.slow
def test_many_rows_are_exported_unchanged(corin):
    people = [f"person{number}@example.org" for number in range(1200)]
    add_registrations(DECEMBER, *people, organization='A "quoted", é 🦦\r\nsecond line; third')

    found = exported(corin, f"?session={ALL_SIX[0]}")

    assert [row["email"] for row in found] == people
    assert {row["organization"] for row in found} == {'A "quoted", é 🦦\r\nsecond line; third'}
