"""Two web processes and two workers on PostgreSQL, beside one and one."""

import time
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from subprocess import Popen
from tempfile import TemporaryDirectory

from sqlalchemy import func, select, update

from cop.db.engine import read_tx, write_tx
from cop.models.email import MailState, OutboxEmail
from cop.models.meeting import Meeting
from cop.models.registration import Registration
from tests import databases
from tests.bench import load
from tests.bench.measuring import Figure, alternate, compared, left_out
from tests.bench.posts import NO_POSTGRESQL, posting
from tests.processes.server import COP, PATIENCE, free_port
from tests.smtp_server import MailServer

CLIENTS = 16
CAPACITY = 5  # of the sessions that are filled
COUNTED = 0.5  # seconds
ROOM = 1.1  # times the target that bare counting must reach, for a missed target to count
DELIVERY = 300  # seconds that all mails may take
GETS = {"a kept page": "/schedule", "a page that is not kept": "/register"}


def measure(*, is_quick):
    """What the second of each adds, and that two of each still do everything once."""
    what = "two web processes and two workers on PostgreSQL"
    if not databases.postgresql_answers():
        yield left_out(what, NO_POSTGRESQL)
        return
    rounds, seconds = (3, 0.4) if is_quick else (7, 3)
    with TemporaryDirectory(prefix="cop-bench-") as name, ExitStack() as stack:
        two = stack.enter_context(_serving(Path(name) / "two", workers=2))
        one = stack.enter_context(_serving(Path(name) / "one", workers=1))
        for page, path in GETS.items():
            get = partial(_gets, path=path, seconds=seconds)
            yield from _figures(
                f"{what}, GET of {page}; one and one", get, two, one, rounds=rounds, at_least=1.6
            )
        post = partial(_posts, seconds=seconds)
        yield from _figures(
            f"{what}, POST; one and one", post, two, one, rounds=rounds, at_least=1.3
        )
        yield from _once(two)


def _figures(what, ask, two, one, *, rounds, at_least):
    """Beside what two processes can do here at all, while others have their share of the cores.

    What an answer costs each of them shows whether it is the load generator that keeps two from
    twice as much: it has its share of the cores.
    """
    acts = (partial(ask, two), partial(ask, one), partial(_counting, 2), partial(_counting, 1))
    *measured, both, alone = alternate(*acts, rounds=rounds)
    most = compared("meanwhile, counting in two processes; in one", "a second", both, alone)
    by_clock, by_cpu = ([[pair[at] for pair in of_one] for of_one in measured] for at in (0, 1))
    figure = compared(what, "a second", *by_clock, at_least=at_least)
    is_noisy = not figure.is_met and most.ratio < ROOM * at_least
    yield replace(figure, is_noisy=figure.is_noisy or is_noisy)
    yield compared("the same", "a second of the CPU time of each", *by_cpu)
    yield most


def _counting(processes):
    """How far so many processes count, in a second, that do nothing else."""
    with ProcessPoolExecutor(processes, get_context("fork")) as pool:
        return sum(pool.map(_count_for, [COUNTED] * processes)) / COUNTED


def _count_for(seconds):
    number, until = 0, time.perf_counter() + seconds
    while time.perf_counter() < until:
        number += 1
    return number


@contextmanager
def _serving(folder, *, workers):
    """`cop serve` with a worker, and beside it as many workers more as make up the number."""
    url, port = databases.new_database("postgresql", folder), free_port()
    settings = {"COP_SMTP_URL": f"smtp://127.0.0.1:{port}"}  # where nobody listens yet
    try:
        with posting(folder, url, workers=workers, **settings) as each, ExitStack() as stack:
            each.mail_port = port
            _limit(each)
            for _ in range(workers - 1):
                stack.enter_context(_a_worker(each.server))
            yield each
    finally:
        databases.drop(url)


@contextmanager
def _a_worker(server):
    with (server.instance / "worker.log").open("ab") as log:
        worker = Popen([*COP, "work"], env=server.environ, stderr=log)
    try:
        yield
    finally:
        worker.terminate()
        with suppress(ProcessLookupError):
            worker.wait(PATIENCE)


def _limit(each):
    """Give every second session so few places that they will be gone."""
    with each.found.app.app_context(), write_tx() as db_session:
        meetings = update(Meeting).where(Meeting.id % 2 == 0)
        db_session.execute(meetings.values(capacity=CAPACITY))


def _gets(each, *, path, seconds):
    request = load.get(path)
    load.run(each.server.port, [request] * 50, clients=CLIENTS)  # warm
    return load.rates(each.server, load.for_seconds(seconds, request), 200, clients=CLIENTS)


def _posts(each, *, seconds):
    return each.rates(seconds, clients=CLIENTS)


def _once(each):
    """What would have happened twice: a mail, or a place given to two."""
    yield each.missing()
    oversold = _oversold(each)
    yield Figure(f"places oversold, at sessions with {CAPACITY} each", oversold, "", "0",
                 oversold == 0)  # fmt: skip
    # Those that were tried before there was a server would wait for a minute.
    tried = update(OutboxEmail).where(OutboxEmail.state == MailState.RETRYING)
    with each.found.app.app_context(), write_tx() as db_session:
        db_session.execute(tried.values(due_at=datetime.now(UTC)))
    with MailServer(port=each.mail_port) as server:
        until = time.monotonic() + DELIVERY
        while len(server.mails) < each.sent and time.monotonic() < until:
            time.sleep(0.2)
        time.sleep(2)  # what would come twice may come later
        came = Counter(server.recipients)
    doubled, missing = came.total() - len(came), each.sent - len(came)
    yield Figure(f"confirmations that came twice, of {each.sent}", doubled, "", "0", doubled == 0)
    yield Figure("that did not come", missing, "", "0", missing == 0)


def _oversold(each):
    held = Registration.status == "held"
    query = (
        select(Meeting.capacity, func.count().filter(held))
        .join(Registration)
        .where(Meeting.capacity.is_not(None))
        .group_by(Meeting.id)
    )
    with each.found.app.app_context(), read_tx() as db_session:
        counted = list(db_session.execute(query))
    assert any(taken == capacity for capacity, taken in counted), "no session is full"
    return sum(max(0, taken - capacity) for capacity, taken in counted)
