"""One export in a process of its own, which says as JSON what it took.

`python -m tests.bench.export_run NAME FILE OUT`: of this database, by this way, to there.
"""

import json
import logging
import sys
import time
from pathlib import Path
from statistics import median

from cop import create_app
from tests.bench import bare_export
from tests.bench.sites import coordinator
from tests.bench.usage import forget_peak, peak_mb
from tests.conftest import settings_for

EXPORT = "/coordinator/export.csv"
SMALL = "1999-01-01"  # a session that a thousand people chose
TIMES = 9


def main(name, file, out):
    print(json.dumps(WAYS[name](file, out)))


def ours(file, out):
    """By the console, once it is warm: the small list first, then all of it."""
    logging.getLogger("cop").addHandler(logging.NullHandler())
    app = create_app(settings_for(f"sqlite:///{file}"))
    client = coordinator(app)
    firsts = [_first_byte(client) for _ in range(TIMES)]
    forget_peak()
    before, began = peak_mb(), time.process_time()
    with Path(out).open("wb") as kept:
        kept.writelines(client.get(EXPORT).iter_encoded())
    took = time.process_time() - began
    return {"seconds": took, "grown_mb": peak_mb() - before, "first_byte": median(firsts)}


def _first_byte(client):
    began = time.perf_counter()
    pieces = client.get(f"{EXPORT}?session={SMALL}").iter_encoded()
    next(pieces)
    took = time.perf_counter() - began
    assert sum(piece.count(b"\r\n") for piece in pieces) > 0
    return took


def _bare(write):
    def run(file, out):
        began = time.process_time()
        write(file, out)
        return {"seconds": time.process_time() - began}

    return run


WAYS = {
    "ours": ours,
    "as exported": _bare(bare_export.as_exported),
    "as stored": _bare(bare_export.as_stored),
}


if __name__ == "__main__":
    main(*sys.argv[1:])
