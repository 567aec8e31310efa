"""Attendance and small groups: a long report read and recognized, and rooms for many people."""

import csv
import io
import random
import time
from statistics import median
from types import SimpleNamespace

from cop.attendance import zoom_report
from cop.attendance.matching import match_participants
from cop.groups import mixing
from tests.attendance.reports import Row, report
from tests.bench.measuring import Figure, alternate, compared

ROWS, PEOPLE, MIXED = 5_000, 1_000, 300
HATS = ("analyst", "evaluator", "researcher", "case-manager", "program-manager")


def measure(*, is_quick):
    """All figures about attendance and small groups."""
    rounds = 3 if is_quick else 9
    yield from _report(rounds)
    took = [_seconds(mixing.assign_rooms, _people(seed), 4, seed=seed) for seed in range(rounds)]
    yield Figure(f"rooms for {MIXED} people, four in each", median(took), "s", "< 1 s",
                 median(took) < 1)  # fmt: skip


def _report(rounds):
    """Each comes five times; every third without an address, and a tenth is not on the roster."""
    stays = [(f"1{at}:00", f"1{at}:50") for at in range(ROWS // PEOPLE)]
    content = report(
        Row(f"Person No{n} Sample", f"p{n}@example.org" if n % 3 else "", *stay)
        for stay in stays
        for n in range(PEOPLE)
    )
    roster = [
        SimpleNamespace(
            id=n,
            name=f"Sample, Person No{n}",
            member=SimpleNamespace(email_key=f"p{n}@example.org"),
        )
        for n in range(PEOPLE * 9 // 10)
    ]

    def recognized():
        return match_participants(zoom_report.read(content), roster)

    found = {line.person_id for line in recognized()} - {None}
    assert len(found) == len(roster), "everybody on the roster is found"
    took = [_seconds(recognized) for _ in range(rounds)]
    yield Figure(f"a report of {ROWS} rows read, and {len(roster)} people recognized",
                 median(took), "s", "< 2 s", median(took) < 2)  # fmt: skip

    def ours():
        return ROWS / _seconds(zoom_report.read, content)

    def bare():
        text = content.decode("utf-8-sig")
        return ROWS / _seconds(lambda: list(csv.DictReader(io.StringIO(text, newline=""))))

    yield compared("rows of a report read; a bare csv.DictReader", "a second",
                   *alternate(ours, bare, rounds=rounds))  # fmt: skip


def _people(seed):
    chance = random.Random(seed)
    return [
        mixing.Participant(
            number,
            organization=f"org {chance.randrange(MIXED // 4)}",
            hats=frozenset(chance.sample(HATS, chance.randrange(3))),
            is_new=chance.random() < 0.2,
            last_room=chance.randrange(MIXED // 4) if chance.random() < 0.6 else None,
        )
        for number in range(MIXED)
    ]


def _seconds(act, *args, **named):
    began = time.perf_counter()
    act(*args, **named)
    return time.perf_counter() - began
