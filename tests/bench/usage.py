"""What processes use, as the kernel counts it."""

import os
from pathlib import Path

TICKS = os.sysconf("SC_CLK_TCK")


def cpu_seconds(pids):
    """The CPU time that processes have taken so far, together."""
    return sum(_ticks(pid) for pid in pids) / TICKS


def _ticks(pid):
    after_the_name = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return int(after_the_name[11]) + int(after_the_name[12])


def proportional_mb(pids):
    """The memory of processes, together: what several share is counted once."""
    return sum(_kib(f"/proc/{pid}/smaps_rollup", "Pss") for pid in pids) / 1000


def peak_mb():
    """The most memory that this process has had since `forget_peak`."""
    return _kib("/proc/self/status", "VmHWM") / 1000


def forget_peak():
    """Begin anew to look for this process's peak."""
    Path("/proc/self/clear_refs").write_text("5")


def _kib(file, name):
    lines = (line.split() for line in Path(file).read_text().splitlines())
    return next(int(words[1]) for words in lines if words[0] == f"{name}:")
