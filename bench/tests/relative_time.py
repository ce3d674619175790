# SPDX-License-Identifier: GPL-2.0-only
"""A timer whose second is that of a nominal machine, for baselines that travel.

`pytest -p relative_time --benchmark-timer=relative_time.now` measures in units of a loop of plain
Python that is timed once on this machine; on the nominal one it takes `NOMINAL` seconds.  So a
committed baseline holds ratios, a machine half as fast has the same figures, and what machine it
was is left out of the file.
"""

import time
from typing import Any

NOMINAL = 0.010
TURNS, ROUNDS = 100_000, 60


def _loop() -> float:
    """Seconds that the reference takes: arithmetic, a list and a dictionary, as parsers do."""
    start = time.perf_counter()
    seen: dict[int, list[int]] = {}
    for turn in range(TURNS):
        seen.setdefault(turn & 255, []).append(turn * 3 >> 1)
    return time.perf_counter() - start


_UNIT = NOMINAL / min(_loop() for _ in range(ROUNDS))


def now() -> float:
    """Like `time.perf_counter`, in seconds of the nominal machine."""
    return time.perf_counter() * _UNIT


def pytest_benchmark_update_machine_info(machine_info: dict[str, Any]) -> None:
    """Ratios are of no machine; pytest-benchmark would warn of another one."""
    machine_info.clear()


def pytest_benchmark_update_commit_info(commit_info: dict[str, Any]) -> None:
    """The file is committed: git knows."""
    commit_info.clear()


def pytest_benchmark_update_json(output_json: dict[str, Any]) -> None:
    """Leave out single rounds: only what they come down to is compared."""
    for benchmark in output_json["benchmarks"]:
        benchmark["stats"].pop("data", None)
