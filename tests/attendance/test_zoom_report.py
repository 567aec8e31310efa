"""Parsing Zoom's participants report: every known shape, and every other file."""

import time
import tracemalloc
from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cop import person_names
from cop.attendance import zoom_report
from cop.attendance.zoom_report import Participant
from cop.errors import Refused
from tests.attendance.reports import DATES, DAY_FIRST, SHAPES, Row, report

ADA = Row("Ada Example", "ada@example.org", "10:00", "11:10")
GRACE = Row("Sample, Grace (she/her)", "", "10:05", "11:00")
EXPECTED = [
    Participant("Ada Example", "ada@example.org", 70),
    Participant("Sample, Grace (she/her)", "", 55),
]
TIMED = [name for name, (above, _) in SHAPES.items() if "oin" in above[-1] or name == "8"]


@pytest.mark.parametrize("shape", SHAPES)
def test_every_shape_gives_participants_and_minutes(shape):
    found = zoom_report.read(report([ADA, GRACE], shape))

    assert found == EXPECTED


@pytest.mark.parametrize("form", DATES.values(), ids=DATES)
def test_times_are_parsed_in_the_format_of_every_region(form):
    rows = [ADA, Row("Ada Example", "ada@example.org", "11:05", "11:40"), GRACE]

    found = zoom_report.read(report(rows, form=form))

    assert [person.minutes for person in found] == [100, 55]


def test_the_order_of_day_and_month_is_the_one_that_makes_the_stay_shorter():
    lines = ["Name,Email,Join time,Leave time", "Ada,,05/12/2026 23:30,06/12/2026 00:40"]

    [ada] = zoom_report.read("\n".join(lines).encode())

    assert ada.minutes == 70


