"""The processes of `cop serve` and `cop work`: kept alive, and stopped in bounded time."""

import contextlib
import ctypes
import logging
import os
import select
import signal
import sys
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

log = logging.getLogger("cop.processes")

PR_SET_PDEATHSIG = 1  # linux/prctl.h
STOP_SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)  # the last: a closed terminal
CHECK_INTERVAL = 0.5  # seconds between two looks at the children


class StopRequest:
    """A request to stop: by SIGTERM, SIGINT or SIGHUP, or by `set()` from any thread.

    The signal handler only sets a flag, and the interpreter writes a byte to a pipe. Anything that
    takes a lock in a handler, as threading.Event.set() does, can wait for ever for the code that it
    interrupted. Made and waited for in the main thread.
    """

    def __init__(self) -> None:
        self.is_set = False
        self._awake, self._wake = os.pipe()
        for end in (self._awake, self._wake):
            os.set_blocking(end, False)
        signal.set_wakeup_fd(self._wake, warn_on_full_buffer=False)
        for number in STOP_SIGNALS:
            if number != signal.SIGHUP or signal.getsignal(number) != signal.SIG_IGN:  # nohup
                signal.signal(number, self._on_signal)

    def set(self) -> None:
        """Ask to stop."""
        self.is_set = True
        with contextlib.suppress(BlockingIOError):  # full: it is awake already
            os.write(self._wake, b"\0")

    def wait(self, seconds: float | None = None) -> bool:
        """Wait until it is set, for at most so many seconds; return whether it is."""
        if not self.is_set:
            select.select([self._awake], [], [], seconds)
        return self.is_set

    def _on_signal(self, *_: object) -> None:
        self.is_set = True


@dataclass
class Child:
    """A job that runs in a child process of its own, and is started again when it ends unasked."""

    name: str
    run: Callable[[], None]
    pid: int = 0  # 0: it does not run

    def start(self) -> None:
        self.pid = fork(self.run)

    def has_ended(self) -> bool:
        """Whether it does not run (any more)."""
        if self.pid and os.waitpid(self.pid, os.WNOHANG)[0]:
            self.pid = 0
        return not self.pid

    def signal(self, number: int) -> None:
        if not self.has_ended():
            os.kill(self.pid, number)


def supervise(stages: Sequence[Sequence[Child]], *, seconds: float) -> None:
    """Keep children running until this process is asked to stop, then stop them stage by stage.

    The children of one stage have so many seconds together; then they are killed. Nothing that
    matters is kept in a process, so that is safe.
    """
    stop = StopRequest()
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)  # where it is ignored, nobody can be waited for
    children = [child for stage in stages for child in stage]
    for child in children:
        child.start()
    while not stop.wait(CHECK_INTERVAL):
        for child in children:
            if child.has_ended():
                _start_again(child)
    for stage in stages:
        _stop(stage, seconds=seconds)


def _start_again(child: Child) -> None:
    log.error("a process ended unasked, starting it again", extra={"child": child.name})
    try:
        child.start()
    except OSError:  # too many processes, or too little memory, for the moment
        log.exception("a process cannot be started, trying again", extra={"child": child.name})


def _stop(children: Sequence[Child], *, seconds: float) -> None:
    for child in children:
        child.signal(signal.SIGTERM)
    deadline = time.monotonic() + seconds
    while not all(child.has_ended() for child in children):
        if time.monotonic() > deadline:
            log.error("a process did not stop in time and is killed")
            for child in children:
                child.signal(signal.SIGKILL)
            deadline += seconds  # the system ends it as soon as it can
        time.sleep(0.02)


def fork(run: Callable[[], None]) -> int:
    """Run `run` in a child process that ends with this one; return its process id.

    The child has a process group of its own, so that Ctrl+C in a terminal reaches the parent alone.
    """
    parent = os.getpid()
    # A signal between the fork and the child's own handlers must not be lost in the parent's.
    signal.pthread_sigmask(signal.SIG_BLOCK, STOP_SIGNALS)
    child = None
    try:
        child = os.fork()
    finally:
        if child != 0:
            signal.pthread_sigmask(signal.SIG_UNBLOCK, STOP_SIGNALS)
    if child:
        return child
    ended_well = False
    try:
        os.setpgid(0, 0)
        signal.set_wakeup_fd(-1)
        for number in STOP_SIGNALS:
            signal.signal(number, signal.SIG_DFL)
        signal.signal(signal.SIGTTOU, signal.SIG_IGN)  # some terminals stop whoever writes there
        signal.pthread_sigmask(signal.SIG_UNBLOCK, STOP_SIGNALS)
        end_with_parent(parent)
        run()
        ended_well = True
    finally:
        # A child must neither die without a word nor live on as a second copy of its parent.
        if not ended_well:
            log.error("a process failed", exc_info=sys.exc_info())
        os._exit(0 if ended_well else 1)


def end_with_parent(parent: int) -> None:
    """End this process, at once, when the process `parent` has ended.

    Ending hard is safe; an orphan that goes on answering beside the next start is not.
    """
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    else:
        threading.Thread(target=_watch, args=(parent,), daemon=True).start()
    if os.getppid() != parent:  # it ended before that was set
        os._exit(1)


def _watch(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(1)
    os._exit(1)
