"""`python -m tests.bench [--quick] [--json FILE]`: measure, and print a table with verdicts."""

import argparse
import logging
import os
import sys
import time
from pathlib import Path

from cop.web.request_log import JsonFormatter
from tests import databases
from tests.bench import (
    attendance,
    exports,
    first_view,
    installed,
    mail,
    memory,
    pages,
    posts,
    roster,
    starts,
    statements,
    two,
)
from tests.bench.measuring import printed, written

PARTS = {
    "pages": pages.measure,
    "posts": posts.measure,
    "export": exports.measure,
    "start": starts.measure,
    "first_view": first_view.measure,
    "memory": memory.measure,
    "statements": statements.measure,
    "two": two.measure,
    "installed": installed.measure,
    "roster": roster.measure,
    "attendance": attendance.measure,
    "mail": mail.measure,
}


def main():
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="fewer rounds, a few minutes")
    parser.add_argument("--json", type=Path, default=Path("build/bench.json"), metavar="FILE")
    parser.add_argument("parts", nargs="*", choices=[*PARTS, []], help="all, unless named")
    asked = parser.parse_args()
    _keep_log_away()
    figures = []
    try:
        for part in asked.parts or PARTS:
            began = time.monotonic()
            figures += PARTS[part](is_quick=asked.quick)
            print(f"{part}: {time.monotonic() - began:.0f} s", file=sys.stderr)
    finally:
        databases.drop_all()
        print(printed(figures))
    asked.json.parent.mkdir(parents=True, exist_ok=True)
    written(figures, asked.json)


def _keep_log_away():
    """Let apps in this process write their log as they do, to where nobody reads it."""
    handler = logging.FileHandler(os.devnull)
    handler.setFormatter(JsonFormatter())
    logging.getLogger("cop").addHandler(handler)
    logging.getLogger("cop").setLevel(logging.INFO)


if __name__ == "__main__":
    main()
