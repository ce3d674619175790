# SPDX-License-Identifier: GPL-2.0-only
"""What the commands print: tables on a terminal, aligned plain text elsewhere, or JSON."""

import json
import sys
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from typing import IO, Any

import click
from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from zapbench.result.stats import Ratio

PLAIN_WIDTH = 240  # lines of a file may be longer than a terminal is wide
_TIME_UNITS = (("s", 1e9), ("ms", 1e6), ("µs", 1e3), ("ns", 1.0))

json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON instead of text.")


def console(file: IO[str] | None = None) -> Console:
    """A console that adapts to a terminal and writes plain wide lines elsewhere."""
    stream = file or sys.stdout
    width = None if stream.isatty() else PLAIN_WIDTH
    return Console(file=stream, width=width, highlight=False, markup=False)


def note(message: str) -> None:
    """One line on standard error: a warning, or what goes on."""
    click.echo(f"zapbench: {' '.join(message.split())}", err=True)


def print_json(data: Any) -> None:
    """Anything made of dataclasses and JSON types, on standard output."""
    click.echo(json.dumps(data, default=asdict, ensure_ascii=False, indent=1))


def grid(columns: Sequence[str], rows: Iterable[Sequence[str | Text]], out: Console) -> None:
    """Print a table; a column whose name ends in ``>`` is aligned to the right."""
    table = Table(
        box=box.SIMPLE_HEAD if out.is_terminal else None,
        pad_edge=False,
        show_edge=False,
        header_style="bold",
    )
    for column in columns:
        right = column.endswith(">")
        table.add_column(column.rstrip(">"), justify="right" if right else "left", no_wrap=right)
    for row in rows:
        table.add_row(*row)
    out.print(table)


def figure(value: float | None, unit: str) -> str:
    """A time with three digits and its unit, or a count of instructions; — if None."""
    if value is None:
        return "—"
    if unit != "ns":
        return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"
    name, factor = next(((n, f) for n, f in _TIME_UNITS if value >= f * 0.9995), _TIME_UNITS[-1])
    scaled = value / factor
    digits = 2 if scaled < 9.995 else 1 if scaled < 99.95 else 0
    return f"{scaled:.{digits}f} {name}"


def ratio_text(ratio: Ratio | None) -> str:
    """A ratio with its interval where there is one; — if None."""
    if ratio is None:
        return "—"
    if ratio.low is None or ratio.high is None:
        return f"{ratio.value:.2f}"
    return f"{ratio.value:.2f} [{ratio.low:.2f}, {ratio.high:.2f}]"
