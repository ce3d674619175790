# SPDX-License-Identifier: GPL-2.0-only
"""The tool's own speed against a committed baseline (make bench-guard).

Figures are ratios to a loop of plain Python, see `relative_time`.  The baseline is
data/guard-baseline.json; `--benchmark-json` writes it anew.
"""

from pathlib import Path

import pytest
import synthetic
from pytest_benchmark.fixture import BenchmarkFixture

from zapbench import chart, record
from zapbench._zapbench import lib
from zapbench.gate.estimate import Estimate
from zapbench.gate.verdict import Claim, Look, rule
from zapbench.record import Samples
from zapbench.result.store import Results, create
from zapbench.result.timings import by_case, compare

METHODS = ("dontneed", "remap", "overmap", "dontunmap")
SIZES = ("4k", "64k", "2m")
BOOTS, SAMPLES = 5, 50


@pytest.fixture(scope="module")
def lines() -> list[bytes]:
    found = []
    for boot in range(BOOTS):
        run = synthetic.run_of(boot)
        records = [
            synthetic.samples(
                run,
                f"cycle/{method}/shmem/4k/{size}",
                tuple(range(1000 + boot + number, 1000 + boot + number + SAMPLES)),
            )
            for number, method in enumerate(METHODS)
            for size in SIZES
        ]
        found += synthetic.stream(run, *records)
    return found


def test_parser(benchmark: BenchmarkFixture, lines: list[bytes]) -> None:
    recording = benchmark(lambda: record.collect(lines))
    assert len(recording.of(Samples)) == BOOTS * len(METHODS) * len(SIZES)


def test_statistics(benchmark: BenchmarkFixture, lines: list[bytes]) -> None:
    samples = record.collect(lines).of(Samples)

    def compared() -> int:
        timings = by_case(samples)
        return len(compare(timings, timings))

    assert benchmark(compared) == len(METHODS) * len(SIZES)


def test_verdicts(benchmark: BenchmarkFixture) -> None:
    logs = (0.001, 0.012, -0.01)

    def judged() -> int:
        look = Look(Estimate(logs), 0.001)
        return len(rule([Claim(0.02, look, look, look)] * 50))

    assert benchmark(judged) == 50


def test_chart(benchmark: BenchmarkFixture, lines: list[bytes], tmp_path: Path) -> None:
    with create(tmp_path / "r") as writer:
        for line in lines:
            writer.write(line)
    results = Results(tmp_path / "r")
    assert results.timings
    figure = benchmark.pedantic(chart.draw, args=(results, "cycle"), rounds=5, warmup_rounds=1)
    assert figure.axes


def test_call_through_cffi(benchmark: BenchmarkFixture) -> None:
    assert benchmark(lib.zapbench_event_name, 0)
