# SPDX-License-Identifier: GPL-2.0-only
"""The kernel may unmap a page that it takes for cold; a measurement must survive that.

DAMON's pageout does so on some hosts, even without swap: the page stays in the cache, its
entry goes, and the next touch of a registered range waits for somebody to resolve it.
"""

import ctypes
import json
import os
import re
import subprocess
import time
from pathlib import Path

import pytest
from limits import cpu_ticks, seconds, until

from zapbench.target import guest_path

NR_PIDFD_OPEN, NR_PROCESS_MADVISE, MADV_PAGEOUT = 434, 440, 21
CASE = "cycle/dontneed/shmem/4k/2m"
libc = ctypes.CDLL(None, use_errno=True)


class Iovec(ctypes.Structure):
    _fields_ = (("base", ctypes.c_size_t), ("length", ctypes.c_size_t))


def ranges(pid: int) -> list[tuple[int, int]]:
    """Mappings of the region under test: the file's, not its neighbours'."""
    maps = Path(f"/proc/{pid}/maps").read_text()
    found = re.findall(r"^([0-9a-f]+)-([0-9a-f]+) rw-s .*memfd:zapbench", maps, re.MULTILINE)
    return [(int(low, 16), int(high, 16)) for low, high in found]


def page_out(pid: int, pidfd: int) -> bool:
    """Ask the kernel to reclaim them; whether it took the call."""
    try:
        wanted = [Iovec(low, high - low) for low, high in ranges(pid)]
    except FileNotFoundError:
        return False
    vector = (Iovec * len(wanted))(*wanted)
    call = libc.syscall(NR_PROCESS_MADVISE, pidfd, vector, len(wanted), MADV_PAGEOUT, 0)
    return bool(wanted) and call > 0


@pytest.mark.usefixtures("userfaultfd")
def test_pages_reclaimed_under_a_measurement_do_not_hang_it() -> None:
    limit = seconds(2)
    command = [str(guest_path()), "--samples", "1000000", "--max-seconds", f"{limit:.3f}", CASE]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as program:
        assert program.stdout is not None
        kept = [program.stdout.readline() for _ in ("context", "contract")]
        process = Path(f"/proc/{program.pid}")
        begun = cpu_ticks(process)
        until(lambda: cpu_ticks(process) >= begun + 20, "its region is made and checked")
        pidfd = libc.syscall(NR_PIDFD_OPEN, program.pid, 0)
        end, taken = time.monotonic() + limit / 2, 0
        while time.monotonic() < end:
            taken += page_out(program.pid, pidfd)
        os.close(pidfd)
        try:
            out, _ = program.communicate(timeout=seconds(60))
        except subprocess.TimeoutExpired:
            program.kill()
            pytest.fail("the program hung after its pages were reclaimed")
    records = [json.loads(line) for line in [*kept, *out.splitlines()]]
    if not taken:
        pytest.skip("process_madvise(MADV_PAGEOUT) is not available here")
    assert [record["kind"] for record in records] == ["context", "contract", "samples", "end"]
    assert records[2]["minor_faults"] > 0
