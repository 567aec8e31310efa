"""Start, supervise and stop the processes of `cop serve` and `cop work`."""

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
STOP_SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)  # SIGHUP: the terminal was closed
CHECK_SECONDS = 0.5  # between two checks of the children


class StopRequest:
    """A request to stop: by SIGTERM, SIGINT or SIGHUP, or by `set()` from any thread.

    The signal handler only sets a flag, and Python writes a byte to the wakeup pipe. The handler
    must take no lock, as threading.Event.set() does: it could wait forever for the code that it has
    interrupted. Create it and wait for it in the main thread.
    """

    def __init__(self) -> None:
        self.is_set = False
        self._wakeup_reader, self._wakeup_writer = os.pipe()
        for fd in (self._wakeup_reader, self._wakeup_writer):
            os.set_blocking(fd, False)
        signal.set_wakeup_fd(self._wakeup_writer, warn_on_full_buffer=False)
        for number in STOP_SIGNALS:
            # `nohup` ignores SIGHUP, which has to stay so.
            if number != signal.SIGHUP or signal.getsignal(number) != signal.SIG_IGN:
                signal.signal(number, self._on_signal)

    def set(self) -> None:
        """Ask to stop."""
        self.is_set = True
        with contextlib.suppress(BlockingIOError):  # the pipe is full, so `wait` wakes up anyway
            os.write(self._wakeup_writer, b"\0")

    def wait(self, seconds: float | None = None) -> bool:
        """Wait until a stop is requested, at most `seconds`; return whether it is."""
        if not self.is_set:
            select.select([self._wakeup_reader], [], [], seconds)
        return self.is_set

    def _on_signal(self, *_: object) -> None:
        self.is_set = True


@dataclass
class Child:
    """A job in its own child process, restarted when it ends unexpectedly."""

    name: str
    run: Callable[[], None]
    pid: int = 0  # 0 while it does not run

    def start(self) -> None:
        self.pid = fork(self.run)

    def has_ended(self) -> bool:
        """Whether it is not running."""
        if self.pid and os.waitpid(self.pid, os.WNOHANG)[0]:
            self.pid = 0
        return not self.pid

    def signal(self, number: int) -> None:
        if not self.has_ended():
            os.kill(self.pid, number)


def supervise(stages: Sequence[Sequence[Child]], *, seconds: float) -> None:
    """Keep children running until this process is asked to stop; then stop them.

    They are stopped stage by stage. The children of a stage have `seconds` to end; then they are
    killed, which is safe, since everything that must not be lost is in the database.
    """
    stop = StopRequest()
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)  # if ignored, `waitpid` would fail
    children = [child for stage in stages for child in stage]
    for child in children:
        child.start()
    while not stop.wait(CHECK_SECONDS):
        for child in children:
            if child.has_ended():
                _restart(child)
    for stage in stages:
        _stop(stage, seconds=seconds)


def _restart(child: Child) -> None:
    log.error("a process ended unexpectedly, restarting it", extra={"child": child.name})
    try:
        child.start()
    except OSError:  # too many processes or too little memory for now
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
            deadline += seconds
        time.sleep(0.02)


def fork(run: Callable[[], None]) -> int:
    """Run `run` in a child process that ends with this one; return its process id.

    The child has a process group of its own, so that Ctrl+C in a terminal reaches the parent alone.
    """
    parent = os.getpid()
    # Block signals until the child has its own handlers: those of the parent, which it inherits,
    # would lose them.
    signal.pthread_sigmask(signal.SIG_BLOCK, STOP_SIGNALS)
    child = None
    try:
        child = os.fork()
    finally:
        if child != 0:  # in the parent, also if the fork has failed
            signal.pthread_sigmask(signal.SIG_UNBLOCK, STOP_SIGNALS)
    if child:
        return child
    succeeded = False
    try:
        os.setpgid(0, 0)
        signal.set_wakeup_fd(-1)
        for number in STOP_SIGNALS:
            signal.signal(number, signal.SIG_DFL)
        signal.signal(signal.SIGTTOU, signal.SIG_IGN)  # else `stty tostop` stops it when it writes
        signal.pthread_sigmask(signal.SIG_UNBLOCK, STOP_SIGNALS)
        end_with_parent(parent)
        run()
        succeeded = True
    finally:
        # Log a failure, and always exit: the child must not return into the code of its parent.
        if not succeeded:
            log.error("a process failed", exc_info=sys.exc_info())
        os._exit(0 if succeeded else 1)


def end_with_parent(parent: int) -> None:
    """Let this process be killed as soon as the process `parent` has ended.

    Being killed is safe; an orphan that still serves requests after a restart would not be.
    """
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    else:
        threading.Thread(target=_exit_after, args=(parent,), daemon=True).start()
    if os.getppid() != parent:  # the parent ended before that took effect
        os._exit(1)


def _exit_after(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(1)
    os._exit(1)
