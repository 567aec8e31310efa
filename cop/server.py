"""`cop serve`: web processes and the worker, behind one listening socket."""

import gc
import os
import socket
from functools import partial

from flask import Flask

from cop.db.engine import db
from cop.operations import web_process, worker
from cop.operations.processes import Child, supervise

BACKLOG = 1024  # connections that can wait while all web processes are busy or still starting
FIRST_FD = 3  # SD_LISTEN_FDS_START, sd_listen_fds(3)
# First the worker has this time to stop, then the web processes. Together less than 10 seconds,
# after which Docker kills a container.
STOP_SECONDS = 4.8


def listening_sockets(host: str, port: int) -> list[socket.socket]:
    """Return the sockets that systemd passes on (socket activation), else open one.

    Connections wait in the backlog until a web process runs.

    Raises:
        OSError: the port is not free, or the host is not one of this machine.
    """
    if inherited := _inherited_sockets():
        return inherited
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return [socket.create_server((host, port), family=family, backlog=BACKLOG)]
    except OSError as error:
        reason = os.strerror(error.errno) if error.errno else str(error)
        raise OSError(
            f"Cannot listen on {host}, port {port}: {reason}. Is the site already running? "
            "To use another port, run `cop serve --port 8001`."
        ) from error


def _inherited_sockets() -> list[socket.socket]:
    """Return the sockets that the service manager passes on, see sd_listen_fds(3)."""
    names = ("LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES")
    # Removed, so that child processes do not read them, too.
    pid, count, _ = (os.environ.pop(name, "") for name in names)
    if pid != str(os.getpid()):
        return []
    inherited = [socket.socket(fileno=FIRST_FD + number) for number in range(int(count))]
    for inherited_socket in inherited:
        inherited_socket.set_inheritable(False)
    return inherited


def serve(app: Flask, sockets: list[socket.socket], *, workers: int) -> None:
    """Serve the app until the process is asked to stop. The web processes stop last."""
    _prepare_fork(app)
    serve_requests = partial(web_process.serve, app, sockets)
    web = [Child(f"web {number}", serve_requests) for number in range(1, workers + 1)]
    supervise([[_worker(app)], web], seconds=STOP_SECONDS)


def work(app: Flask) -> None:
    """Run the worker alone until the process is asked to stop."""
    _prepare_fork(app)
    supervise([[_worker(app)]], seconds=STOP_SECONDS)


def _worker(app: Flask) -> Child:
    return Child("worker", partial(worker.work, app))


def _prepare_fork(app: Flask) -> None:
    with app.app_context():
        db.engine.dispose()  # an SQLite connection must not cross a fork
    gc.collect()
    gc.freeze()  # memory shared with the children stays shared: the collector does not write to it
