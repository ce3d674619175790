# SPDX-License-Identifier: GPL-2.0-only
"""A report of 2,000 cases and 10 boots: its time, its memory, and how large its page is."""

import itertools
import resource
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import synthetic
from limits import seconds
from pytest_benchmark.fixture import BenchmarkFixture

from zapbench.case import grid, methods
from zapbench.result.store import RECORDS

BOOTS, CASES, SAMPLES = 10, 2000, 100
SECONDS, BYTES, PAGE_BYTES = 20, 1 << 30, 3_000_000


def names() -> list[str]:
    """The full grid, and other range sizes until there are enough."""
    full = [str(cell.case) for cell in grid(quick=False) if cell.excluded is None]
    more = (
        f"{workload}/{method}/shmem/4k/{4 * pages}k"
        for pages, workload, method in itertools.product(
            range(2, 400), ("zap", "cycle"), list(methods())[:8]
        )
    )
    return list(dict.fromkeys([*full, *more]))[:CASES]


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> Path:
    random = np.random.default_rng(1)
    directory = tmp_path_factory.mktemp("report") / "results"
    directory.mkdir()
    kinds = [f"contract/{method}/shmem/4k/4k" for method in methods()]
    with open(directory / RECORDS, "wb") as file:
        for boot in range(BOOTS):
            run = synthetic.run_of(boot)
            values = random.integers(10_000, 20_000, (CASES, SAMPLES)).tolist()
            records = [
                synthetic.samples(run, name, tuple(row))
                for name, row in zip(names(), values, strict=True)
            ]
            contracts = [synthetic.contract(run, kind) for kind in kinds]
            file.writelines(synthetic.stream(run, *records, *contracts))
    return directory


def test_report_of_a_large_grid_is_quick_and_small(
    benchmark: BenchmarkFixture, results: Path
) -> None:
    where = results.parent / "reports/large"
    command = [sys.executable, "-m", "zapbench", "report", str(results), "-o", str(where)]

    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    benchmark.pedantic(lambda: subprocess.run(command, check=True, timeout=seconds(300)), rounds=1)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    # Of the processor, not of the clock: other work on the machine is not the report's.
    spent = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    peak = after.ru_maxrss * 1024
    page = (where / "index.html").stat().st_size
    benchmark.extra_info |= {"seconds": spent, "peak_mib": peak >> 20, "page_bytes": page}
    assert spent < SECONDS
    assert peak < BYTES
    assert page < PAGE_BYTES
