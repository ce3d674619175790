# SPDX-License-Identifier: GPL-2.0-only
"""What counting instructions costs and says, against its targets (make bench-kernel).

Nothing here is judged: a time is the machine's, and a ratio that misses its target is a finding.
Whether the boots repeat is judged, in test_kernel_boot.py.
"""

import os
import resource
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from zapbench.boot import Work, effort_for
from zapbench.case import grid
from zapbench.error import EnvironmentMissing
from zapbench.kernel import build, catalogue
from zapbench.record import Samples, collect
from zapbench.result.timings import Timings, by_case
from zapbench.vm import VmTarget

pytestmark = [pytest.mark.kernel, pytest.mark.timeout(3600)]
KERNELS = ["6.12+madv-zap", pytest.param("7.3+madv-zap", marks=pytest.mark.kernels)]
PLACES = ("shmem/4k/4k", "shmem/4k/64k", "shmem/4k/2m", "shmem/2m/2m", "hugetlb/2m/2m")
GRID_SECONDS = 60
OVER_DONTNEED, OVER_REMAP, OVER_REMAP_ONE_PAGE = 1.01, 1.0, 0.25
ONE_PAGE = "shmem/4k/4k"


@dataclass(frozen=True, slots=True)
class Boot:
    """The quick grid, counted once: each case's median, and what it cost in seconds."""

    figures: Mapping[str, Timings]
    wall: float
    cpu: float


def quick_grid(vm: VmTarget, seed: int) -> Boot:
    cases = tuple(str(cell.case) for cell in grid(quick=True) if cell.excluded is None)
    work = Work(cases, effort_for(vm.tier, quick=True), seed)
    wall, cpu = time.monotonic(), cpu_seconds()
    recording = collect(vm.run(work.job(vm, 0)))
    wall, cpu = time.monotonic() - wall, cpu_seconds() - cpu
    assert not recording.truncated
    figures = {str(case): each for case, each in by_case(recording.of(Samples)).items()}
    return Boot(figures, wall, cpu)


def cpu_seconds() -> float:
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def differing(left: Boot, right: Boot) -> dict[str, float]:
    """How far apart the cases are that are not the same integer, relative to the left one."""
    pairs = ((case, left.figures[case].median, right.figures[case].median) for case in left.figures)
    return {case: abs(b / a - 1) for case, a, b in pairs if a != b}


def grid_lines(first: Boot) -> list[str]:
    boots = effort_for("icount", quick=True).boots
    wall, cpu = boots * first.wall, boots * first.cpu
    return [
        f"quick grid, one boot: {first.wall:.1f} s, CPU {first.cpu:.1f} s",
        f"  `run --quick` takes {boots}: {wall:.0f} s, CPU {cpu:.0f} s; target {GRID_SECONDS} s; "
        f"load {os.getloadavg()[0]:.1f}",
    ]


def repeat_lines(first: Boot, again: Boot, others: list[Boot]) -> list[str]:
    count = len(first.figures)
    odd = differing(first, again)
    lines = [f"same seed: {count - len(odd)} of {count} medians are the same integer"]
    lines += [f"  {case}: {value:.3%} apart" for case, value in odd.items()]
    spread = {
        case: max(differing(first, other).get(case, 0.0) for other in others)
        for case in first.figures
    }
    within = sum(value <= 0.01 for value in spread.values())
    lines.append(
        f"other seeds ({len(others)} boots): {within} of {count} within 1 %, "
        f"{sum(value == 0 for value in spread.values())} the same integer"
    )
    far = sorted(spread.items(), key=lambda item: -item[1])[:5]
    return lines + [f"  {case}: {value:.3%} apart" for case, value in far]


def ratio_lines(first: Boot, workload: str) -> list[str]:
    """The calls, and next to them whole cycles, which have no target: faults are most of them."""
    lines = [
        f"{workload:<6} {'':<14}{'MADV_ZAP':>10}{'DONTNEED':>10}{'remap':>10}"
        f"{'zap/dontneed':>14}{'zap/remap':>11}"
    ]
    for place in PLACES:
        zap, dontneed, remap = (
            first.figures[f"{workload}/{method}/{place}"].median
            for method in ("madv_zap", "dontneed", "remap")
        )
        limit = OVER_REMAP_ONE_PAGE if place == ONE_PAGE else OVER_REMAP
        met = zap <= OVER_DONTNEED * dontneed and zap <= limit * remap
        verdict = f"  targets {OVER_DONTNEED}, {limit:g}: {'met' if met else 'missed'}"
        lines.append(
            f"       {place:<14}{zap:>10,.0f}{dontneed:>10,.0f}{remap:>10,.0f}"
            f"{zap / dontneed:>14.3f}{zap / remap:>11.3f}{verdict if workload == 'zap' else ''}"
        )
    return lines


@pytest.mark.parametrize("name", KERNELS)
def test_counts(
    name: str,
    benchmark: BenchmarkFixture,
    capsys: pytest.CaptureFixture[str],
    require: Callable[[object, str], None],
) -> None:
    if benchmark.disabled:
        pytest.skip("figures are for make bench-kernel")
    try:
        image = build.build(catalogue.parse(name))
        plain = VmTarget(str(image.bzimage), "icount", perturb=False)
    except EnvironmentMissing as error:
        require(False, str(error))
        raise
    perturbed = VmTarget(str(image.bzimage), "icount")
    first = benchmark.pedantic(quick_grid, args=(plain, 1), rounds=1, iterations=1)
    again = quick_grid(plain, 1)
    others = [quick_grid(perturbed, seed) for seed in (2, 3)]
    lines = [f"\n{name} ({image.meta['release']}), icount"]
    lines += grid_lines(first) + repeat_lines(first, again, others)
    lines += ratio_lines(first, "zap") + ratio_lines(first, "cycle")
    with capsys.disabled():
        print("\n".join(lines))  # noqa: T201 - this is what the test is for
