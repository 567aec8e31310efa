"""The least that writing the attendee list takes: `sqlite3` and `csv.writer`, no guarded cell."""

import csv
import json
from contextlib import closing
from datetime import UTC, datetime
from functools import cache
from zoneinfo import ZoneInfo

from cop.db.engine import sqlite_module
from cop.questions import registry
from cop.roster.csv_export import DEFAULT_COLUMNS

ZONE = ZoneInfo("America/New_York")
LABELS = {
    choice.value: choice.label
    for field in (registry.HATS, registry.TAKING_PART)
    for choice in field.choices
}
STATUSES = {"held": "registered", "waiting": "waiting list"}
# In the order of the columns, but for `hats_other`, which is the last.
QUERY = """
SELECT starts_at, topic, registration.status, name, email, organization, pronouns, hats,
  taking_part, first_time, prep_answer, list_confirmed_at, registered_at, attended, hats_other
FROM registration JOIN meeting ON meeting.id = meeting_id JOIN member ON member.id = member_id
WHERE registration.status IN ('held', 'waiting')
ORDER BY starts_at, meeting.id, registered_at, registration.id"""


def as_exported(file, out):
    """Write the same bytes as the console's export, where no cell has to be guarded."""
    _write(file, out, _cells)


def as_stored(file, out):
    """Write the values as the database has them."""
    _write(file, out, lambda row: row[:-1])


def _write(file, out, cells):
    with (
        closing(sqlite_module.connect(file)) as connection,
        open(out, "w", encoding="utf-8-sig", newline="") as text,  # noqa: PTH123
    ):
        writer = csv.writer(text, lineterminator="\r\n")
        writer.writerow(DEFAULT_COLUMNS)
        writer.writerows(map(cells, connection.execute(QUERY)))


def _cells(row):
    starts_at, topic, status, name, email, organization, pronouns, hats, ways, *others = row
    first_time, prep_answer, on_list, at, attended, hats_other = others
    return (
        _date(starts_at), topic, STATUSES[status], name, email, organization, pronouns,
        "; ".join(filter(None, (*_labels(hats), hats_other))),
        "; ".join(_labels(ways)), "yes" if first_time else "no", prep_answer,
        "yes" if on_list else "no", _local(at).isoformat(timespec="seconds"),
        "" if attended is None else "yes" if attended else "no",
    )  # fmt: skip


def _local(at):
    return datetime.fromisoformat(at).replace(tzinfo=UTC).astimezone(ZONE)


@cache
def _date(starts_at):
    return _local(starts_at).date().isoformat()


@cache
def _labels(values):
    return tuple(LABELS[value] for value in json.loads(values))
