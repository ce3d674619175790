# SPDX-License-Identifier: GPL-2.0-only
"""Where instructions go, by call path: a flame graph, or one that sets two kernels side by side.

The form is that of B. Gregg, "The Flame Graph", Communications of the ACM 59(6), 2016.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from zapbench import text
from zapbench.chart.palette import BAND, BLUE, INK, PAPER, SKY, VERMILION
from zapbench.chart.sheet import Sheet
from zapbench.error import UsageError

WIDTH, ROW = 9.0, 0.2  # inches
LEAST = 1 / 1000
"""Frames of less than this share of the whole are too narrow to see."""
LETTER = 0.068  # inches, of a label
PALEST = 0.2
"""The opacity of a frame that differs by next to nothing."""


class Cost(NamedTuple):
    """Instructions of one operation; ``base`` is None where there is one kernel only."""

    head: float
    base: float | None = None


@dataclass(slots=True)
class Frame:
    """A function where it was called: its own cost and what it calls."""

    name: str
    head: float = 0.0
    base: float = 0.0
    own: float = 0.0  # of either side, the greater
    called: "dict[str, Frame]" = field(default_factory=dict)

    @property
    def width(self) -> float:
        """What it is drawn as wide as: what is gone is seen, too."""
        return self.own + sum(each.width for each in self.called.values())

    @property
    def depth(self) -> int:
        """Frames from it to the top, itself included."""
        return 1 + max((each.depth for each in self.called.values()), default=0)


def tree(paths: Mapping[tuple[str, ...], Cost]) -> Frame:
    """All paths, outermost function first, below one frame."""
    root = Frame("all")
    for path, cost in paths.items():
        frame = root
        _add(frame, cost)
        for name in path:
            frame = frame.called.setdefault(name, Frame(name))
            _add(frame, cost)
        frame.own += max(cost.head, cost.base or 0.0)
    return root


def _add(frame: Frame, cost: Cost) -> None:
    frame.head += cost.head
    frame.base += cost.base or 0.0


def draw_flame(paths: Mapping[tuple[str, ...], Cost], title: str, said: str) -> Figure:
    """A frame for each function of each path, callers below, as wide as it costs.

    With two kernels it is as wide as it costs on the one where that is more: red grew, blue
    shrank, and the stronger the colour, the greater is its share of what changed.

    Raises:
        UsageError: nothing was counted.
    """
    root = tree(paths)
    if root.width <= 0:
        raise UsageError("there are no instructions to draw")
    compared = any(cost.base is not None for cost in paths.values())
    sheet = Sheet(1, 1, WIDTH, ROW * root.depth, left=0.1, right=0.1, above=0.1, below=0.1)
    figure = sheet.figure(title, f"{said}{DIFFERENT if compared else ''}")
    axes = sheet.axes(figure, 0)
    axes.set(xlim=(0, root.width), ylim=(0, root.depth))
    axes.set_axis_off()
    frames = list(_placed(root))
    most = max(abs(frame.head - frame.base) for frame, *_ in frames)
    drawing = _Drawing(axes, root.width, most if compared else None)
    for frame, x, y in frames:
        if frame.width >= LEAST * root.width:
            drawing.add(frame, x, y)
    return figure


DIFFERENT = "; as wide as where it costs more; red: costs more than before, blue: less"


def _placed(frame: Frame, x: float = 0.0, y: int = 0) -> Iterator[tuple[Frame, float, int]]:
    """Each frame with its place, callers first; what one calls is in the order of the names."""
    yield frame, x, y
    for _, each in sorted(frame.called.items()):
        yield from _placed(each, x, y + 1)
        x += each.width


@dataclass(frozen=True, slots=True)
class _Drawing:
    """``most`` is the greatest change of a frame; None: there is one kernel only."""

    axes: Axes
    width: float
    most: float | None

    def add(self, frame: Frame, x: float, y: int) -> None:
        """Draw a frame, with as much of its name as it is wide."""
        paint, opacity = SKY, 0.6
        label = f"{frame.name}: {text.tenths(frame.head)}"
        if self.most is not None:
            change = frame.head - frame.base
            paint, opacity = (VERMILION if change > 0 else BLUE) if change else BAND, 1.0
            if change:
                opacity = PALEST + (1 - PALEST) * abs(change) / self.most
            label = f"{frame.name}: {text.tenths(frame.base)} to {text.tenths(frame.head)}"
        label += f" instructions, {text.share(frame.width / self.width, 1)} of all"
        box = Rectangle(
            (x, y),
            frame.width,
            1,
            facecolor=paint.light,
            edgecolor=PAPER.light,
            linewidth=0.6,
            alpha=opacity,
            gid=f"fill-{paint.name} stroke-{PAPER.name}|{label}",
        )
        self.axes.add_patch(box)
        letters = int(WIDTH * frame.width / self.width / LETTER)
        if letters >= 3:
            name = frame.name if len(frame.name) <= letters else f"{frame.name[: letters - 1]}…"
            self.axes.text(x, y + 0.5, f" {name}", size=7, va="center", **INK.look)
