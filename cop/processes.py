"""The processes of `cop serve`: none outlives the one that started it, also after kill -9."""

import ctypes
import logging
import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from functools import partial

log = logging.getLogger("cop.processes")

PR_SET_PDEATHSIG = 1  # linux/prctl.h


def end_with_parent(parent: int) -> None:
    """End this process, at once, when the process `parent` has ended.

    Nothing that matters is kept in a process, so ending hard is safe; an orphan that goes on
    answering beside the next start is not.
    """
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    else:
        threading.Thread(target=_watch, args=(parent,), daemon=True).start()
    if os.getppid() != parent:  # it ended before we could say so
        os._exit(1)


def _watch(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(1)
    os._exit(1)


def keep(run: Callable[[], None]) -> int:
    """Run `run` in a child process, again whenever it ends unasked; return the keeper's id."""
    return fork(partial(_keep, run))


def _keep(run: Callable[[], None]) -> None:
    stop = threading.Event()
    for asked in (signal.SIGTERM, signal.SIGINT):
        signal.signal(asked, lambda *_: stop.set())
    while not stop.is_set():
        child = fork(run)
        while not stop.is_set() and os.waitpid(child, os.WNOHANG) == (0, 0):
            stop.wait(1)
        if not stop.is_set():
            log.error("the worker ended unasked, starting it again")
            stop.wait(1)
    end(child)


def fork(run: Callable[[], None]) -> int:
    """Run `run` in a child process that ends with this one; return its process id."""
    parent = os.getpid()
    if child := os.fork():
        return child
    ended_well = False
    try:
        end_with_parent(parent)
        run()
        ended_well = True
    except KeyboardInterrupt:
        ended_well = True
    finally:
        # A child must neither die without a word nor live on as a second copy of its parent.
        if not ended_well:
            log.error("a process failed", exc_info=sys.exc_info())
        os._exit(0 if ended_well else 1)


def end(child: int) -> None:
    """Ask a forked child to end, and wait until it has."""
    try:
        os.kill(child, signal.SIGTERM)
        os.waitpid(child, 0)
    except (ProcessLookupError, ChildProcessError):
        pass
