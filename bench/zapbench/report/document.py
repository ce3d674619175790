# SPDX-License-Identifier: GPL-2.0-only
"""What a report is made of: sections of blocks, that a template prints in its own way.

All text is plain; the templates escape it.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from zapbench.result.stats import Ratio

DIGITS = 4
"""Significant digits of every figure: what more there is depends on the libraries' versions."""
NONE = "—"
_TIMES = (("s", 1e9), ("ms", 1e6), ("µs", 1e3), ("ns", 1.0))
_COUNTS = (("G", 1e9), ("M", 1e6), ("k", 1e3), ("", 1.0))


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
    """A chart: the file beside the page, its title, and what it shows in words."""

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


def rounded(value: float) -> float:
    """A figure to `DIGITS` significant digits."""
    return float(f"{value:.{DIGITS}g}")


def _scaled(value: float, factor: float) -> str:
    scaled = rounded(value / factor)
    digits = DIGITS - 1 - math.floor(math.log10(scaled)) if scaled > 0 else 0
    return f"{scaled:.{min(max(digits, 0), DIGITS)}f}"


def figure(value: float | None, unit: str) -> str:
    """A cost in four digits: a time in its unit, or instructions with k, M or G."""
    if value is None:
        return NONE
    scale = _TIMES if unit == "ns" else _COUNTS
    smallest = scale[-1]
    name, factor = next(((n, f) for n, f in scale if rounded(value) >= f), smallest)
    return f"{_scaled(value, factor)} {name}".strip()


def between(low: float, high: float, unit: str, joint: str = " to ") -> str:
    """An interval; what both ends have in common stands once."""
    ends = [figure(low, unit), figure(high, unit)]
    scales = [end.partition(" ")[2] for end in ends]
    if scales[0] == scales[1]:
        ends[0] = ends[0].partition(" ")[0]
    return joint.join(ends)


def span(values: Sequence[float], form: Callable[[float], str]) -> str:
    """The least and the greatest of some values, as text; once if they look alike."""
    low, high = form(min(values)), form(max(values))
    return low if low == high else f"{low} to {high}"


def cost(value: float | None, unit: str, *, look: str = "num") -> Cell:
    """A cell with a cost."""
    return Cell(figure(value, unit), None if value is None else rounded(value), look)


def times(value: float) -> str:
    """A ratio in words: ``1.07×``."""
    return f"{value:.2f}×" if value < 99.5 else f"{value:.0f}×"


def ratio_cell(ratio: Ratio | None) -> Cell:
    """A cell with a ratio and its interval."""
    if ratio is None:
        return Cell(NONE, None, "num")
    text = f"{ratio.value:.3f}"
    if ratio.low is not None and ratio.high is not None:
        text += f" [{ratio.low:.3f}, {ratio.high:.3f}]"
    return Cell(text, rounded(ratio.value), "num")


def listed(words: Sequence[str], *, last: str = "and") -> str:
    """``a, b and c``."""
    if len(words) < 2:
        return "".join(words)
    return f"{', '.join(words[:-1])} {last} {words[-1]}"


def number(count: int, noun: str) -> str:
    """``1 boot``, ``3 boots``, ``2 processes``."""
    plural = f"{noun}es" if noun.endswith("s") else f"{noun}s"
    return f"{count:,} {noun if count == 1 else plural}"
