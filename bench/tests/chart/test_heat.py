# SPDX-License-Identifier: GPL-2.0-only
"""The heat map, read back from what was drawn."""

from pathlib import Path

from drawn import bars, written
from matplotlib.colors import to_rgba

from zapbench import chart
from zapbench.result.store import Results


def test_heat_map_colours_only_what_is_ranked(tmp_path: Path) -> None:
    figures = {
        "cycle/dontneed/shmem/4k/4k": (100, 100),
        "cycle/remap/shmem/4k/4k": (500, 500),
        "cycle/punch_hole/shmem/4k/4k": (900, 900),
    }
    figure = chart.draw(Results(written(tmp_path, figures)), "heat")
    (axes,) = figure.axes
    names = [label.get_text() for label in axes.get_yticklabels()]
    assert names == ["dontneed", "remap", "≠ punch_hole"]
    best, dear, other = (to_rgba(cell.get_facecolor()) for cell in bars(axes))
    assert best[0] > dear[0] > 0  # less red: more blue
    assert other[3] == 0  # no colour at all
    assert [text.get_text() for text in axes.texts] == ["100\n1×", "500\n5×", "900\n9×"]
