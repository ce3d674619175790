# SPDX-License-Identifier: GPL-2.0-only
"""Record what `bench_gate_native.py` resamples: many native processes, some with a planted cost.

    nice -n -5 .venv/bin/python bench/tests/record_native.py [PROCESSES]

Run it on a machine that does nothing else; 120 processes of each of three kinds take about ten
minutes.  The kinds take turns.  What is kept of a process and case are its median and a few of
its samples, evenly taken, in nanoseconds an operation.
"""

import gzip
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from core import CBENCH, sources
from limits import seconds
from places import TESTS

from zapbench.boot import shuffled
from zapbench.record import Samples, collect
from zapbench.result import stats
from zapbench.target import Job, Native

DATA = TESTS / "data/native-medians.json.gz"
KINDS = (0, 10, 20)
"""Percent that the timed calls are slower."""
CASES = tuple(
    f"zap/{method}/shmem/4k/{size}"
    for method in ("dontneed", "remap", "overmap", "dontunmap")
    for size in ("4k", "64k", "2m")
)
KEPT = 10
"""Samples kept of each process and case, next to the median."""


def build(directory: Path) -> Path:
    """The guest program with a cost planted into what is timed."""
    program = directory / "planted"
    subprocess.run(
        [
            *("gcc", "-std=gnu11", "-O2", "-D_GNU_SOURCE", '-DZAPBENCH_VERSION="planted"'),
            *("-static", "-pthread", "-Wl,--wrap=run_ops", "-o", str(program)),
            f"-I{CBENCH}",
            *sources(),
            str(TESTS / "plant.c"),
        ],
        check=True,
        timeout=seconds(120),
    )
    return program


def process(program: Path, percent: int, number: int) -> dict[str, list[float]]:
    """One process: of each case its median, then the samples kept."""
    os.environ["PLANT_PERCENT"] = str(percent)
    order = tuple(shuffled(CASES, 1, number))
    job = Job(order, "running", "native", boot=number, seed=1, samples=200, max_seconds=0.05)
    found = {}
    for record in collect(Native(program).run(job)).of(Samples):
        one = stats.per_operation(record)
        step = max(1, len(record.values or ()) // KEPT)
        share = record.ops_per_sample
        raw = [max(value - record.empty, 0) / share for value in (record.values or ())[::step]]
        found[record.case] = [round(value, 1) for value in (one.quantile(0.5), *raw[:KEPT])]
    if set(found) != set(CASES):
        raise SystemExit(f"no figure for {', '.join(sorted(set(CASES) - set(found)))}")
    return found


def main(processes: int, path: Path) -> None:
    """Record, and write the file."""
    kinds: dict[int, list[dict[str, list[float]]]] = {percent: [] for percent in KINDS}
    with tempfile.TemporaryDirectory() as scratch:
        program = build(Path(scratch))
        for number in range(processes):
            for percent in KINDS if number % 2 == 0 else reversed(KINDS):
                kinds[percent].append(process(program, percent, number))
            print(f"{number + 1} of {processes}", end="\r", file=sys.stderr)  # noqa: T201
    data = {
        "v": 1,
        "cpu": next(
            line.partition(":")[2].strip()
            for line in Path("/proc/cpuinfo").read_text().splitlines()
            if line.startswith("model name")
        ),
        "kernel": os.uname().release,
        "cases": CASES,
        "processes": {
            str(percent): [[each[case] for case in CASES] for each in kept]
            for percent, kept in kinds.items()
        },
    }
    text = json.dumps(data, separators=(",", ":")).encode()
    path.write_bytes(gzip.compress(text, 9, mtime=0))
    print(f"\n{path}: {path.stat().st_size >> 10} KiB", file=sys.stderr)  # noqa: T201


if __name__ == "__main__":
    main(
        int(sys.argv[1]) if len(sys.argv) > 1 else 120,
        Path(sys.argv[2]) if len(sys.argv) > 2 else DATA,
    )
