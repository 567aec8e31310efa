"""The site as it is run: `cop serve`, in processes of its own, on a database of its own."""

import json
import os
import re
import shutil
import socket
import subprocess
import time
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from secrets import token_hex
from urllib.error import URLError
from urllib.parse import urlsplit
from urllib.request import Request, urlopen

from cop.db.engine import sqlite_module
from tests.builders import PASSWORD
from tests.processes.server import COP

SECONDS = 60  # that a start may take


@dataclass(frozen=True)
class Site:
    """A running site, and a look into its database."""

    instance: Path
    address: str
    port: int

    def rows(self, query, *values):
        """What the database holds."""
        return list(_run(self.instance, [(query, values)]))

    def registrations(self, email):
        """The sessions that an address is registered for, soonest first, with the status."""
        return self.rows(
            "SELECT meeting.slug, registration.status FROM registration"
            " JOIN member ON member.id = member_id JOIN meeting ON meeting.id = meeting_id"
            " WHERE email_key = ? ORDER BY starts_at",
            email,
        )

    def confirmation_path(self, held, waiting=()):
        """The path of the confirmation of a form that was just sent for sessions."""
        key, at = token_hex(32), time.strftime("%F %T.000000", time.gmtime())
        columns = "key, held, waiting, created_at, email, name"
        typed = (json.dumps(held), json.dumps(waiting), at, "ada@example.org", "Ada Example")
        self.rows(f"INSERT INTO submission ({columns}) VALUES (?, ?, ?, ?, ?, ?)", key, *typed)
        return f"/registered?form={key}"

    @property
    def upcoming(self):
        """The slugs of the sessions that people can register for, soonest first."""
        query = "SELECT slug FROM meeting WHERE ends_at > ? ORDER BY starts_at"
        return [slug for (slug,) in self.rows(query, time.strftime("%F %T", time.gmtime()))]

    @property
    def past(self):
        """The slugs of the sessions that are over, the last one first."""
        query = "SELECT slug FROM meeting WHERE ends_at <= ? ORDER BY starts_at DESC"
        return [slug for (slug,) in self.rows(query, time.strftime("%F %T", time.gmtime()))]

    @property
    def set_up_path(self):
        """The path of the set-up link that the start printed."""
        return re.search(r"/coordinator/set-up/\S+", _log(self.instance).read_text())[0]


def demo(instance):
    """Make an instance with the demonstration data and a coordinator; nothing runs on it."""
    add = ["coordinators", "add", "corin@example.org", "--name", "Corin", "--password-stdin"]
    _command(instance, ["seed", "--demo"])
    _command(instance, add, stdin=f"{PASSWORD}\n")
    return instance


@contextmanager
def site(template, instance, statements=(), *, address=None):
    """Serve a copy of an instance until the block ends; with an address, for a proxy in front."""
    settings = {"COP_BASE_URL": address, "COP_TRUSTED_PROXIES": "1"} if address else {}
    shutil.copytree(template, instance)
    _run(instance, [(statement, ()) for statement in statements])
    port = _free_port()
    with _log(instance).open("w") as log:
        process = subprocess.Popen(
            [*COP, "serve", "--port", str(port)],
            env=_environment(instance) | settings, stdout=log, stderr=log,
        )  # fmt: skip
    try:
        running = Site(instance, address or f"http://127.0.0.1:{port}", port)
        _wait_for(running, process)
        yield running
    finally:
        process.terminate()
        process.wait(timeout=SECONDS)


def _wait_for(running, process):
    until = time.monotonic() + SECONDS
    alive = Request(f"http://127.0.0.1:{running.port}/healthz")
    alive.add_header("Host", urlsplit(running.address).netloc)
    while time.monotonic() < until and process.poll() is None:
        try:
            with urlopen(alive, timeout=1):  # noqa: S310 - our own
                return
        except (URLError, OSError):
            time.sleep(0.05)
    raise RuntimeError(f"The site has not started: {_log(running.instance).read_text()}")


def _command(instance, arguments, stdin=""):
    subprocess.run(
        [*COP, *arguments], env=_environment(instance), input=stdin, check=True, text=True,
        capture_output=True, timeout=SECONDS,
    )  # fmt: skip


def _environment(instance):
    outside = {name: value for name, value in os.environ.items() if not name.startswith("COP_")}
    return outside | {"COP_INSTANCE": str(instance), "COP_POSTS_PER_HOUR": "0"}


def _log(instance):
    return instance.parent / f"{instance.name}.log"


def _free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def _run(instance, statements):
    # The library that the site itself uses: two SQLite libraries on one file can damage it.
    with closing(sqlite_module.connect(instance / "cop.sqlite3", timeout=10)) as connection:
        found = []
        for statement, values in statements:
            found = connection.execute(statement, values).fetchall()
        connection.commit()
        return found
