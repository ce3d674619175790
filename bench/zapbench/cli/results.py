# SPDX-License-Identifier: GPL-2.0-only
"""How a comparison table looks."""

import textwrap
from collections.abc import Callable, Iterable
from typing import NamedTuple

from rich.console import Console

from zapbench import text
from zapbench.case import view
from zapbench.cli.output import console, grid, print_json
from zapbench.result.table import TIER_NOTES, Group, Remark, Row, Table

DIFFERENT = "≠ "
NAMES_WIDTH = 98


def print_table(table: Table, *, as_json: bool) -> None:
    """Print a table and all that is next to it on standard output."""
    if as_json:
        print_json(table)
        return
    out = console()
    out.print(f"{table.kernel} ({table.tier}), one operation each, lower is better")
    for group in table.groups:
        out.print(f"\n{group.title}", style="bold")
        _print_group(group, table.unit, out)
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


def _speed(row: Row) -> str:
    speed = row.bytes_per_second
    return text.NONE if speed is None else text.three(speed / (1 << 30))


class Column(NamedTuple):
    """A column of a table: its heading, and the text of a row in the table's unit."""

    heading: str
    cell: Callable[[Row, str], str]


COLUMNS = {
    "p50": Column("p50>", lambda row, unit: text.cost(row.p50, unit)),
    "p90": Column("p90>", lambda row, unit: text.cost(row.p90, unit)),
    "p99": Column("p99>", lambda row, unit: text.cost(row.p99, unit)),
    "p999": Column("p99.9>", lambda row, unit: text.cost(row.p999, unit)),
    "p9999": Column("p99.99>", lambda row, unit: text.cost(row.p9999, unit)),
    "maximum": Column("max>", lambda row, unit: text.cost(row.maximum, unit)),
    "per_page": Column("per page>", lambda row, unit: text.cost(row.per_page, unit)),
    "ratio": Column("ratio to best>", lambda row, unit: _ratio(row)),
    "rate": Column("faults/s>", lambda row, unit: text.whole(row.rate)),
    "pages_per_second": Column("pages/s>", lambda row, unit: text.whole(row.pages_per_second)),
    "bytes_per_second": Column("GiB/s>", lambda row, unit: _speed(row)),
    "of_populate": Column("of populate>", lambda row, unit: text.ratio(row.of_populate)),
    "boots": Column("boots>", lambda row, unit: str(row.boots)),
}
"""The figures that a `zapbench.case.View` may have as its columns."""


def _print_group(group: Group, unit: str, out: Console) -> None:
    look = view(group.workload)
    columns = [
        Column(look.heading, lambda row, _: _name(row)),
        *(COLUMNS[name] for name in look.columns),
        Column("", lambda row, _: _note(row)),
    ]
    rows = ([column.cell(row, unit) for column in columns] for row in group.rows)
    grid([column.heading for column in columns], rows, out)


def _legend(table: Table, out: Console) -> None:
    screening(table.tier, out)
    rows = [row for group in table.groups for row in group.rows]
    if any(row.differs is not None for row in rows):
        out.print(f"{DIFFERENT}reaches another end state: not ranked, its ratio is for scale")
    if any(row.p99 is None or (row.rate and row.p9999 is None) for row in rows):
        out.print("p… —: fewer than ten samples lie beyond it; take more boots or samples")
    if any(row.of_populate is not None for row in rows):
        out.print("of populate: the rate as a fraction of MADV_POPULATE_READ's on a plain mapping")
    if any(row.rate is not None for row in rows):
        out.print("faults/s: of all threads together, stamps included; the median of the boots")
    ranked = [group for group in table.groups if "ratio" in view(group.workload).columns]
    if any(row.ratio is not None for group in ranked for row in group.rows):
        out.print(
            "ratio: of the medians of the boots, with the 95 % interval of Welch's test on "
            "their logarithms"
        )
    out.print(
        f"harness: at most {text.share(table.harness)} of a median sample is the harness itself; "
        "it is taken off every figure"
    )


def screening(tier: str, out: Console) -> None:
    """Say of figures that are no real times that they are none."""
    if tier == "tcg":
        out.print(f"{tier}: {TIER_NOTES[tier]}")


def _remarks(word: str, remarks: Iterable[Remark], out: Console) -> None:
    """List the cases without a figure by their reason."""
    for remark in remarks:
        out.print(f"\n{word}: {remark.reason}", style="bold")
        names = text.some(remark.cases)
        out.print(textwrap.indent(textwrap.fill(names, NAMES_WIDTH, break_on_hyphens=False), "  "))
