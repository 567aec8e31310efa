"""The attendee list as CSV, long ones: how fast, and how much memory."""

import json
import subprocess
import sys
from contextlib import closing
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

from cop.db.engine import sqlite_file, sqlite_module
from tests.bench.export_run import SMALL
from tests.bench.measuring import Figure, alternate, compared
from tests.bench.sites import file_in, site

FEW = 100_000  # rows up to which there is time for another reference
SESSIONS, IN_SMALL = 200, 1000
MOST_GROWN, MOST_WAIT = 24, 50  # MB, ms
MEETINGS = """
WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < :sessions)
INSERT INTO meeting (slug, uid, sequence, status, starts_at, ends_at, revised_at, topic,
  lock_version)
SELECT CASE i WHEN 0 THEN :small ELSE '1999-02-01-' || i END, 'uid ' || i, 0, 'planned',
  datetime('1999-01-01 17:00', i || ' days') || '.000000',
  datetime('1999-01-01 18:00', i || ' days') || '.000000', :now, 'Topic ' || i, 0
FROM n"""
MEMBERS = """
WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < :members)
INSERT INTO member (id, email, email_key, opt_outs, token_version, calendar_version)
SELECT i, 'person' || i || '@example.org', 'person' || i || '@example.org', '[]', 1, 1 FROM n"""
# Each member is at some ten sessions, no two of them the same.
REGISTRATIONS = """
WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < :rows - 1)
INSERT INTO registration (member_id, meeting_id, status, registered_at, language, name,
  organization, pronouns, hats, hats_other, access, access_language, access_other, taking_part,
  first_time, prep_answer, prep_visibility, announced, attended)
SELECT 1 + i % :members, (SELECT min(id) FROM meeting WHERE slug = :small)
    + CASE WHEN i < :small_rows THEN 0 ELSE 1 + (i % :members + i / :members) % :sessions END,
  CASE WHEN i % 10 THEN 'held' ELSE 'waiting' END,
  datetime('1998-12-01 12:00', i || ' seconds') || '.000000', 'en', 'Ada Example ' || i,
  'Harbor Data Lab, Inc.', 'she/her', '["analyst", "gis-analyst"]', '', '[]', '', '',
  CASE WHEN i % 2 THEN '["type"]' ELSE '[]' END, i % 3 = 0,
  CASE WHEN i % 7 THEN '' ELSE 'The margins of "small" towns' END, 'hosts', '', i % 2
FROM n"""


def measure(*, is_quick):
    """All figures about the long list."""
    rounds = 3 if is_quick else 5
    for rows in (20_000,) if is_quick else (100_000, 1_000_000):
        with TemporaryDirectory(prefix="cop-bench-") as name:
            yield from _figures(Path(name), rows, rounds)


def _figures(folder, rows, rounds):
    url = file_in(folder)
    with site(url, sessions=1):
        file = sqlite_file(url)
    fill(file, rows)
    ways = ("ours", "as exported", "as stored") if rows <= FEW else ("ours", "as exported")
    asked = [partial(_run, way, file, folder) for way in ways]
    found = alternate(*asked, rounds=rounds)
    assert (folder / "ours").read_bytes() == (folder / "as exported").read_bytes()
    ours, exported, *stored = ([run["seconds"] for run in of_one] for of_one in found)
    what = f"CSV of {rows:,} rows, CPU time; sqlite3 and csv.writer without the guard"
    yield compared(what, "s", ours, exported, at_most=1.6)
    for each in stored:
        yield compared("the same; with the values as they are stored", "s", ours, each)
    grown = median(run["grown_mb"] for run in found[0])
    yield Figure("the same, memory grown by", grown, "MB", f"<= {MOST_GROWN} MB",
                 grown <= MOST_GROWN)  # fmt: skip
    wait = median(run["first_byte"] for run in found[0]) * 1000
    yield Figure(f"first byte of {IN_SMALL:,} rows, {rows:,} in the database", wait, "ms",
                 f"<= {MOST_WAIT} ms", wait <= MOST_WAIT)  # fmt: skip


def fill(file, rows):
    """Let a database make so many registrations of its own, a thousand of them at one session."""
    values = {
        "rows": rows,
        "members": max(rows // 10, IN_SMALL),
        "sessions": SESSIONS,
        "small": SMALL,
    }
    values |= {"small_rows": IN_SMALL, "now": datetime.now(UTC).isoformat(" ")}
    with closing(sqlite_module.connect(file)) as connection, connection:
        for statement in (MEETINGS, MEMBERS, REGISTRATIONS):
            connection.execute(statement, values)
        connection.execute("ANALYZE")


def _run(name, file, folder):
    command = [sys.executable, "-m", "tests.bench.export_run", name, str(file), str(folder / name)]
    return json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)
