# SPDX-License-Identifier: GPL-2.0-only
"""How fast records are read and written: as ratios to the standard library's json and gzip."""

import gzip
import json
import random
import time
from collections.abc import Callable
from pathlib import Path

import pytest
import synthetic
from pytest_benchmark.fixture import BenchmarkFixture

from zapbench import record
from zapbench.record import Writer

CASE = "zap/dontneed/shmem/4k/4k"
SAMPLES, PER_RECORD = 1_000_000, 200


@pytest.fixture(scope="module")
def lines() -> list[bytes]:
    """One stream with a million samples, each of five digits."""
    draw = random.Random(1)
    run = synthetic.run_of()
    records = (
        synthetic.samples(run, CASE, tuple(draw.randint(10_000, 99_999) for _ in range(PER_RECORD)))
        for _ in range(SAMPLES // PER_RECORD)
    )
    return synthetic.stream(run, *records)


def seconds(call: Callable[[], object]) -> float:
    start = time.perf_counter()
    call()
    return time.perf_counter() - start


def test_a_million_samples_are_parsed_faster_than_by_json(
    benchmark: BenchmarkFixture, lines: list[bytes]
) -> None:
    recording = benchmark.pedantic(lambda: record.collect(lines), rounds=3)
    assert recording.truncated is None
    by_json = min(seconds(lambda: [json.loads(line) for line in lines]) for _ in range(3))
    benchmark.extra_info["seconds_per_million_samples"] = benchmark.stats["min"]
    benchmark.extra_info["ratio_to_json"] = benchmark.stats["min"] / by_json
    assert benchmark.stats["min"] < by_json


def test_reading_a_file_costs_little_more_than_decompressing_it(
    benchmark: BenchmarkFixture, lines: list[bytes], tmp_path: Path
) -> None:
    path = tmp_path / "records.jsonl.gz"
    with Writer(path) as writer:
        for line in lines:
            writer.write(line)
    recording = benchmark.pedantic(lambda: record.load(path), rounds=3)
    assert recording.truncated is None
    data = path.read_bytes()
    plain = min(
        seconds(lambda: record.collect(gzip.decompress(data).splitlines(keepends=True)))
        for _ in range(3)
    )
    benchmark.extra_info["seconds_per_million_samples"] = benchmark.stats["min"]
    benchmark.extra_info["ratio_to_gzip_and_parse"] = benchmark.stats["min"] / plain
    assert benchmark.stats["min"] < 1.5 * plain
