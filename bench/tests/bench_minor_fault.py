# SPDX-License-Identifier: GPL-2.0-only
"""The tool's own share of a minor fault, and its rates next to those of other programs.

The machine is noisy and its scheduler places threads as it likes: what is compared runs in
turns, and the median of the ratios counts.
"""

import os
import re
import shutil
import statistics
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from limits import seconds
from places import TESTS
from pytest_benchmark.fixture import BenchmarkFixture

from zapbench import record
from zapbench.record import Samples
from zapbench.result import stats
from zapbench.target import Job, Native, guest_path

pytestmark = pytest.mark.usefixtures("userfaultfd")

PLACE = "minor_fault/dontneed/shmem/4k/16m"
ROUNDS = 21
SHARE = 0.02
CONFIGURATIONS = ("", "/delivery=busy", "/delivery=poll", "/delivery=sigbus", "/topology=process")
MIB = 1 << 20


def rates(*cases: str, samples: int = 200) -> list[float]:
    """Faults per second of each case, in a process of its own and in this order."""
    job = Job(cases, "k", "native", samples=samples, max_seconds=1)
    found = [stats.fault_rate([each]) for each in record.collect(Native().run(job)).of(Samples)]
    assert len(found) == len(cases)
    return [rate for rate in found if rate is not None]


@pytest.fixture
def one_cpu() -> Iterator[None]:
    """Faulter and handler on one CPU: none of the handler's stamps is hidden behind the other."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {max(before)})
    yield
    os.sched_setaffinity(0, before)


@pytest.mark.usefixtures("one_cpu")
def test_the_stamps_are_at_most_2_percent_of_a_fault(benchmark: BenchmarkFixture) -> None:
    """On, off, off, on: a drift of the machine hits both alike."""
    on, off = PLACE, f"{PLACE}/stamps=off"

    def run() -> list[float]:
        ratios = []
        for _ in range(ROUNDS):
            first, second, third, fourth = rates(on, off, off, on, samples=80)
            ratios.append((second * third / (first * fourth)) ** 0.5)
        return ratios

    ratios = benchmark.pedantic(run, rounds=1)
    benchmark.extra_info["time_with_stamps_to_without"] = statistics.median(ratios)
    benchmark.extra_info["ratios"] = sorted(ratios)
    assert statistics.median(ratios) <= 1 + SHARE


@pytest.fixture(scope="module")
def loop(tmp_path_factory: pytest.TempPathFactory) -> Callable[[], float]:
    """Faults per second of the loop written by hand."""
    source = TESTS / "minor_fault_loop.c"
    assert len(source.read_text().splitlines()) <= 60
    program = tmp_path_factory.mktemp("loop") / "loop"
    subprocess.run(["gcc", "-O2", "-D_GNU_SOURCE", "-o", program, source, "-lpthread"], check=True)

    def run() -> float:
        done = subprocess.run([program], check=True, capture_output=True, timeout=seconds(60))
        return float(done.stdout)

    return run


def stress_ng() -> float:
    """Faults per second of stress-ng, which has missing pages copied."""
    command = ["stress-ng", "--userfaultfd", "1", "--timeout", "1", "--metrics"]
    done = subprocess.run(command, check=True, capture_output=True, text=True, timeout=seconds(60))
    found = re.search(r"userfaultfd +(\d+) +([0-9.]+)", done.stdout + done.stderr)
    assert found is not None
    return int(found[1]) / float(found[2])


def best() -> float:
    return max(rates(*(f"{PLACE}{axes}" for axes in CONFIGURATIONS)))


def compared(benchmark: BenchmarkFixture, other: Callable[[], float], rounds: int) -> float:
    """The median ratio of our best configuration to the other's rate."""

    def run() -> list[tuple[float, float]]:
        return [(best(), other()) for _ in range(rounds)]

    pairs: list[tuple[float, float]] = benchmark.pedantic(run, rounds=1)
    ratio = statistics.median(ours / theirs for ours, theirs in pairs)
    benchmark.extra_info["ratio"] = ratio
    benchmark.extra_info["faults_per_second"] = statistics.median(ours for ours, _ in pairs)
    benchmark.extra_info["of_the_other"] = statistics.median(theirs for _, theirs in pairs)
    return ratio


def test_the_best_rate_is_at_least_that_of_a_loop_by_hand(
    benchmark: BenchmarkFixture, loop: Callable[[], float]
) -> None:
    assert compared(benchmark, loop, 7) >= 1


@pytest.mark.skipif(shutil.which("stress-ng") is None, reason="stress-ng is not installed")
def test_the_best_rate_is_at_least_that_of_stress_ng(benchmark: BenchmarkFixture) -> None:
    assert compared(benchmark, stress_ng, 5) >= 1


def test_a_million_faults_take_no_more_memory_than_ten_thousand(
    benchmark: BenchmarkFixture,
) -> None:
    def most(samples: int) -> int:
        command = [str(guest_path()), "--samples", str(samples), "--max-seconds", "100", PLACE]
        with subprocess.Popen(command, stdout=subprocess.PIPE) as program:
            _, status, usage = os.wait4(program.pid, 0)
            program.returncode = os.waitstatus_to_exitcode(status)
        assert program.returncode == 0
        return usage.ru_maxrss * 1024

    few = most(100)
    many = benchmark.pedantic(lambda: most(10_000), rounds=1)
    benchmark.extra_info["mib"] = many / MIB
    assert many < few + 4 * MIB


def test_the_default_sweep_takes_less_than_two_minutes(
    benchmark: BenchmarkFixture, tmp_path: Path
) -> None:
    command = [sys.executable, "-m", "zapbench", "run", "minor_fault/*", "continue/*", "--quick"]
    done = benchmark.pedantic(
        lambda: subprocess.run([*command, "-o", tmp_path / "r"], capture_output=True, check=False),
        rounds=1,
    )
    assert done.returncode == 0, done.stderr.decode()
    assert benchmark.stats["max"] < 120
