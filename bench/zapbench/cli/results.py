# SPDX-License-Identifier: GPL-2.0-only
"""How a comparison table looks."""

import textwrap
from collections.abc import Iterable

from rich.console import Console

from zapbench.cli.output import console, figure, grid, print_json, ratio_text
from zapbench.table import Remark, Row, Table

COLUMNS = ("method", "p50>", "p99>", "per page>", "ratio to best>", "boots>", "")
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
        grid(COLUMNS, (_cells(row, table.unit) for row in group.rows), out)
    out.print()
    _legend(table, out)
    _remarks("error", table.errors, out)
    _remarks("skipped", table.skipped, out)
    _remarks("excluded", table.excluded, out)
    if table.truncated:
        out.print(f"\nincomplete: {table.truncated}")


def _cells(row: Row, unit: str) -> list[str]:
    mark = DIFFERENT if row.differs is not None else ""
    return [
        mark + row.method,
        figure(row.p50, unit),
        figure(row.p99, unit),
        figure(row.per_page, unit),
        "best" if row.best else ratio_text(row.ratio),
        str(row.boots),
        f"not equivalent: {row.differs}" if row.differs is not None else "",
    ]


def _legend(table: Table, out: Console) -> None:
    rows = [row for group in table.groups for row in group.rows]
    if any(row.differs is not None for row in rows):
        out.print(f"{DIFFERENT}reaches another end state: not ranked, its ratio is for scale")
    if any(row.p99 is None for row in rows):
        out.print("p99 —: fewer than ten samples lie beyond it; take more boots or samples")
    if any(row.ratio is not None for row in rows):
        out.print(
            "ratio: of the medians of the boots, with the 95 % interval of Welch's test on "
            "their logarithms"
        )
    out.print(
        f"harness: at most {table.harness:.1%} of a median sample is the harness itself; "
        "it is taken off every figure"
    )


def _remarks(word: str, remarks: Iterable[Remark], out: Console) -> None:
    """List the cases without a figure by their reason."""
    for remark in remarks:
        out.print(f"\n{word}: {remark.reason}", style="bold")
        names = ", ".join(remark.cases)
        out.print(textwrap.indent(textwrap.fill(names, NAMES_WIDTH, break_on_hyphens=False), "  "))
