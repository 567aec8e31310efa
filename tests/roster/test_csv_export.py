"""The attendee CSV: its content and order, and that no cell is a formula."""

import csv
import io
import tracemalloc
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import text

from cop.db.engine import snapshot_tx, write_tx
from cop.models.registration import Registration
from cop.roster import csv_export
from cop.web.downloads import guard_column
from tests.builders import EASTERN, NOW, a_meeting, a_registration, find_member

pytestmark = pytest.mark.both

# Beginnings of formulas, formulas behind delimiters that other programs split at, and neither.
FORMULAS = [
    *("=1+1", "+1 860 555 0100", "-", "-2", "@SUM(A1)", "|calc", "%appdata%", "\t=1", "\r=1"),
    *("\n=1", "\tAda", " =1+1", "   @x", "\u00a0=1", "\u3000=1", "＝1+1", "＋1", "－1", "＠x"),
    *("｜x", "％x", " ＝1"),
]
INSIDE = [
    *("Ann;=HYPERLINK(1)", "Ann; =1", "Ann;\u00a0＝1", 'Ann;"=1', 'Ann;"";@x', "a;-2;+3"),
    *("Ann\t=1", "Ann;\t=1", "one\n=1\ntwo", "one\r\n@x", "'Ann;=1", "=1;=2", 'x;"\n=1'),
    "a;|calc\t%0A",
]
HARMLESS = [
    *("", " ", "Ada", "Ada = Ada", "a@example.org", "1-2", "'quoted'", "עדה", "🦊", "5 %", "a\nb"),
    *("1+1", "a=b", "'=1", "O'Brien", "(=1)", 'Ada, "the" first\nline', "é=", "~@", 'a;"'),
]
DAY = timedelta(days=1)
RUN_BY_SPREADSHEETS = tuple("=+-@|%\t\r＝＋－＠｜％")


def written(db_session, **values):
    """The attendee CSV as text."""
    out = io.StringIO(newline="")
    csv_export.write_csv(db_session, out, zone=EASTERN, **values)
    return out.getvalue()


def rows(db_session, **values):
    """The attendee CSV as a spreadsheet reads it."""
    return list(csv.DictReader(io.StringIO(written(db_session, **values), newline="")))


def read_in_every_way(text):
    """The cells of readers that split at commas, semicolons or tabs, with quotes or without."""
    for delimiter in ",;\t":
        for row in csv.reader(io.StringIO(text, newline=""), delimiter=delimiter):
            yield from row
    for delimiter in ";\t":
        for line in text.splitlines():
            yield from (cell.strip('" \u00a0') for cell in line.split(delimiter))


def test_only_a_cell_that_would_be_a_formula_gets_an_apostrophe():
    assert guard_column(FORMULAS) == ["'" + cell for cell in FORMULAS]
    assert guard_column([*INSIDE, *HARMLESS])[len(INSIDE) :] == HARMLESS
    assert guard_column(HARMLESS) == HARMLESS


def test_no_reader_finds_a_formula_at_whatever_delimiter_it_splits():
    guarded = guard_column([*INSIDE, *HARMLESS])
    out = io.StringIO(newline="")
    csv.writer(out, lineterminator="\r\n").writerows([cell] * 3 for cell in guarded)

    run = [c for c in read_in_every_way(out.getvalue()) if c.startswith(RUN_BY_SPREADSHEETS)]

    assert run == []
    for cell, typed in zip(guarded, INSIDE, strict=False):
        assert cell.startswith("'")
        assert cell.replace("'", "") == typed.replace("'", "")


def test_rows_have_every_value_in_the_documented_format(db_session):
    starts_at = datetime(2027, 7, 21, 2, tzinfo=UTC)
    meeting = a_meeting(db_session, topic="Who disappears?", starts_at=starts_at)
    a_registration(
        db_session,
        meeting,
        "ada@example.org",
        name='Ada "the first", Example',
        organization="Harbor Data Lab",
        pronouns="she/her",
        hats=["analyst", "evaluator"],
        lived_experience=True,
        hats_other="beekeeper",
        taking_part=["type", "listen"],
        first_time=True,
        prep_answer="First line.\nSecond line.",
        registered_at=datetime(2026, 7, 1, 13, 14, 15, 999999, tzinfo=UTC),
        attended=False,
    )
    a_registration(
        db_session, a_meeting(db_session, starts_at=starts_at + DAY), "grace@example.org"
    )
    find_member(db_session, "ada@example.org").list_confirmed_at = NOW
    find_member(db_session, "grace@example.org").list_requested_at = NOW

    assert written(db_session) == (
        "session_date,session_topic,status,name,email,organization,pronouns,hats,taking_part,"
        "first_time,prep_answer,mailing_list,registered_at,attended\r\n"
        '2027-07-20,Who disappears?,registered,"Ada ""the first"", Example",ada@example.org,'
        "Harbor Data Lab,she/her,Data analyst; Evaluator; beekeeper,"
        "I like to type in the chat; I like to listen,yes,"
        '"First line.\nSecond line.",yes,2026-07-01T09:14:15-04:00,no\r\n'
        "2027-07-21,,registered,Grace,grace@example.org,,,,,no,,no,2026-11-22T10:00:00-05:00,\r\n"
    )


