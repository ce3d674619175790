# SPDX-License-Identifier: GPL-2.0-only
"""What a report is made of: sections of blocks, that a template prints in its own way.

All text is plain; the templates escape it.
"""

from dataclasses import dataclass
from typing import NamedTuple

from zapbench import text
from zapbench.result.stats import Ratio


class Cell(NamedTuple):
    """One cell of a table: its text, what it sorts by if not that, and a word for its look."""

    text: str
    sort: float | None = None
    look: str = ""


@dataclass(frozen=True, slots=True)
class Text:
    """A paragraph."""

    text: str
    kind: str = "text"


@dataclass(frozen=True, slots=True)
class Bullets:
    """Lines that belong together."""

    items: tuple[str, ...]
    kind: str = "bullets"


@dataclass(frozen=True, slots=True)
class Heading:
    """A heading within a section."""

    text: str
    kind: str = "heading"


@dataclass(frozen=True, slots=True)
class Commands:
    """Lines for a shell."""

    lines: tuple[str, ...]
    kind: str = "commands"


@dataclass(frozen=True, slots=True)
class Grid:
    """A table; the first column names the row."""

    caption: str
    columns: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    kind: str = "grid"


@dataclass(frozen=True, slots=True)
class Picture:
    """A chart: the file next to the page, its title, and what it shows in words."""

    file: str
    title: str
    said: str
    svg: str
    kind: str = "picture"


Block = Text | Bullets | Heading | Commands | Grid | Picture


@dataclass(frozen=True, slots=True)
class Section:
    """A part of a report; ``name`` is its anchor."""

    name: str
    title: str
    blocks: tuple[Block, ...]


def cost(value: float | None, unit: str, *, look: str = "num") -> Cell:
    """A cell with a cost."""
    return Cell(text.full_cost(value, unit), None if value is None else text.rounded(value), look)


def ratio_cell(ratio: Ratio | None) -> Cell:
    """A cell with a ratio and its interval."""
    if ratio is None:
        return Cell(text.NONE, None, "num")
    return Cell(text.ratio(*ratio.interval, digits=3), text.rounded(ratio.value), "num")
