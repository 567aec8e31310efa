"""`python -m tests.bench [--quick] [--json FILE]`: measure, and print a table with verdicts."""

import argparse
from pathlib import Path

from tests.bench import attendance, mail, roster
from tests.bench.measuring import printed, written

PARTS = {"mail": mail.measure, "roster": roster.measure, "attendance": attendance.measure}


def main():
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="fewer rounds, about a minute")
    parser.add_argument("--json", type=Path, default=Path("build/bench.json"), metavar="FILE")
    parser.add_argument("parts", nargs="*", choices=[*PARTS, []], help="all, unless named")
    asked = parser.parse_args()
    figures = []
    for part in asked.parts or PARTS:
        figures += PARTS[part](is_quick=asked.quick)
    print(printed(figures))
    asked.json.parent.mkdir(parents=True, exist_ok=True)
    written(figures, asked.json)


if __name__ == "__main__":
    main()
