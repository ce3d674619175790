# SPDX-License-Identifier: GPL-2.0-only
"""The frequency of this machine's time stamp counter, which TCG shows its guests unscaled.

A microvm has no second clock that a guest could calibrate it by under emulation: told nothing,
it takes the counter for broken and counts time in ticks of 10 ms.
"""

import ctypes
import mmap
import time
from collections.abc import Callable

# rdtsc; shl $32, %rdx; or %rdx, %rax; ret
_RDTSC = bytes.fromhex("0f31 48c1e220 4809d0 c3")
_APART_SECONDS = 0.05
_TRIES = 20


def host_khz() -> int | None:
    """The counter's frequency in kHz; None where no code may be made at run time."""
    try:
        page = mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
    except OSError:
        return None
    page.write(_RDTSC)
    # The page must outlive the function: it is never closed, but left to the collector.
    start = ctypes.addressof(ctypes.c_char.from_buffer(page))
    rdtsc = ctypes.CFUNCTYPE(ctypes.c_uint64)(start)
    first = _read(rdtsc)
    time.sleep(_APART_SECONDS)
    second = _read(rdtsc)
    return round((second[1] - first[1]) / (second[0] - first[0]) * 1e6)


def _read(rdtsc: Callable[[], int]) -> tuple[float, int]:
    """A time in nanoseconds and the counter then, from the try that was interrupted least."""
    best = (float("inf"), 0.0, 0)
    for _ in range(_TRIES):
        before = time.clock_gettime_ns(time.CLOCK_MONOTONIC_RAW)
        count = rdtsc()
        after = time.clock_gettime_ns(time.CLOCK_MONOTONIC_RAW)
        best = min(best, (after - before, (before + after) / 2, count))
    return best[1:]
