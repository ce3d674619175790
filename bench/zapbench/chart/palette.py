# SPDX-License-Identifier: GPL-2.0-only
"""Colours and their roles in an SVG, and what every chart says about how its figures were made.

The colours are those of M. Okabe and K. Ito, "Color Universal Design" (2008): told apart with
any kind of colour vision.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure


class Paint(NamedTuple):
    """A colour on light paper and, unless it stays, on dark; its properties draw an artist in it.

    The gid is the role: classes of areas and text and of lines, fill-NAME stroke-NAME.
    """

    name: str
    light: str
    dark: str = ""

    @property
    def look(self) -> dict[str, Any]:
        """All of the colour."""
        return {"color": self.light, "gid": f"fill-{self.name} stroke-{self.name}"}

    @property
    def outline(self) -> dict[str, Any]:
        """A patch's edge; a face that is given besides is the same on dark paper."""
        return {"facecolor": "none", "edgecolor": self.light, "gid": f"stroke-{self.name}"}

    @property
    def hollow(self) -> dict[str, Any]:
        """A marker's edge, which hides what it lies on."""
        return {"mfc": PAPER.light, "mec": self.light, "gid": f"fill-paper stroke-{self.name}"}


BLUE = Paint("blue", "#0072B2", "#4aa3e0")
GREY = Paint("grey", "#555555", "#b0b0b0")
SKY = Paint("sky", "#56B4E9", "#2f7fae")
VERMILION = Paint("vermilion", "#D55E00", "#ff8a3d")
BAND = Paint("band", "#EEEEEE", "#2c3036")
LEADER = Paint("leader", "#999999", "#8a8a8a")
INK = Paint("ink", "#000000", "#e6e6e6")
PAPER = Paint("paper", "#ffffff", "#16181b")
BLACK = Paint("black", "#000000")
WHITE = Paint("white", "#ffffff")
_OTHERS = (Paint("green", "#009E73"), Paint("purple", "#CC79A7"), Paint("orange", "#E69F00"))
CURVES = (BLUE, VERMILION, SKY, GREY, *_OTHERS, INK)
PAINTS = (*CURVES, BAND, LEADER, PAPER, BLACK, WHITE)


def add_legend(owner: Axes | Figure, handles: Sequence[Artist], **look: Any) -> None:
    """A legend without a frame; matplotlib's copies of the handles lack their roles."""
    legend = owner.legend(handles=handles, frameon=False, **look)
    for copy, handle in zip(legend.legend_handles, handles, strict=True):
        if copy is not None:
            copy.set_gid(handle.get_gid())
