# SPDX-License-Identifier: GPL-2.0-only
"""Panels in rows and columns, and the lines above them."""

import textwrap
from dataclasses import dataclass

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from zapbench import text
from zapbench.chart.palette import GREY
from zapbench.kernel.words import short
from zapbench.result.store import Results
from zapbench.result.table import TIER_NOTES


@dataclass(frozen=True, slots=True)
class Sheet:
    """``panels`` of ``width`` x ``height`` in ``columns``, all lengths in inches.

    Around each panel are ``left``, ``right``, ``above`` and ``below``; ``head`` is for the title.
    """

    panels: int
    columns: int
    width: float
    height: float
    left: float
    right: float = 0.2
    above: float = 0.3
    below: float = 0.5
    head: float = 0.55

    @property
    def size(self) -> tuple[float, float]:
        """Width and height of the whole, wide enough for a title."""
        columns = min(self.columns, self.panels)
        rows = -(-self.panels // columns)
        wide = columns * (self.left + self.width + self.right)
        return max(wide, 6.4), self.head + rows * (self.above + self.height + self.below)

    def figure(self, title: str, said: str) -> Figure:
        """An empty sheet with its title and the line below it."""
        figure = Figure(figsize=self.size)
        width, height = self.size
        figure.text(
            0.1 / width, 1 - 0.08 / height, title, size=11, weight="bold", va="top", wrap=False
        )
        wrapped = textwrap.fill(said, int(width * 15.3))
        figure.text(0.1 / width, 1 - 0.3 / height, wrapped, size=8, va="top", **GREY.look)
        return figure

    def axes(self, figure: Figure, index: int) -> Axes:
        """Panel number ``index``, from the top left."""
        row, column = divmod(index, min(self.columns, self.panels))
        width, height = self.size
        x = column * (self.left + self.width + self.right) + self.left
        y = height - self.head - row * (self.above + self.height + self.below)
        box = (x, y - self.above - self.height, self.width, self.height)
        return figure.add_axes((box[0] / width, box[1] / height, box[2] / width, box[3] / height))


def where(results: Results) -> str:
    """What was measured, how and how often: the line below a title."""
    many = text.number(results.boots, "process" if results.tier == "native" else "boot")
    note = TIER_NOTES.get(results.tier, results.tier)
    return f"Linux {short(results.kernel)}; {results.tier}: {note}; {many}"
