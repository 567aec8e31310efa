"""`cop serve`: granian in front of the app, the worker beside it."""

import gc
import os
import socket
from dataclasses import dataclass
from functools import partial

from flask import Flask
from granian import Granian
from granian.constants import Interfaces
from granian.log import LogLevels

from cop import create_app, processes, worker
from cop.config import Settings
from cop.db import db

# Threads of one web process: writes wait for each other anyway, so more would only wait.
THREADS = 4


class PortInUse(Exception):  # noqa: N818 - a refusal
    """Something answers at the port already."""


@dataclass
class _Made:
    """The app that the starting process has made, for the children that are forked from it."""

    app: Flask | None = None


_made = _Made()


def check_port(host: str, port: int) -> None:
    """Pass for a port that is free. granian would share a port in use, and answer in turns.

    Raises:
        PortInUse: it is not free, or this host is not ours.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
            probe.listen(1)
        except OSError as error:
            raise PortInUse(
                f"Cannot listen at {host}, port {port}: {error.strerror}. Is the site running "
                "already? `cop serve --port 8001` takes another port."
            ) from error


def serve(app: Flask, settings: Settings, *, host: str, port: int, workers: int) -> None:
    """Serve the app until the process is asked to end."""
    with app.app_context():
        db.engine.dispose()  # an SQLite connection must not cross a fork
    _made.app = app
    gc.collect()
    gc.freeze()  # what the children share stays shared: none of them looks for garbage in it
    beside = processes.keep(partial(worker.work, app))
    server = Granian(
        target="cop.server:load",
        address=host,
        port=port,
        interface=Interfaces.WSGI,
        workers=workers,
        blocking_threads=THREADS,
        log_level=LogLevels.warning,
        respawn_failed_workers=True,
        workers_kill_timeout=30,
    )
    try:
        server.serve(target_loader=partial(load, settings, os.getpid()), wrap_loader=False)
    finally:
        processes.end(beside)


def load(settings: Settings, parent: int) -> Flask:
    """The app of one web process: the forked one, or a new one where processes are spawned."""
    processes.end_with_parent(parent)
    return _made.app or create_app(settings)
