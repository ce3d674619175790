# SPDX-License-Identifier: GPL-2.0-only
"""A stream of made-up records."""

from collections.abc import Mapping
from pathlib import Path

import synthetic

CASE = "zap/dontneed/shmem/4k/4k"
RUN = synthetic.run_of()


def a_stream(boot: int = 0, values: tuple[int, ...] = (1, 2, 3)) -> list[bytes]:
    run = synthetic.run_of(boot)
    return synthetic.stream(run, synthetic.samples(run, CASE, values), synthetic.skip(run, "x"))


def skipped(directory: Path, reasons: Mapping[str, str]) -> Path:
    """A record file of four boots that skipped every case."""
    runs = map(synthetic.run_of, range(4))
    streams = [
        synthetic.stream(run, *(synthetic.skip(run, *skip) for skip in reasons.items()))
        for run in runs
    ]
    path = directory / "skips"
    path.write_bytes(b"".join(line for stream in streams for line in stream))
    return path
