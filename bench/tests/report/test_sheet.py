# SPDX-License-Identifier: GPL-2.0-only
"""A report as comma-separated values."""

import csv
import io
from pathlib import Path

import synthetic
from drawn import FIGURES, written
from made_report import SHMEM

from zapbench import report


def test_csv_has_every_case_of_every_kernel(tmp_path: Path, results: Path) -> None:
    counted = written(tmp_path / "c", FIGURES, tier="icount", unit="instructions", kernel="=1+1")
    rows = list(csv.DictReader(io.StringIO(report.csv_text([results, counted]))))
    assert len(rows) == 2 * len(FIGURES)
    assert {row["case"] for row in rows} == set(FIGURES)
    assert {row["kernel"] for row in rows} == {synthetic.KERNEL, "'=1+1"}
    (row,) = (r for r in rows if r["case"] == f"cycle/remap/{SHMEM}" and r["unit"] == "ns")
    assert float(row["median"]) == 2500
    assert float(row["low"]) < 2500 < float(row["high"])
    assert int(row["page_size"]) == 4096
