# SPDX-License-Identifier: GPL-2.0-only
"""What the statistics of a whole grid cost, against reading its records."""

import time

import numpy as np
import pytest
import synthetic
from pytest_benchmark.fixture import BenchmarkFixture

from zapbench import record
from zapbench.case import Case
from zapbench.record import Samples
from zapbench.result.timings import Timings, by_case, compare

BOOTS, CASES, SAMPLES = 7, 150, 200


@pytest.fixture(scope="module")
def lines() -> list[bytes]:
    random = np.random.default_rng(1)
    names = [f"zap/dontneed/shmem/4k/{4 * n}k" for n in range(1, CASES + 1)]
    streams = []
    for boot in range(BOOTS):
        run = synthetic.run_of(boot)
        values = random.integers(10_000, 20_000, (CASES, SAMPLES)).tolist()
        records = [
            synthetic.samples(run, name, tuple(row))
            for name, row in zip(names, values, strict=True)
        ]
        streams += synthetic.stream(run, *records)
    return streams


def medians(samples: list[Samples]) -> dict[Case, Timings]:
    """Timings that know their figures: they are made when they are asked for."""
    timings = by_case(samples)
    assert all(each.median and each.pooled for each in timings.values())
    return timings


def test_timings_of_a_grid_cost_about_as_much_as_reading_it(
    benchmark: BenchmarkFixture, lines: list[bytes]
) -> None:
    start = time.perf_counter()
    samples = record.collect(lines).of(Samples)
    reading = time.perf_counter() - start
    timings = benchmark(lambda: medians(samples))
    assert len(timings) == CASES
    benchmark.extra_info["ratio_to_reading"] = benchmark.stats["min"] / reading
    assert benchmark.stats["min"] < 10 * reading


def test_comparing_two_grids_costs_less_than_their_timings(
    benchmark: BenchmarkFixture, lines: list[bytes]
) -> None:
    samples = record.collect(lines).of(Samples)
    start = time.perf_counter()
    timings = medians(samples)
    grouping = time.perf_counter() - start
    differences = benchmark(lambda: compare(timings, timings))
    assert len(differences) == CASES
    benchmark.extra_info["ratio_to_timings"] = benchmark.stats["min"] / grouping
    assert benchmark.stats["min"] < 10 * grouping