@pytest.mark.parametrize("delimiter", [",", ";", "\t"], ids=["comma", "semicolon", "tab"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_delimiters_and_encodings_of_spreadsheets_are_understood(delimiter, encoding):
    found = zoom_report.read(report([ADA, GRACE], delimiter=delimiter, encoding=encoding))

    assert found == EXPECTED


def test_an_old_windows_encoding_is_understood():
    [found] = zoom_report.read(report([Row("Zoë Ñuñez")], encoding="cp1252"))

    assert found.name == "Zoë Ñuñez"


def test_neither_case_nor_order_nor_more_columns_matter():
    lines = ["GUEST,DURATION (MINUTES),Colour,user EMAIL,name (ORIGINAL name)",
             "No,70,teal,ada@example.org,Ada Example"]  # fmt: skip

    found = zoom_report.read("\n".join(lines).encode())

    assert found == EXPECTED[:1]


@pytest.mark.parametrize("shape", TIMED)
def test_the_rows_of_one_person_are_added_up_and_overlaps_count_once(shape):
    stays = [("10:00", "10:30"), ("10:20", "10:50"), ("10:25", "10:28"), ("11:00", "11:10")]
    rows = [Row("Ada Example", "ADA@example.org", *stay) for stay in stays]

    [ada] = zoom_report.read(report(rows, shape))

    assert ada.minutes == 60


def test_the_phone_of_a_participant_with_an_address_is_added_to_them():
    rows = [ADA, Row("ada  éxample", "", "11:00", "11:20"), GRACE]

    found = zoom_report.read(report(rows))

    assert [(person.name, person.minutes) for person in found] == [
        ("Ada Example", 80),
        (GRACE.name, 55),
    ]


def test_of_two_people_with_one_name_neither_gets_the_minutes_without_an_address():
    rows = [ADA, Row("Ada Example", "other@example.org"), Row("Ada Example", "", "10:00", "10:07")]

    found = zoom_report.read(report(rows))

    assert [person.minutes for person in found] == [70, 60, 7]


@pytest.mark.parametrize("shape", ["1", "4"])
def test_rows_of_the_waiting_room_are_ignored(shape):
    rows = [Row("Mallory Nobody", "mallory@example.org", is_waiting=True), ADA]

    found = zoom_report.read(report(rows, shape))

    assert found == EXPECTED[:1]


def test_less_than_a_minute_counts_as_none():
    lines = ["Name,Join time,Leave time,Duration (minutes)",
             "Ada,08/12/2026 10:00:00 AM,08/12/2026 10:00:59 AM,1"]  # fmt: skip

    [ada] = zoom_report.read("\n".join(lines).encode())

    assert ada.minutes == 0


@pytest.mark.parametrize(
    ("content", "refusal"),
    [
        (b"", "no participants"),
        (b"  \r\n\r\n", "no participants"),
        (report([]), "no participants"),
        (b"PK\x03\x04\x14\x00workbook", "a spreadsheet, picture"),
        (b"\x89PNG\r\n\x1a\n\x00\x00", "a spreadsheet, picture"),
        (b"%PDF-1.7 a document", "a spreadsheet, picture"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "a spreadsheet, picture"),
        (b"session_date,status,name,email\r\n2026-12-15,held,Ada,a@example.org", "no times"),
        (b"First Name,Last Name,Email,Registration Time\nAda,E,a@example.org,x", "no times"),
        (b"Topic,Meeting ID,Start Time,Participants\nEquity,123,08/12/2026,4", "list of meetings"),
        (b"<!doctype html><title>Zoom</title>", "This isn't a participants report"),
        (b"Dear Corin,\n\nhere is the list.", "This isn't a participants report"),
        (b'"' * 2_000_000, "too long or damaged"),
        (b"a," * 1_000_000, "too long or damaged"),
        (b'Name,Duration\n"' + b"a\n" * 900_000, "too long or damaged"),
        (b"Name,Duration\n" + b"x,1\n" * 60_000, "too long or damaged"),
    ],
    ids=["nothing", "spaces", "nobody", "xlsx", "png", "pdf", "xls", "our own list", "registered",
         "meetings", "html", "a letter", "quotes", "columns", "an open quote", "rows"],
)  # fmt: skip
def test_another_file_is_refused_with_a_sentence_about_it(content, refusal):
    with pytest.raises(Refused, match=refusal):
        zoom_report.read(content)


@pytest.mark.slow
@pytest.mark.parametrize(
    "bomb",
    [b'"' * 2_000_000, b"," * 2_000_000, b"\n" * 2_000_000, (b"a," * 9_000 + b"\n") * 50,
     b"Name,Duration\n" + (b'"' + b'""' * 9_000 + b'",1\n') * 50],
    ids=["one field", "columns", "lines", "wide", "quoted"],
)  # fmt: skip
def test_a_hostile_file_takes_little_time_and_memory(bomb):
    tracemalloc.start()
    began = time.process_time()

    with suppress(Refused):
        zoom_report.read(bomb)

    took, (_, most) = time.process_time() - began, tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert took < 10  # traced, which is several times slower
    assert most < 60 * 2**20


@settings(max_examples=20, deadline=None)
@given(st.binary(max_size=300) | st.text(max_size=300).map(str.encode))
def test_no_file_raises_anything_but_a_refusal(content):
    lines = b"Name,Email,Join time,Leave time,Duration (minutes)\n" + content

    for each in (content, lines):
        try:
            found = zoom_report.read(each)
        except Refused:
            continue
        assert all(person.name and person.minutes >= 0 for person in found)


_CLOCKS = st.integers(0, 23 * 60 + 59).map(lambda minute: f"{minute // 60:02}:{minute % 60:02}")


@settings(max_examples=25, deadline=None)
@given(
    stays=st.lists(st.tuples(_CLOCKS, _CLOCKS).map(sorted), min_size=1, max_size=6),
    form=st.sampled_from([form for form in DATES.values() if form != DAY_FIRST]),
    shape=st.sampled_from(TIMED),
)
def test_minutes_are_those_covered_by_any_stay(stays, form, shape):
    there = {
        minute
        for begin, end in stays
        for minute in range(*(int(at[:2]) * 60 + int(at[3:]) for at in (begin, end)))
    }

    [ada] = zoom_report.read(
        report([Row("Ada", "ada@example.org", *stay) for stay in stays], shape, form=form)
    )

    assert ada.minutes == len(there)


@pytest.mark.parametrize(
    ("shown", "same"),
    [
        ("ada example", True),
        ("ÀDA  Éxample", True),
        ("Example, Ada", True),
        ("Ada Example (she/her)", True),
        ("Ada Example [She, Her, Hers]", True),
        ("Ada Example - she/they", True),
        ("Nickname (Ada Example)", True),
        ("Ada Example | Harbor Data Lab", True),
        ("Ada", False),
        ("Ada Example-Sample", False),
        ("Grace Example", False),
        ("(she/her)", False),
    ],
)
def test_a_name_matches_however_it_is_shown(shown, same):
    assert ("ada example" in person_names.name_variants(shown)) is same


BOTS = [
    *("Otter.ai", "Ada's OtterPilot", "Fireflies.ai Notetaker Ada", "read.ai meeting notes"),
    *("Fathom AI Notetaker", "tl;dv", "Ada's Note Taker"),
]
DEVICES = [
    *("iPhone", "Ada's iPad", "Galaxy S21", "SM-G991U", "Zoom user", "+1860*****55", "***"),
    *("18605550100", "Call-In User_2", "User 3"),
]
PEOPLE = ["Gina Otter", "Ada Example", "Reid Notley", "李小龍", "Bob Users"]


def test_bots_devices_and_people_are_recognized():
    assert [name for name in BOTS + DEVICES + PEOPLE if person_names.is_bot(name)] == BOTS
    assert [name for name in DEVICES + PEOPLE if person_names.is_device(name)] == DEVICES
