# SPDX-License-Identifier: GPL-2.0-only
"""How a comparison table looks."""

import textwrap
from collections.abc import Iterable

from rich.console import Console

from zapbench import text
from zapbench.case import CONTINUE, MINOR_FAULT
from zapbench.cli.output import console, grid, print_json
from zapbench.result.table import Remark, Row, Table

COLUMNS = ("method", "p50>", "p99>", "per page>", "ratio to best>", "boots>", "")
FAULT_COLUMNS = (
    *("method", "p50>", "p90>", "p99>", "p99.9>", "p99.99>", "max>", "faults/s>", "boots>", ""),
)
MAPPING_COLUMNS = (
    *("mapped by", "p50>", "p99>", "per page>", "pages/s>", "GiB/s>", "of populate>", "boots>", ""),
)
DIFFERENT = "≠ "
NAMES_WIDTH = 98


def print_table(table: Table, *, as_json: bool) -> None:
    """Print a table and all that stands beside it on standard output."""
    if as_json:
        print_json(table)
        return
    out = console()
    out.print(f"{table.kernel} ({table.tier}), one operation each, lower is better")
    for group in table.groups:
        out.print(f"\n{group.title}", style="bold")
        columns, cells = _LOOKS.get(group.workload, (COLUMNS, _cells))
        grid(columns, (cells(row, table.unit) for row in group.rows), out)
    out.print()
    _legend(table, out)
    _remarks("error", table.errors, out)
    _remarks("skipped", table.skipped, out)
    _remarks("excluded", table.excluded, out)
    if table.truncated:
        out.print(f"\nincomplete: {table.truncated}")


def _name(row: Row) -> str:
    return (DIFFERENT if row.differs is not None else "") + row.method


def _note(row: Row) -> str:
    words = [f"not equivalent: {row.differs}"] if row.differs is not None else []
    return ", ".join(words + ([row.note] if row.note else []))


def _ratio(row: Row) -> str:
    if row.best:
        return "best"
    return text.NONE if row.ratio is None else text.ratio(*row.ratio.interval)


def _cells(row: Row, unit: str) -> list[str]:
    return [
        _name(row),
        text.cost(row.p50, unit),
        text.cost(row.p99, unit),
        text.cost(row.per_page, unit),
        _ratio(row),
        str(row.boots),
        _note(row),
    ]


def _fault_cells(row: Row, unit: str) -> list[str]:
    tails = (row.p50, row.p90, row.p99, row.p999, row.p9999, row.maximum)
    return [
        _name(row),
        *(text.cost(value, unit) for value in tails),
        text.whole(row.rate),
        str(row.boots),
        _note(row),
    ]


def _mapping_cells(row: Row, unit: str) -> list[str]:
    rate, speed = row.pages_per_second, row.bytes_per_second
    return [
        _name(row),
        text.cost(row.p50, unit),
        text.cost(row.p99, unit),
        text.cost(row.per_page, unit),
        text.whole(rate),
        text.NONE if speed is None else text.three(speed / (1 << 30)),
        text.ratio(row.of_populate),
        str(row.boots),
        _note(row),
    ]


_LOOKS = {
    MINOR_FAULT: (FAULT_COLUMNS, _fault_cells),
    CONTINUE: (MAPPING_COLUMNS, _mapping_cells),
}


def _legend(table: Table, out: Console) -> None:
    rows = [row for group in table.groups for row in group.rows]
    if any(row.differs is not None for row in rows):
        out.print(f"{DIFFERENT}reaches another end state: not ranked, its ratio is for scale")
    if any(row.p99 is None or (row.rate and row.p9999 is None) for row in rows):
        out.print("p… —: fewer than ten samples lie beyond it; take more boots or samples")
    if any(row.of_populate is not None for row in rows):
        out.print("of populate: the rate as a fraction of MADV_POPULATE_READ's on a plain mapping")
    if any(row.rate is not None for row in rows):
        out.print("faults/s: of all threads together, stamps included; the median of the boots")
    ranked = [row for group in table.groups if group.workload not in _LOOKS for row in group.rows]
    if any(row.ratio is not None for row in ranked):
        out.print(
            "ratio: of the medians of the boots, with the 95 % interval of Welch's test on "
            "their logarithms"
        )
    out.print(
        f"harness: at most {text.share(table.harness)} of a median sample is the harness itself; "
        "it is taken off every figure"
    )


def _remarks(word: str, remarks: Iterable[Remark], out: Console) -> None:
    """List the cases without a figure by their reason."""
    for remark in remarks:
        out.print(f"\n{word}: {remark.reason}", style="bold")
        names = ", ".join(remark.cases)
        out.print(textwrap.indent(textwrap.fill(names, NAMES_WIDTH, break_on_hyphens=False), "  "))
