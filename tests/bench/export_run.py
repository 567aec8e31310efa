"""One export in a process of its own, which says as JSON what it took.

`python -m tests.bench.export_run NAME FILE OUT`: of this database, by this way, to there.
"""

import json
import logging
import sys
import time
from contextlib import closing
from pathlib import Path
from statistics import median

from cop import create_app
from cop.db.engine import db
from tests.bench import bare_export
from tests.bench.sites import coordinator
from tests.bench.usage import forget_peak, peak_mb
from tests.conftest import settings_for

EXPORT = "/coordinator/export.csv"
SMALL = "1999-01-01"  # a session that a thousand people chose
TIMES = 5


def main(name, file, out):
    logging.getLogger("cop").addHandler(logging.NullHandler())
    print(json.dumps(WAYS[name](file, out)))


def ours(file, out):
    """By the console, once it is warm: the small list first, then all of it."""
    app = create_app(settings_for(f"sqlite:///{file}"))
    client = coordinator(app)
    firsts = [_first_byte(client) for _ in range(TIMES)]
    forget_peak()
    before, began = peak_mb(), time.process_time()
    with closing(client.get(EXPORT)) as response, Path(out).open("wb") as kept:
        kept.writelines(response.iter_encoded())
    took = time.process_time() - began
    with app.app_context():
        db.engine.dispose()
    return {"seconds": took, "grown_mb": peak_mb() - before, "first_byte": median(firsts)}


def _first_byte(client):
    began = time.perf_counter()
    with closing(client.get(f"{EXPORT}?session={SMALL}")) as response:
        next(response.iter_encoded())
        return time.perf_counter() - began


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
