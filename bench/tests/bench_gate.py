# SPDX-License-Identifier: GPL-2.0-only
"""What the gate says of kernels that are built and booted, under icount (make bench-gate).

Of kernels that differ in nothing that is executed, and of kernels with a cost planted in a path.
What pairs of boots of the former differ by is the noise floor that comes with the tool.
"""

import json
import os
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest
from places import ROOT, TESTS
from pytest_benchmark.fixture import BenchmarkFixture
from reported import Report

from zapbench.ahead import workers
from zapbench.cli.progress import ON_STDERR
from zapbench.error import EnvironmentMissing
from zapbench.gate import budget
from zapbench.gate.judgement import Judgement, Status
from zapbench.gate.live import Live, Options
from zapbench.gate.verdict import Verdict
from zapbench.where import machine

PATCHES = TESTS / "kernel-patches/6.12"
LIMITS = {"half": 0.25, "two": 0.25, "one": 0.0}
"""Percent, by what is planted: half of 0.5 %; one instruction of a call shows under +0."""
PLANTED = {
    "zap": "zap/dontneed/shmem/4k/4k",
    "continue": "continue/-/shmem/4k/4k",
    "register": "zap/remap/shmem/4k/4k",
}
TWELVE = (
    *PLANTED.values(),
    "zap/dontneed/shmem/4k/64k",
    "zap/dontneed/shmem/4k/2m",
    "zap/dontneed/hugetlb/2m/2m",
    "zap/overmap/shmem/4k/4k",
    "cycle/dontneed/shmem/4k/4k",
    "cycle/dontneed/shmem/4k/64k",
    "continue/-/shmem/4k/64k",
    "continue/-/shmem/4k/2m",
    "continue/-/hugetlb/2m/2m",
)
WHOLE_SECONDS, CACHED_SECONDS = 60, 30


def budgets(directory: Path, cases: Sequence[str], limit: float) -> budget.Budgets:
    path = directory / "b.toml"
    path.write_text(
        f'[[budget]]\ncases = {json.dumps(list(cases))}\nlimit = "+{limit} %"\n'
        'reason = "the tests"\n'
    )
    return budget.load(path)


def gate_of(head: str, results: Path, of: budget.Budgets, seed: int | None = None) -> Judgement:
    options = Options("icount", None, None, seed, results, force=False)
    return Live(of, "6.12", head, options, ON_STDERR).judgement()


Measured = Callable[[str, Sequence[str], float], Judgement]


@pytest.fixture
def measured(
    tmp_path: Path, benchmark: BenchmarkFixture, require: Callable[[object, str], None]
) -> Measured:
    """Gate a kernel of a series against 6.12."""
    if benchmark.disabled:
        pytest.skip("figures are for make bench-gate")

    def run(series: str, cases: Sequence[str], limit: float) -> Judgement:
        try:
            found: Judgement = benchmark.pedantic(
                gate_of,
                args=(
                    f"6.12+{PATCHES / series}/",
                    tmp_path / "r",
                    budgets(tmp_path, cases, limit),
                ),
                rounds=1,
                iterations=1,
            )
            return found
        except EnvironmentMissing as error:
            require(False, str(error))
            raise

    return run


def lines(judgement: Judgement) -> Iterator[str]:
    for check in judgement.checks:
        change = f"{check.change - 1:+.3%}" if check.change is not None else ""
        floor = f"{check.floor:.3%}" if check.floor is not None else ""
        yield f"  {check.ruling.verdict:<13} {check.case:<30} {change:>9}, floor {floor}"


NULLS = sorted(path.name for path in PATCHES.glob("null-*"))
COSTS = sorted(path.name for path in PATCHES.glob("cost-*"))


@pytest.mark.kernel
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("series", NULLS)
def test_null_kernels_never_fail(measured: Measured, report: Report, series: str) -> None:
    judgement = measured(series, TWELVE, LIMITS["half"])
    report("\n".join([f"\n{series}:", *lines(judgement)]))
    assert judgement.count(Verdict.FAIL) == 0


@pytest.mark.kernel
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("series", COSTS)
def test_planted_costs_are_found_by_name(measured: Measured, report: Report, series: str) -> None:
    _, path, size = series.split("-")
    case = PLANTED[path]
    judgement = measured(series, list(PLANTED.values()), LIMITS[size])
    report("\n".join([f"\n{series}, limit +{LIMITS[size]} %:", *lines(judgement)]))
    (check,) = (check for check in judgement.checks if check.case == case)
    assert check.ruling.verdict is Verdict.FAIL


@pytest.mark.kernel
@pytest.mark.timeout(3600)
def test_the_budgets_that_come_with_the_tool(
    tmp_path: Path, report: Report, benchmark: BenchmarkFixture
) -> None:
    """From two images: with boots of base that nobody made yet, then with those that are kept."""
    if benchmark.disabled:
        pytest.skip("figures are for make bench-gate")
    of = budget.load(ROOT / "bench/budgets.toml")
    machine("6.12", "icount", ON_STDERR)  # built before the clock runs
    machine("6.12+madv-zap", "icount", ON_STDERR)
    seed = time.time_ns() % (1 << 31)  # one of which no boot is kept
    start = time.monotonic()
    judgements = [gate_of("6.12+madv-zap", tmp_path / "whole", of, seed)]
    whole = time.monotonic() - start
    cached = ("6.12+madv-zap", tmp_path / "cached", of, seed)
    judgements.append(benchmark.pedantic(gate_of, args=cached, rounds=1))
    assert [each.status for each in judgements] == [Status.PASS, Status.PASS]
    report(
        f"\nthe default budgets, {len(judgements[0].checks)} checks, on {workers()} CPUs: "
        f"{whole:.0f} s (aim {WHOLE_SECONDS}), with cached boots of base "
        f"{benchmark.stats['min']:.0f} s (aim {CACHED_SECONDS}); load {os.getloadavg()[0]:.1f}"
    )
