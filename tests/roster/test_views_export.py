"""The attendee list as CSV, as a coordinator takes it away."""

import csv
import io
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import update

from cop.db.engine import write_tx
from cop.models.audit import Viewing
from cop.models.meeting import Meeting
from cop.models.registration import Member
from tests.builders import NOW
from tests.client import (
    ALL_SIX,
    DECEMBER,
    FEBRUARY,
    JANUARY,
    SAME_ORIGIN,
    change,
    fill,
    register,
    rows,
)

pytestmark = pytest.mark.both

EXPORT = "/coordinator/export.csv"
COLUMNS = (
    "session_date,session_topic,status,name,email,organization,pronouns,hats,taking_part,"
    "first_time,prep_answer,mailing_list,registered_at,attended"
)
FORMULAS = [
    *("=1+1", "+1 860 555 0100", "-", "-2+3", "@SUM(A1)", "|calc", "%0A", "\t=1", "\r=1", "\n=1"),
    *(" =1", "   @x", "\u00a0=1", "＝1+1", "＋1", "－1", "＠x", "｜x", "％x", " ＝1"),
]
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


def taken_away(corin, query=""):
    """The rows of an export as a spreadsheet reads them."""
    response = corin.get(f"{EXPORT}{query}")
    assert response.status_code == 200
    return list(csv.DictReader(io.StringIO(response.data.decode("utf-8-sig"), newline="")))


def test_the_list_is_the_file_that_was_decided(corin):
    change(DECEMBER, topic="Counting renters")
    typed = {"organization": "Example, Inc.", "pronouns": "she/her", "first_time": "yes"}
    ticked = {"hats": ["analyst", "gis-analyst"], "hats_other": "gardener", "taking_part": "type"}
    register(corin, DECEMBER, **typed, **ticked, access="asl")
    fill(JANUARY, "grace@example.org", status="waiting", registered_at=NOW + timedelta(days=1))

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


def test_an_empty_list_has_its_header_row(corin):
    response = corin.get(f"{EXPORT}?session={DECEMBER}")

    assert response.data.decode() == f"\ufeff{COLUMNS}\r\n"


@pytest.fixture
def three_sessions(corin):
    """A session that is over, and two to come, each with people of every kind."""
    change(FEBRUARY, starts_at=NOW - timedelta(days=5), ends_at=NOW - timedelta(days=4))
    for number, slug in enumerate([FEBRUARY, DECEMBER, JANUARY]):
        for status in ("waiting", "held", "cancelled"):
            at = NOW - timedelta(days=30 - number, minutes=len(status))
            fill(slug, f"{status}{number}@example.org", status=status, registered_at=at)


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
def test_the_list_holds_who_was_asked_for_in_order(corin, three_sessions, query, expected):
    emails = [row["email"].split("@")[0] for row in taken_away(corin, query)]

    assert emails == expected


def test_the_file_is_named_after_its_session_and_a_moved_one_after_its_new_date(corin):
    change(FEBRUARY, starts_at=datetime(2027, 2, 23, 2, 0, tzinfo=UTC),
           ends_at=datetime(2027, 2, 23, 3, 0, tzinfo=UTC))  # fmt: skip
    fill(FEBRUARY, "ada@example.org")

    plain = corin.get(f"{EXPORT}?session={DECEMBER}").headers["Content-Disposition"]
    moved = corin.get(f"{EXPORT}?session={FEBRUARY}").headers["Content-Disposition"]

    assert "equity-in-data-2026-12-15-attendees.csv" in plain
    assert "equity-in-data-2027-02-22-attendees.csv" in moved  # the date in Connecticut
    assert taken_away(corin)[0]["session_date"] == "2027-02-22"


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
def test_what_does_not_exist_is_refused_and_not_noted_as_seen(corin, query, status):
    response = corin.get(f"{EXPORT}{query}")

    assert response.status_code == status
    assert rows(Viewing) == []


def test_access_is_a_column_only_when_it_is_asked_for(corin):
    needs = {"access": ["interpretation", "slides"], "access_language": "Spanish"}
    register(corin, DECEMBER, **needs, access_other="large print")

    (usual,) = taken_away(corin)
    (asked,) = taken_away(corin, "?columns=access,email")

    assert "access" not in usual
    assert list(asked) == ["email", "access"]
    assert asked["access"] == (
        "Interpretation into another language; Slides ahead of the session; language: Spanish; "
        "large print"
    )


