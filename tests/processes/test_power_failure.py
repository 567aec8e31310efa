"""What the README promises about power failures, on SQLite, if the disk honours `fsync`."""

import random

import pytest

from cop.db.engine import sqlite_file
from tests.processes.power import Disk, complete, recorded

PEOPLE, CUTS, MEETINGS = 80, 1000, 6

pytestmark = pytest.mark.full


@pytest.fixture
def failures(sqlite_world, tmp_path):
    """Play the failures of a process: at how many of them somebody, or the database, was lost."""

    def play(*weaker):
        file, chance = sqlite_file(sqlite_world.url), random.Random(11)
        sqlite_world.close()  # with its log, which is empty then
        disk = Disk(**{file.name: file.read_bytes()})
        calls = recorded(tmp_path, file, str(PEOPLE), *weaker)
        cuts = set(chance.sample(range(len(calls)), CUTS))
        accepted, lost, damaged = set(), 0, 0
        for number, call in enumerate(calls):
            if number in cuts:
                files = disk.after_a_failure(chance)
                found = complete(tmp_path / "after", files, file.name, MEETINGS)
                damaged += found is None
                lost += not accepted <= (found or set())
            if call.file == "said":
                accepted |= {call.text.decode().strip()} - {""}
            else:
                disk.do(call)
        assert len(accepted) == PEOPLE
        return lost, damaged

    return play


def test_what_was_accepted_survives_a_power_failure(failures):
    assert failures() == (0, 0)


def test_without_a_sync_at_each_commit_it_would_not(failures):
    lost, damaged = failures("synchronous=NORMAL")

    assert lost > CUTS / 2
    assert damaged == 0


def test_without_any_the_database_would_not_either(failures):
    _, damaged = failures("synchronous=OFF")

    assert damaged > 0
