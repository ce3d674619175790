# SPDX-License-Identifier: GPL-2.0-only
"""Made-up results, and what a chart of them shows, read back from what was drawn."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import synthetic
from matplotlib.axes import Axes
from matplotlib.figure import Figure, SubFigure
from matplotlib.lines import Line2D
from matplotlib.patches import Rectangle
from matplotlib.text import Text

from zapbench.record import Record, Unit
from zapbench.result.store import RECORDS

SMALL = "shmem/4k/4k"
HUGE = "hugetlb/2m/2m"
FIGURES = {
    f"cycle/dontneed/{SMALL}": (1000, 1010, 990),
    f"cycle/madv_zap/{SMALL}": (950, 960, 940),
    f"cycle/remap/{SMALL}": (2500, 2600, 2400),
    f"cycle/mprotect/{SMALL}": (500, 510, 490),
    f"cycle/punch_hole/{SMALL}": (90_000, 91_000, 89_000),
    f"cycle/dontneed/{HUGE}": (4000, 4010, 3990),
    f"cycle/remap/{HUGE}": (8000, 8100, 7900),
}


def written(
    directory: Path,
    figures: Mapping[str, Sequence[int]] = FIGURES,
    *more: Record,
    tier: str = "native",
    unit: Unit = "ns",
    kernel: str = synthetic.KERNEL,
) -> Path:
    """A result directory with one median a boot for each case; ``more`` goes into boot 0."""
    directory.mkdir(parents=True, exist_ok=True)
    lines: list[bytes] = []
    for boot in range(max(map(len, figures.values()), default=1)):
        run = synthetic.run_of(boot, kernel, tier)
        records = [
            synthetic.samples(run, case, (medians[boot],) * 3, unit=unit)
            for case, medians in figures.items()
        ]
        extra = more if boot == 0 else ()
        lines += synthetic.stream(run, *records, *extra, unit=unit)
    (directory / RECORDS).write_bytes(b"".join(lines))
    return directory


def xs(line: Line2D) -> list[float]:
    return [float(x) for x in np.asarray(line.get_xdata())]


def ys(line: Line2D) -> list[float]:
    return [float(y) for y in np.asarray(line.get_ydata())]


def bars(axes: Axes) -> list[Rectangle]:
    return [patch for patch in axes.patches if isinstance(patch, Rectangle)]


def texts(figure: Figure | SubFigure) -> list[str]:
    return [text.get_text() for text in figure.findobj(Text) if text.get_text().strip()]