def test_every_export_is_written_to_the_viewing_log(corin):
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


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"])
def test_nobody_gets_it_who_is_not_signed_in(client, method):
    fill(DECEMBER, "ada@example.org")

    response = client.open(f"{EXPORT}?session={DECEMBER}", method=method, headers=SAME_ORIGIN)

    asks = "/coordinator/sign-in?next=/coordinator/export.csv?session%3D2026-12-15"
    assert response.status_code == (303 if method in {"GET", "HEAD"} else 403)
    assert response.headers.get("Location") == (asks if method in {"GET", "HEAD"} else None)
    assert b"ada@" not in response.data
    assert rows(Viewing) == []


def test_a_cell_that_a_spreadsheet_would_run_gets_an_apostrophe_and_loses_nothing(corin):
    texts = FORMULAS + HARMLESS
    for number, text in enumerate(texts):
        fill(DECEMBER, f"ada{number}@example.org", name=text, organization=text, pronouns=text)

    found = taken_away(corin)

    for column in ("name", "organization", "pronouns"):
        assert [row[column] for row in found] == ["'" + text for text in FORMULAS] + HARMLESS


def read_in_every_way(text):
    """The cells that readers see who split at commas, semicolons or tabs, with quotes or without."""
    for delimiter in ",;\t":
        for row in csv.reader(io.StringIO(text, newline=""), delimiter=delimiter):
            yield from row
    for delimiter in ";\t":
        for line in text.splitlines():
            yield from (cell.strip('" \u00a0') for cell in line.split(delimiter))


def test_no_reader_finds_a_formula_wherever_it_splits_and_nothing_is_lost(corin):
    for number, text in enumerate(INSIDE + HARMLESS):
        fill(DECEMBER, f"ada{number}@example.org", name=text, prep_answer=text, hats_other=text)

    query = "?columns=name,prep_answer,hats"
    whole = corin.get(f"{EXPORT}{query}").data.decode("utf-8-sig")
    found = taken_away(corin, query)

    run = [cell for cell in read_in_every_way(whole) if cell.startswith(RUN_BY_SPREADSHEETS)]
    assert run == []
    for column in ("name", "prep_answer", "hats"):
        cells = [row[column] for row in found]
        assert all(cell.startswith("'") for cell in cells[: len(INSIDE) - 1])
        assert cells[len(INSIDE) - 1 :] == [INSIDE[-1], *HARMLESS]
        for cell, text in zip(cells, INSIDE, strict=False):
            assert cell.replace("'", "") == text.replace("'", "")


def test_a_part_inside_a_cell_gets_an_apostrophe_of_its_own(corin):
    fill(DECEMBER, "ada@example.org", name="Ann;=HYPERLINK(1)", hats=["analyst"], hats_other="=1")

    (row,) = taken_away(corin, "?columns=name,hats")

    assert row == {"name": "'Ann;'=HYPERLINK(1)", "hats": "'Data analyst;' =1"}


def test_own_words_and_answers_are_guarded_too(corin):
    fill(DECEMBER, "ada@example.org", hats_other="=1", prep_answer="@x", access_other="+1")

    (row,) = taken_away(corin, "?columns=hats,prep_answer,access")

    assert row == {"hats": "'=1", "prep_answer": "'@x", "access": "'+1"}


def test_whether_somebody_came_is_yes_or_no_or_not_known(corin):
    for email, came in (("ada", True), ("grace", False), ("katherine", None)):
        fill(DECEMBER, f"{email}@example.org", attended=came)

    found = taken_away(corin)

    assert [row["attended"] for row in found] == ["yes", "no", ""]


def test_the_mailing_list_is_yes_only_once_confirmed(corin):
    for email in ("ada@example.org", "grace@example.org", "katherine@example.org"):
        fill(DECEMBER, email)
    asked = {"list_requested_at": NOW}
    with write_tx() as db_session:
        asks = update(Member).where(Member.email != "katherine@example.org")
        db_session.execute(asks.values(**asked))
        confirms = update(Member).where(Member.email == "ada@example.org")
        db_session.execute(confirms.values(list_confirmed_at=NOW))

    found = taken_away(corin)

    assert [row["mailing_list"] for row in found] == ["yes", "no", "no"]


def test_the_moment_of_registering_is_said_to_the_second_with_its_offset(corin):
    summer = datetime(2026, 7, 1, 3, 59, 59, 999_999, tzinfo=UTC)
    fill(DECEMBER, "ada@example.org", registered_at=summer)

    (row,) = taken_away(corin)

    assert row["registered_at"] == "2026-06-30T23:59:59-04:00"


def test_many_rows_come_out_as_they_went_in(corin):
    people = [f"person{number}@example.org" for number in range(1200)]
    fill(DECEMBER, *people, organization='A "quoted", é 🦦\r\nsecond line; third')

    found = taken_away(corin, f"?session={ALL_SIX[0]}")

    assert [row["email"] for row in found] == people
    assert {row["organization"] for row in found} == {'A "quoted", é 🦦\r\nsecond line; third'}
