"""Real server processes: started, killed and started again as an operating system would."""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from http.client import HTTPConnection, HTTPException
from pathlib import Path

from cop.operations.processes import fork

COP = [sys.executable, "-c", "from cop.cli import cop; cop()"]
PATIENCE = 60  # seconds


def free_port():
    """A port that nothing listens at, on loopback."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def environment(instance, **values):
    """What a server finds in its environment: nothing of the developer's own settings."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith("COP_") and name != "PYTHONDONTWRITEBYTECODE"
    }
    return kept | {"COP_INSTANCE": str(instance), "COP_POSTS_PER_HOUR": "0"} | values


def in_child(run):
    """Run something in a process of its own, since it changes how signals are handled; its code."""
    _, status = os.waitpid(fork(run), 0)
    return os.waitstatus_to_exitcode(status)


def wait_until(condition, seconds=PATIENCE):
    """Wait until something is true."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it took too long"
        time.sleep(0.02)


class Server:
    """One `cop serve`, with all its processes."""

    def __init__(self, instance, *, workers=1, **values):
        self.instance, self.workers = Path(instance), workers
        self.environ = environment(instance, **values)
        self.port = free_port()
        self.base = f"http://127.0.0.1:{self.port}"
        self.process = None

    @property
    def command(self):
        return [*COP, "serve", "--port", str(self.port), "--workers", str(self.workers)]

    def start(self):
        """Start, and wait until it answers."""
        self.launch()
        wait_until(self.answers)
        return self

    def launch(self, **options):
        """Start, and wait for nothing."""
        if "preexec_fn" not in options:
            options["start_new_session"] = True
        log = (self.instance / "server.log").open("ab")
        with log:
            self.process = subprocess.Popen(
                self.command, env=self.environ, stdout=log, stderr=log, **options
            )

    @property
    def worker(self):
        """The id of the worker's process, which is the first child."""
        return self.processes()[1]

    @property
    def web(self):
        """The id of the first web process."""
        return self.processes()[2]

    def answers(self):
        """Whether it is ready."""
        assert self.process.poll() is None, (self.instance / "server.log").read_text()[-2000:]
        connection = HTTPConnection("127.0.0.1", self.port, timeout=2)
        with contextlib.closing(connection), contextlib.suppress(OSError, HTTPException):
            connection.request("GET", "/readyz")
            return connection.getresponse().status == 200
        return False

    def processes(self):
        """The ids of its processes, the first one first; each was started by this test."""
        listing = subprocess.run(
            ["ps", "-eo", "pid=,sess=,stat="], capture_output=True, text=True, check=True
        )
        rows = [line.split() for line in listing.stdout.splitlines()]
        ours = str(self.process.pid)
        return sorted(int(pid) for pid, sess, stat in rows if sess == ours and stat[0] != "Z")

    def kill(self, pid=None):
        """End one process, or the first and so all of them, with -9."""
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid or self.process.pid, signal.SIGKILL)
        if pid in {None, self.process.pid}:
            self.process.wait(PATIENCE)
            wait_until(lambda: not self.processes())

    def stop(self):
        """Ask it to end."""
        if self.process and self.process.poll() is None:
            self.process.terminate()
            self.process.wait(PATIENCE)
        if self.process:
            wait_until(lambda: not self.processes())


@contextlib.contextmanager
def running(instance, **values):
    """A server, for the length of a block."""
    server = Server(instance, **values)
    try:
        yield server.start()
    finally:
        server.stop()
