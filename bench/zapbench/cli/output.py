# SPDX-License-Identifier: GPL-2.0-only
"""What the commands print: tables on a terminal, aligned plain text elsewhere, or JSON."""

import json
import sys
from collections.abc import Iterable, Sequence
from dataclasses import fields
from typing import IO, Any

import click
from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from zapbench.case import Case

PLAIN_WIDTH = 240  # lines of a file may be longer than a terminal is wide

json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON instead of text.")


def console(file: IO[str] | None = None) -> Console:
    """A console that adapts to a terminal and writes plain wide lines elsewhere."""
    stream = file or sys.stdout
    width = None if stream.isatty() else PLAIN_WIDTH
    return Console(file=stream, width=width, highlight=False, markup=False)


class Kept:
    """What shows again what a command has kept, if that could not be printed; empty: nothing."""

    shown_by = ""


def kept(command: str) -> None:
    """Say which command shows what this one has kept."""
    holder = click.get_current_context().find_object(Kept)
    if holder is not None:
        holder.shown_by = command


def note(message: str) -> None:
    """One line on standard error: a warning, or what goes on."""
    sys.stderr.write(f"zapbench: {' '.join(message.split())}\n")


def say(answer: object) -> None:
    """What a command answers, a line or more, on standard output."""
    text = str(answer)
    sys.stdout.write(text if text.endswith("\n") else f"{text}\n")
    sys.stdout.flush()


def print_json(data: Any) -> None:
    """Anything made of dataclasses and JSON types, in ASCII: the same in each encoding."""
    say(json.dumps(data, default=_plain, indent=1))


def _plain(each: Any) -> Any:
    """What JSON has no type for: a case goes by its name, all else by its fields."""
    if isinstance(each, Case):
        return str(each)
    return {field.name: getattr(each, field.name) for field in fields(each)}


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
