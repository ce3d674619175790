# SPDX-License-Identifier: GPL-2.0-only
"""Counted and timed results with figures chosen for working out by hand."""

from collections.abc import Mapping
from pathlib import Path

import pytest
from drawn import written

from zapbench.result.bridge import Bridge, build_bridge
from zapbench.result.store import Results

PLACE = "shmem/4k/4k"
# Ratios to dontneed.  Ranks of the equivalent ones: overmap 1 and 1, remap 2 and 3,
# dontunmap 3 and 2.
COUNTED = {
    "dontneed": 1,
    "overmap": 1.5,
    "remap": 2,
    "dontunmap": 3,
    "punch_hole": 10,
    "madv_zap": 0.9,
}
TIMED = {
    "dontneed": 1,
    "overmap": 1.5,
    "remap": 2.2,
    "dontunmap": 2.1,
    "punch_hole": 20,
    "guard": 4,
}


def figures(
    ratios: Mapping[str, float], base: int, workload: str = "cycle"
) -> dict[str, tuple[int, ...]]:
    return {
        f"{workload}/{method}/{PLACE}": (round(base * ratio),) * 2
        for method, ratio in ratios.items()
    }


@pytest.fixture
def native(tmp_path: Path) -> Path:
    return written(tmp_path / "native", figures(TIMED, 1000))


@pytest.fixture
def icount(tmp_path: Path) -> Path:
    counted = figures(COUNTED, 4000)
    return written(tmp_path / "icount", counted, tier="icount", unit="instructions", kernel="6+z")


def bridge_of(native: Path, icount: Path, workload: str = "cycle") -> Bridge:
    return build_bridge(Results(native), Results(icount), workload)
