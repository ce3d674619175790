# SPDX-License-Identifier: GPL-2.0-only
"""Verdicts of a gate in a report."""

import json
from pathlib import Path

from made_report import SHMEM, made

from zapbench import report


def test_verdicts_of_a_gate_are_shown_and_kept(tmp_path: Path, results: Path) -> None:
    check = {
        "verdict": "FAIL", "case": f"zap/madv_zap/{SHMEM}", "statistic": "p50", "limit": "+2 %",
        "head": 1234.56789, "change": None, "why": "slower by 3 %",
    }  # fmt: skip
    gate = {"v": 1, "status": "FAIL", "budgets": "/home/x/budgets.toml", "checks": [check]}
    (results / "verdict.json").write_text(json.dumps(gate))
    where = made(tmp_path, results)
    page = (where / "index.html").read_text(encoding="utf-8")
    assert "Verdicts of the gate" in page
    assert "slower by 3 %" in page
    assert "1235" in page
    assert "/home/x" not in (where / "gate-1.json").read_text()
    assert report.check(where) is None
