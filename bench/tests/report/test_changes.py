# SPDX-License-Identifier: GPL-2.0-only
"""Costs over kernels."""

import json
from collections.abc import Mapping
from pathlib import Path

import pytest
from drawn import written
from made_report import SHMEM, answer, made

from zapbench import report


def over_kernels(tmp_path: Path, costs: Mapping[str, int]) -> list[Path]:
    return [
        written(
            tmp_path / kernel,
            {f"cycle/dontneed/{SHMEM}": (cost, cost, cost)},
            kernel=kernel,
            tier="icount",
            unit="instructions",
        )
        for kernel, cost in costs.items()
    ]


def test_history_finds_the_step_between_kernels(tmp_path: Path) -> None:
    kernels = over_kernels(tmp_path, {"7.2": 1141, "6.1": 1000, "6.12": 1001, "6.12+x": 5000})
    where = made(tmp_path, *kernels)
    page = (where / "index.html").read_text(encoding="utf-8")
    assert "Linux 6.1, 6.12 and 7.2 (icount)" in page  # oldest first, no patched ones
    assert "+14.0%" in page
    assert "1 step of 2% or more in 1 case; the greatest is +14.0%" in answer(where)
    assert report.check(where) is None


def test_given_history_is_shown_and_kept(tmp_path: Path, results: Path) -> None:
    given = {
        "measured": "nightly",
        "histories": [
            {
                "case": "zap/dontneed/shmem/4k/4k",
                "unit": "instructions",
                "points": [{"label": "aaa", "value": 100}, {"label": "bbb", "value": 120}],
                "steps": [{"label": "bbb", "ratio": 1.2}],
            }
        ],
    }
    (results / "steps.json").write_text(json.dumps(given))
    where = made(tmp_path, results)
    page = (where / "index.html").read_text(encoding="utf-8")
    assert "nightly" in page
    assert "+20.0%" in page
    assert report.check(where) is None
    given["histories"] = [{"case": "x"}]
    (results / "steps.json").write_text(json.dumps(given))
    with pytest.raises(Exception, match="no history"):
        made(tmp_path, results)