def test_rows_are_ordered_by_session_and_then_by_time_of_registration(db_session):
    later = a_meeting(db_session, slug="later", starts_at=NOW + 9 * DAY)
    sooner = a_meeting(db_session, slug="sooner", starts_at=NOW + 2 * DAY)
    for meeting, email, minutes in (
        (later, "ada@example.org", 0),
        (sooner, "katherine@example.org", 3),
        (sooner, "grace@example.org", 2),
        (sooner, "ada@example.org", 3),
    ):
        registered_at = NOW + timedelta(minutes=minutes)
        a_registration(db_session, meeting, email, registered_at=registered_at)

    names = [row["name"] for row in rows(db_session)]

    assert names == ["Grace", "Katherine", "Ada", "Ada"]


def test_access_needs_are_exported_only_on_request(db_session):
    needs = {"access": ["cart", "interpretation"], "access_language": "ASL", "access_other": "=tea"}
    a_registration(db_session, a_meeting(db_session), "ada@example.org", **needs)

    [usual] = rows(db_session)
    [asked] = rows(db_session, columns=["access", "name"])

    assert "access" not in usual
    assert "tea" not in str(usual)
    assert list(asked) == ["name", "access"]
    assert asked["access"] == (
        "'Live captions by a person (CART); Interpretation into another language; language: ASL;"
        "' =tea"
    )


def test_each_column_is_the_same_alone_as_among_all_others(db_session):
    answers = {"hats": ["analyst"], "hats_other": "=hat", "access": ["asl"], "attended": True}
    meeting = a_meeting(db_session, topic="Topic")
    a_registration(db_session, meeting, "ada@example.org", taking_part=["type"], **answers)
    a_registration(db_session, meeting, "grace@example.org", "waiting")

    together = rows(db_session, columns=csv_export.COLUMNS)

    for name in csv_export.COLUMNS:
        alone = rows(db_session, columns=[name])
        assert alone == [{name: row[name]} for row in together]


def test_every_typed_column_is_guarded_against_formulas(db_session):
    typed = dict.fromkeys(("name", "organization", "pronouns", "prep_answer"), "=HYPERLINK(1)")
    meeting = a_meeting(db_session, topic="+topic")
    a_registration(db_session, meeting, "+ada@example.org", hats_other="@hat", **typed)

    [row] = rows(db_session)

    assert {row[name] for name in typed} == {"'=HYPERLINK(1)"}
    assert (row["session_topic"], row["hats"], row["email"]) == (
        "'+topic",
        "'@hat",
        "'+ada@example.org",
    )


def test_rows_of_several_batches_are_written_unchanged(db_session):
    meeting, people = a_meeting(db_session), [f"person{n}@example.org" for n in range(101)]
    organization = 'A "quoted", é 🦦\r\nsecond line; third'
    for email in people:
        a_registration(db_session, meeting, email, organization=organization)

    found = rows(db_session)

    assert [row["email"] for row in found] == people
    assert {row["organization"] for row in found} == {organization}


AT_LENGTH = {"organization": "Harbor Data Lab " * 10, "prep_answer": "Nobody asked. " * 30}
COUNTING = "WITH RECURSIVE n(i) AS (SELECT 1000 UNION ALL SELECT i + 1 FROM n WHERE i < 20998)"
MANY_MEMBERS = (
    "INSERT INTO member (id, email, email_key, opt_outs, token_version, calendar_version)"
    " SELECT i, 'a@example.org', i, '[]', 0, 0 FROM n"
)
COPIED = ", ".join(c.name for c in Registration.__table__.c if c.name not in {"id", "member_id"})
MANY_REGISTRATIONS = (
    f"INSERT INTO registration (member_id, {COPIED}) SELECT i, {COPIED} FROM n, registration"
)


@pytest.mark.slow
@pytest.mark.sqlite
def test_twenty_thousand_rows_take_no_more_memory_than_a_few(app):
    with write_tx() as db_session:
        a_registration(db_session, a_meeting(db_session), "ada@example.org", **AT_LENGTH)
        for statement in (MANY_MEMBERS, MANY_REGISTRATIONS):
            db_session.execute(text(f"{COUNTING} {statement}"))
    lines = LineCounter()

    with snapshot_tx(seconds=60) as db_session:
        tracemalloc.start()
        try:
            csv_export.write_csv(db_session, lines, zone=EASTERN)
            peak = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    assert lines.count == 1 + 20_000
    assert peak < 10_000_000


@pytest.mark.postgresql
def test_postgresql_streams_rows_with_a_cursor_on_the_server(app):
    with write_tx() as db_session:
        meeting = a_meeting(db_session)
        for number in range(120):
            a_registration(db_session, meeting, f"ada{number}@example.org")

    with snapshot_tx(seconds=60) as db_session:
        lines = CursorCounter(db_session)
        csv_export.write_csv(db_session, lines, zone=EASTERN)

    assert lines.cursors == [0] + [1] * 120  # none before the header


class CursorCounter(io.TextIOBase):
    """A text stream that counts the open cursors on the server at each write."""

    def __init__(self, db_session):
        self.db_session, self.cursors = db_session, []

    def write(self, line):
        count = "SELECT count(*) FROM pg_cursors WHERE name <> ''"
        self.cursors.append(self.db_session.scalar(text(count)))
        return len(line)


class LineCounter(io.TextIOBase):
    """A text stream that counts lines and stores nothing."""

    count = 0

    def write(self, line):
        self.count += 1
        return len(line)
