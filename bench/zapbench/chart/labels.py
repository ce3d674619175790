# SPDX-License-Identifier: GPL-2.0-only
"""Names in a column next to a panel, each with a line to the point that it belongs to."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from matplotlib.axes import Axes

from zapbench.chart.palette import GREY, Paint


class Label(NamedTuple):
    """A text for the point (``x``, ``y``) of a panel; ``paint`` is that of both, if it has one."""

    y: float
    x: float
    text: str
    paint: Paint | None = None
    weight: str = "normal"


def draw_labels(
    axes: Axes,
    labels: Sequence[Label],
    gap: float,
    *,
    column: float = 1.06,
    high: float = 1.0,
    line: Mapping[str, Any] = GREY.look,
) -> None:
    """Write labels in the order of their points.

    ``column`` is where they begin, in widths of the panel; they are ``gap`` apart and end at
    ``high``, in its heights.  ``line`` is how lines to points without a paint look.
    """
    ordered = sorted(labels, key=lambda label: label[:3])
    heights = spread(list(_heights(axes, ordered)), gap, 0, high)
    for label, height in zip(ordered, heights, strict=True):
        look = label.paint.look if label.paint is not None else {}
        axes.annotate(
            label.text,
            (label.x, label.y),
            (column, height),
            textcoords="axes fraction",
            size=6.5,
            va="center",
            weight=label.weight,
            annotation_clip=False,
            arrowprops={"arrowstyle": "-", "lw": 0.4, "relpos": (0, 0.5), **(look or line)},
            **look,
        )


def _heights(axes: Axes, labels: Sequence[Label]) -> Iterator[float]:
    low, high = axes.get_ylim()
    for label in labels:
        if axes.get_yscale() == "log":
            yield float(np.log(label.y / low) / np.log(high / low))
        else:
            yield (label.y - low) / (high - low)


def spread(heights: Sequence[float], gap: float, low: float, high: float) -> list[float]:
    """Ascending heights moved as little as puts ``gap`` between them, and within the bounds.

    Least squares: height i less i gaps must not fall, so neighbours that would are pooled at
    their mean (M. Ayer et al., The Annals of Mathematical Statistics 26, 1955).  Too many for
    the room go on beyond ``high``.
    """
    pools: list[tuple[float, int]] = []  # sum and number
    for index, height in enumerate(heights):
        total, number = height - index * gap, 1
        while pools and pools[-1][0] * number > total * pools[-1][1]:
            before = pools.pop()
            total, number = total + before[0], number + before[1]
        pools.append((total, number))
    starts = [total / number for total, number in pools for _ in range(number)]
    highest = max(low, high - (len(heights) - 1) * gap)
    return [min(max(start, low), highest) + index * gap for index, start in enumerate(starts)]
