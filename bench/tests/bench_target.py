# SPDX-License-Identifier: GPL-2.0-only
"""What calling and driving the C program costs, and what its harness adds to a figure."""

import re
import subprocess
import sys
import time
from pathlib import Path

import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from zapbench import record
from zapbench._zapbench import ffi, lib
from zapbench.case import Case, grid
from zapbench.record import Samples
from zapbench.result import stats
from zapbench.target import InProcess, Job, Native, guest_path

MIB = 1 << 20
EMPTY = ("empty/-/anon/4k/4k",)


def test_a_call_through_cffi_costs_little_beside_a_ctypes_call(benchmark: BenchmarkFixture) -> None:
    import ctypes

    absolute = ctypes.CDLL(None).abs
    start = time.perf_counter()
    for _ in range(100_000):
        absolute(1)
    by_ctypes = (time.perf_counter() - start) / 100_000
    assert ffi.string(benchmark(lib.zapbench_event_name, 0)) == b"none"
    benchmark.extra_info["ratio_to_ctypes"] = benchmark.stats["min"] / by_ctypes
    assert benchmark.stats["min"] < 5 * by_ctypes


def test_asking_why_a_case_is_excluded(benchmark: BenchmarkFixture) -> None:
    case = Case.parse("zap/guard/hugetlb/2m/2m")
    assert benchmark(lambda: case.excluded) is not None


def test_the_full_grid_is_spanned(benchmark: BenchmarkFixture) -> None:
    assert len(benchmark(lambda: grid(quick=False))) > 500


@pytest.mark.parametrize("target", [InProcess, Native])
def test_one_empty_case(benchmark: BenchmarkFixture, target: type[InProcess | Native]) -> None:
    job = Job(EMPTY, "k", "native", samples=5)
    recording = benchmark(lambda: record.collect(target().run(job)))
    assert len(recording.of(Samples)) == 1


def test_the_harness_is_at_most_3_percent_of_the_smallest_operation(
    benchmark: BenchmarkFixture,
) -> None:
    cases = [cell.case for cell in grid(quick=True) if cell.excluded is None]
    smallest = tuple(str(case) for case in cases if case.range_size == case.page_size)
    job = Job(smallest, "k", "native", samples=200, max_seconds=0.05)
    recording = benchmark.pedantic(lambda: record.collect(Native().run(job)), rounds=1)
    share = stats.harness_share(recording.of(Samples))
    benchmark.extra_info["harness_share"] = share
    assert share <= 0.03


def high_water(process: subprocess.Popen[bytes]) -> int:
    """The most bytes that a process had resident; ru_maxrss would count its parent's at fork."""
    status = Path(f"/proc/{process.pid}/status")
    most = 0
    while process.poll() is None:
        found = re.search(r"VmHWM:\s+(\d+) kB", status.read_text())
        most = max(most, int(found[1]) * 1024 if found else 0)
        time.sleep(0.05)
    return most


def test_memory_does_not_grow_with_the_number_of_samples(benchmark: BenchmarkFixture) -> None:
    case = "zap/dontneed/shmem/4k/2m"
    command = [guest_path(), "--kernel", "k", "--tier", "native", "--samples", "100000"]
    process = subprocess.Popen(
        [*map(str, command), "--max-seconds", "5", case], stdout=subprocess.DEVNULL
    )
    most = benchmark.pedantic(lambda: high_water(process), rounds=1)
    assert process.returncode == 0
    beyond = most - Case.parse(case).memory
    benchmark.extra_info["mib_beyond_the_region"] = beyond / MIB
    assert most > 0
    assert beyond < 64 * MIB


def test_the_quick_grid(benchmark: BenchmarkFixture, tmp_path: Path) -> None:
    """Recorded, not limited: 60 s on two idle CPUs is what it is meant to take at most."""
    command = [sys.executable, "-m", "zapbench", "run", "--quick", "-o", str(tmp_path / "r")]
    done = benchmark.pedantic(
        lambda: subprocess.run(command, capture_output=True, text=True, check=False), rounds=1
    )
    assert done.returncode in (0, 1), done.stderr
    assert (tmp_path / "r" / "suite.json.gz").exists()
