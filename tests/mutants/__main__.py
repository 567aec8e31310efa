"""`python -m tests.mutants [WORDS]`: put in each mutant, or those named so, and see its test fail.

Exits with 1 where a test does not find its mutant, or where an entry is out of date.
"""

import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tests.mutants.catalog import MUTANTS

ROOT = Path(__file__).parents[2]
PARTS = ("cop", "tests", "migrations", "pyproject.toml", "wsgi.py", "README.md", "SECURITY.md")
LEFT_OUT = shutil.ignore_patterns("__pycache__")
LONGEST = 300  # seconds for one test
PASSED, FAILED = 0, 1  # how pytest exits
HAS_FAILED = re.compile(r"^\d+ failed\b", re.MULTILINE)  # and not for an error around the test


def main(*words):
    chosen = [mutant for mutant in MUTANTS if all(word in mutant.what for word in words)]
    with tempfile.TemporaryDirectory(prefix="mutants-") as folder:
        tree = copied(Path(folder))
        tests = {mutant.test for mutant in chosen}
        if run(tree, *sorted(tests)) != PASSED:
            print("Without any mutant, not all of these tests pass.")
            return 1
        survived = [mutant for mutant in chosen if not is_found(tree, mutant)]
    print(f"{len(chosen) - len(survived)} of {len(chosen)} mutants were found.")
    return 1 if survived or not chosen else 0


def copied(folder):
    """Copy what the tests need into a folder, where it can be broken."""
    for name in PARTS:
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, folder / name, ignore=LEFT_OUT)
        else:
            shutil.copy(source, folder / name)
    return folder


def is_found(tree, mutant):
    """Put a mutant in, run its test, take it out, and print a line of the table."""
    file, began = tree / "cop" / mutant.file, time.monotonic()
    whole = file.read_text("utf-8")
    if whole.count(mutant.old) != 1:
        verdict = "out of date"
    else:
        file.write_text(whole.replace(mutant.old, mutant.new), "utf-8")
        ended = run(tree, mutant.test)
        file.write_text(whole, "utf-8")
        verdict = {FAILED: "found", PASSED: "SURVIVED"}.get(ended, "NOT RUN")
    print(f"{verdict:12} {time.monotonic() - began:5.1f} s  {mutant.what}", flush=True)
    return verdict == "found"


def run(tree, *tests):
    """Run tests of a tree; return how pytest ended, or None where it was in another way."""
    # One process, and the markers that are left out by default, too.
    command = [sys.executable, "-m", "pytest", "-qx", "-n0", "-m", "", "-p", "no:cacheprovider"]
    paths = [f"tests/{test}" for test in tests]
    # Files that are changed twice in a second look the same to Python's cache.
    environ = os.environ | {"PYTHONPATH": str(tree), "PYTHONDONTWRITEBYTECODE": "1"}
    try:
        done = subprocess.run(
            [*command, *paths],
            cwd=tree,
            env=environ,
            capture_output=True,
            text=True,
            check=False,
            timeout=LONGEST * len(tests),
        )
    except subprocess.TimeoutExpired:
        return None
    has_failed = HAS_FAILED.search(done.stdout)
    return done.returncode if done.returncode == PASSED or has_failed else None


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
