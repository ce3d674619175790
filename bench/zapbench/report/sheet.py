# SPDX-License-Identifier: GPL-2.0-only
"""Every case of every group as comma-separated values, for spreadsheets."""

import csv
import io
from collections.abc import Sequence
from pathlib import Path

from zapbench import text
from zapbench.report.source import read
from zapbench.report.study import Group, study
from zapbench.result.table import Row

COLUMNS = (
    "kernel", "tier", "machine", "unit", "case", "workload", "method", "backing", "page_size",
    "range_size", "axes", "boots", "samples", "median", "low", "high", "p90", "p99", "p999",
    "per_page", "best", "ratio_to_best", "ratio_low", "ratio_high", "differs",
)  # fmt: skip


def csv_text(directories: Sequence[Path]) -> str:
    """One line a case; sizes in bytes, costs per operation in the unit next to them.

    Raises:
        UsageError: a directory is none.
        SchemaError: a record file is damaged.
    """
    made = io.StringIO()
    writer = csv.writer(made, lineterminator="\n")
    writer.writerow(COLUMNS)
    for group in study(read(directories, "")).groups:
        for part in group.results.table.groups:
            writer.writerows(_values(group, row) for row in part.rows)
    return made.getvalue()


def _values(group: Group, row: Row) -> list[str | float | int | None]:
    case, each = row.case, group.timings[row.case]
    low, high = each.interval or (None, None)
    tails = [each.pooled.tail(q) for q in (0.9, 0.99, 0.999)]
    between = row.ratio.interval if row.ratio is not None else (None, None, None)
    named = [_text(name) for name in (group.kernel, group.tier, group.machine)]
    axes = " ".join(f"{key}={value}" for key, value in case.axes)
    return [
        *named, group.unit, str(case), case.workload, case.method, case.backing, case.page_size,
        case.range_size, axes, row.boots, row.samples,
        *map(_number, (row.p50, low, high, *tails, row.per_page)),
        int(row.best), *map(_number, between), row.differs or "",
    ]  # fmt: skip


def _number(value: float | None) -> float | None:
    return None if value is None else text.rounded(value)


def _text(name: str) -> str:
    """A name that no spreadsheet takes for a formula."""
    return f"'{name}" if name[:1] in ("=", "+", "-", "@", "\t") else name
