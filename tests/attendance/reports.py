"""Zoom's participants reports in every known shape, for tests."""

import csv
import io
from dataclasses import dataclass
from datetime import datetime

MONTH_FIRST, DAY_FIRST = "%m/%d/%Y %I:%M:%S %p", "%d/%m/%Y %H:%M"
DATES = {
    "as in America": MONTH_FIRST,
    "by 24 hours": "%m/%d/%Y %H:%M:%S",
    "as in Europe": DAY_FIRST,
    "with the month's name": "%b %d, %Y %I:%M %p",
    "ISO": "%Y-%m-%dT%H:%M:%S",
    "ISO, with a zone": "%Y-%m-%dT%H:%M:%SZ",
}


@dataclass(frozen=True)
class Row:
    """One stay of somebody."""

    name: str
    email: str = ""
    joined: str = "10:00"
    left: str = "11:00"
    is_waiting: bool = False

    @property
    def minutes(self):
        begin, end = (_at(clock) for clock in (self.joined, self.left))
        return int((end - begin).total_seconds() // 60)

    def at(self, clock, form):
        return _at(clock).strftime(form)


def _at(clock):
    return datetime.fromisoformat(f"2026-08-12 {clock}")


def _timed(row, form):
    if row.is_waiting:
        return "", ""
    return row.at(row.joined, form), row.at(row.left, form)


def _one(row, form):
    return [row.name, row.email, *_timed(row, form), row.minutes, "Yes", "", "", _yes(row)]


def _four(row, form):
    return [row.name, row.email, *_timed(row, form), row.minutes, "No", "OK", _yes(row)]


def _total(row, _form):
    return [row.name, row.email, row.minutes, "No"]


def _webinar(row, form):
    names = row.name.split(" ", 1)
    return ["Yes", row.name, names[0], names[-1], row.email, "", row.at("09:00", form), "approved",
            *_timed(row, form), row.minutes, "Yes", "US", ""]  # fmt: skip


def _yes(row):
    return "Yes" if row.is_waiting else "No"


_ONE = ("Name (Original Name),User Email,Join Time,Leave Time,Duration (Minutes),Guest,"
        "Recording Consent,Recording Disclaimer Response,In Waiting Room")  # fmt: skip
_BLOCK = [
    "Meeting ID,Topic,Start Time,End Time,User Email,Duration (Minutes),Participants",
    '123 456,"Equity, in data",08/12/2026 10:00:00 AM,08/12/2026 11:30:00 AM,h@example.org,90,4',
    "",
]
_LATER_BLOCK = [
    "Topic,ID,Host,Duration (minutes),Start time,End time,Participants",
    "Equity,123 456,Corin,90,08/12/2026 10:00:00 AM,08/12/2026 11:30:00 AM,4",
    "",
]
_FOUR = ("Name (original name),Email,Join time,Leave time,Duration (minutes),Guest,"
         "Recording disclaimer response,In waiting room")  # fmt: skip
_EIGHT = (
    "Attended,User Name (Original Name),First Name,Last Name,Email,Phone,Registration Time,"
    "Approval Status,Join Time,Leave Time,Time in Session (minutes),Is Guest,"
    "Country/Region Name,Source Name"
)
_WEBINAR = [
    "Attendee Report",
    "Topic,Webinar ID,Actual Start Time,Actual Duration (minutes),# Registered",
    "Equity,123 456,08/12/2026 10:00:00 AM,90,4",
    "Host Answers",
    "Attended,User Name (Original Name),Email,Join Time,Leave Time,Time in Session (minutes)",
    "",
    "Attendee Answers",
    _EIGHT,
    "No,Nora Absent,Nora,Absent,nora@example.org,,08/01/2026 09:00:00 AM,approved,--,--,--,--,,",
]
# What stands above the rows, and what a row is.
SHAPES = {
    "1": ([_ONE], _one),
    "2": (["Name (Original Name),User Email,Total Duration (Minutes),Guest"], _total),
    "3 of 1": ([*_BLOCK, _ONE], _one),
    "4": ([_FOUR], _four),
    "5": (["Name (original name),Email,Total duration (minutes),Guest"], _total),
    "6 of 4": ([*_LATER_BLOCK, _FOUR], _four),
    "7": (["Name (original name),Email,Duration (minutes),Guest,Consent"], _total),
    "8": (_WEBINAR, _webinar),
}


def report(rows, shape="4", *, form=MONTH_FIRST, delimiter=",", encoding="utf-8-sig"):
    """A report as Zoom writes it: its bytes."""
    above, cells_of = SHAPES[shape]
    out = io.StringIO()
    writer = csv.writer(out, delimiter=delimiter, lineterminator="\r\n")
    writer.writerows(csv.reader(above))
    writer.writerows(cells_of(row, form) for row in rows)
    return out.getvalue().encode(encoding)
