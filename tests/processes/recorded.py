"""A process whose writes are recorded: it registers people, and says who was accepted.

`python -m tests.processes.recorded DATABASE PEOPLE [PRAGMA]` prints an address when its post has been
answered, with a pragma after our own where one is named. It ends as in a power failure: nothing is
closed.
"""

import os
import sys
from contextlib import closing

from cop import create_app
from cop.db import engine
from tests.client import SAME_ORIGIN
from tests.conftest import settings_for
from tests.processes.crowd import TOKEN, form

CHECKPOINT = "PRAGMA wal_checkpoint"  # what SQLite does by itself after a thousand pages
BETWEEN = 25  # registrations from one to the next


def main(url, people, *weaker):
    pragmas = engine.journal_pragmas
    engine.journal_pragmas = lambda version: [*pragmas(version), *weaker]
    app = create_app(settings_for(url, posts_per_hour=0))
    client = app.test_client()
    token = TOKEN.search(client.get("/register").get_data(as_text=True))[1]
    for number in range(int(people)):
        sent = form(number, token, "all")
        assert client.post("/register", data=sent, headers=SAME_ORIGIN).status_code == 303
        print(sent["email"], flush=True)
        if number % BETWEEN == 0:
            with app.app_context(), closing(engine.db.engine.raw_connection()) as connection:
                connection.cursor().execute(CHECKPOINT)
    os._exit(0)


if __name__ == "__main__":
    main(*sys.argv[1:])
