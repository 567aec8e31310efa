"""The list of mutants is up to date, and each of them is found."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

from tests.mutants.catalog import MUTANTS

TESTS = Path(__file__).parent
CODE = TESTS.parent / "cop"


def defined_in(file):
    """The names of the tests that a file defines."""
    tree = ast.parse(file.read_text("utf-8"))
    return {each.name for each in tree.body if isinstance(each, ast.FunctionDef)}


def test_every_mutant_changes_one_line_that_is_there_once():
    wrong = [
        mutant.what
        for mutant in MUTANTS
        if (CODE / mutant.file).read_text("utf-8").count(mutant.old) != 1
        or "\n" in mutant.old + mutant.new
        or mutant.old == mutant.new
    ]

    assert wrong == []


def test_every_mutant_names_a_test_that_exists():
    wrong = []
    for mutant in MUTANTS:
        file, _, test = mutant.test.partition("::")
        if test.partition("[")[0] not in defined_in(TESTS / file):
            wrong.append(mutant.test)

    assert wrong == []


def test_every_mutant_has_a_name_of_its_own():
    names = [mutant.what for mutant in MUTANTS]

    assert len(names) == len(set(names)) >= 30


@pytest.mark.full
def test_every_mutant_is_found():
    command = [sys.executable, "-m", "tests.mutants"]

    done = subprocess.run(command, cwd=TESTS.parent, capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stdout
