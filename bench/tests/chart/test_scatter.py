# SPDX-License-Identifier: GPL-2.0-only
"""The bridge as a picture, read back from what was drawn."""

from pathlib import Path

import pytest
from drawn import texts, xs, ys
from made_bridge import bridge_of

from zapbench import chart


def test_points_stand_where_their_ratios_are(native: Path, icount: Path) -> None:
    figure = chart.draw_bridge(bridge_of(native, icount))
    fair, every = figure.axes
    dots = {
        (round(xs(line)[0], 3), round(ys(line)[0], 3))
        for line in fair.lines
        if line.get_marker() == "o"
    }
    assert dots == {(1.5, 1.5), (2.0, 2.2), (3.0, 2.1)}
    (star,) = (line for line in fair.lines if line.get_marker() == "*")
    assert xs(star) == ys(star) == pytest.approx([0.9])
    assert not [line for line in every.lines if line.get_marker() == "*"]
    assert {axes.get_xscale() for axes in figure.axes} == {"log"}
    assert "dontunmap shmem 4k/4k" in texts(figure)


def test_a_bridge_drawn_twice_is_the_same(native: Path, icount: Path, tmp_path: Path) -> None:
    for name in ("a.svg", "b.svg"):
        chart.save(chart.draw_bridge(bridge_of(native, icount)), tmp_path / name)
    assert (tmp_path / "a.svg").read_bytes() == (tmp_path / "b.svg").read_bytes()
