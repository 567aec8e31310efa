"""The processes of `cop serve`: none outlives the one that started it, also after kill -9."""

import ctypes
import os
import signal
import sys
import threading
import time
from collections.abc import Callable

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


def fork(run: Callable[[], None]) -> int:
    """Run `run` in a child process that ends with this one; return its process id."""
    parent = os.getpid()
    if child := os.fork():
        return child
    try:
        end_with_parent(parent)
        run()
    except KeyboardInterrupt:
        pass
    finally:
        os._exit(0)


def end(child: int) -> None:
    """Ask a forked child to end, and wait until it has."""
    try:
        os.kill(child, signal.SIGTERM)
        os.waitpid(child, 0)
    except (ProcessLookupError, ChildProcessError):
        pass
