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
from places import TESTS
from pytest_benchmark.fixture import BenchmarkFixture
from reported import Report

from zapbench.cli.progress import ON_STDERR
from zapbench.error import EnvironmentMissing
from zapbench.gate import budget
from zapbench.gate.judgement import Judgement
from zapbench.gate.live import Live, Options
from zapbench.gate.verdict import Verdict

PATCHES = TESTS / "kernel-patches/6.12"
ICOUNT_LIMIT = 0.25
"""Percent: half of the smaller cost that is planted."""
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
GATE_SECONDS = 120


def budgets(directory: Path, cases: Sequence[str]) -> budget.Budgets:
    path = directory / "b.toml"
    path.write_text(
        f'[[budget]]\ncases = {json.dumps(list(cases))}\nlimit = "+{ICOUNT_LIMIT} %"\n'
        'reason = "the tests"\n'
    )
    return budget.load(path)


def gate_of(head: str, directory: Path, cases: Sequence[str], boots: int = 5) -> Judgement:
    options = Options("icount", None, boots, 1, directory / "r", force=False)
    live = Live(budgets(directory, cases), "6.12", head, options, ON_STDERR)
    return live.judgement()


Measured = Callable[[str, Sequence[str]], Judgement]


@pytest.fixture
def measured(
    tmp_path: Path, benchmark: BenchmarkFixture, require: Callable[[object, str], None]
) -> Measured:
    """Gate a kernel of a series against 6.12."""
    if benchmark.disabled:
        pytest.skip("figures are for make bench-gate")

    def run(series: str, cases: Sequence[str]) -> Judgement:
        try:
            found: Judgement = benchmark.pedantic(
                gate_of,
                args=(f"6.12+{PATCHES / series}/", tmp_path, cases),
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
    judgement = measured(series, TWELVE)
    report("\n".join([f"\n{series}:", *lines(judgement)]))
    assert judgement.count(Verdict.FAIL) == 0


@pytest.mark.kernel
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("series", COSTS)
def test_planted_costs_are_found_by_name(measured: Measured, report: Report, series: str) -> None:
    _, path, _ = series.split("-")
    case = PLANTED[path]
    judgement = measured(series, list(PLANTED.values()))
    report("\n".join([f"\n{series}:", *lines(judgement)]))
    (check,) = (check for check in judgement.checks if check.case == case)
    quiet = check.floor is not None and check.floor < ICOUNT_LIMIT / 100
    wanted = Verdict.FAIL if quiet else Verdict.INCONCLUSIVE
    assert check.ruling.verdict in (wanted, Verdict.FAIL)


@pytest.mark.kernel
@pytest.mark.timeout(3600)
def test_a_gate_on_twelve_cases(measured: Measured, report: Report) -> None:
    start = time.monotonic()
    judgement = measured("null-comment", TWELVE)
    wall = time.monotonic() - start
    report(
        f"\na gate on {len(judgement.checks)} cases under icount: {wall:.0f} s, target "
        f"{GATE_SECONDS} s; load {os.getloadavg()[0]:.1f}"
    )
