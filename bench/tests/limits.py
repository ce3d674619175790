# SPDX-License-Identifier: GPL-2.0-only
"""How long a test waits: for what hangs, not for what is slow.

A limit is given as on an idle machine with two CPUs, and is longer by as much as this machine
is smaller or busier when it is set.  No test asserts that something was quick.
"""

import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

T = TypeVar("T")

POLL_SECONDS = 0.01


def seconds(idle: float) -> float:
    """A limit in seconds, scaled to what this machine can do now."""
    cpus = len(os.sched_getaffinity(0))
    load, _, _, entities, _ = Path("/proc/loadavg").read_text().split()  # proc(5)
    runnable = int(entities.partition("/")[0]) - 1  # all but this process: load lags behind it
    return idle * max(1.0, 2 / cpus) * (1 + max(float(load), runnable) / cpus)


def cpu_ticks(task: Path) -> int:
    """Hundredths of a second that /proc/PID, or /proc/PID/task/TID, had a CPU (proc(5))."""
    fields = (task / "stat").read_text().rpartition(")")[2].split()
    return int(fields[11]) + int(fields[12])


def until(condition: Callable[[], T], what: str, idle: float = 60) -> T:
    """Wait until a condition holds; returns what it gave.

    Raises:
        AssertionError: it did not within the limit.
    """
    end = time.monotonic() + seconds(idle)
    while not (found := condition()):
        assert time.monotonic() < end, f"waited in vain: {what}"
        time.sleep(POLL_SECONDS)
    return found
