# SPDX-License-Identifier: GPL-2.0-only
"""Flame graphs, read back from what was drawn."""

import xml.etree.ElementTree as ET
from collections.abc import Mapping
from pathlib import Path

import pytest
from matplotlib.axes import Axes
from matplotlib.patches import Rectangle

from zapbench import chart
from zapbench.chart.flame import Cost, tree
from zapbench.chart.palette import BAND, BLUE, VERMILION
from zapbench.error import UsageError

ENTRY, CALL = "entry", "do_madvise"
ALONE = {
    (ENTRY,): Cost(10),
    (ENTRY, CALL): Cost(30),
    (ENTRY, CALL, "zap"): Cost(50),
    (ENTRY, CALL, "flush"): Cost(10),
}
PAIR = {
    (ENTRY,): Cost(10, 10),
    (ENTRY, CALL, "zap"): Cost(70, 50),
    (ENTRY, CALL, "gone"): Cost(0, 20),
    (ENTRY, CALL, "new"): Cost(20, 0),
}


def drawn(paths: Mapping[tuple[str, ...], Cost]) -> Axes:
    (axes,) = chart.draw_calls(paths, "title", "said").axes
    return axes


def boxes(axes: Axes) -> dict[str, Rectangle]:
    """By name, which is what a pointer shows first."""
    found = [patch for patch in axes.patches if isinstance(patch, Rectangle)]
    return {str(box.get_gid()).partition("|")[2].partition(":")[0]: box for box in found}


def test_a_frame_is_as_wide_as_it_costs_and_above_its_caller() -> None:
    found = boxes(drawn(ALONE))
    widths = {name: (box.get_width(), box.get_y()) for name, box in found.items()}
    assert widths == {
        "all": (100, 0),
        ENTRY: (100, 1),
        CALL: (90, 2),
        "flush": (10, 3),
        "zap": (50, 3),
    }
    assert (found["flush"].get_x(), found["zap"].get_x()) == (0, 10)


def test_what_grew_is_red_what_shrank_or_went_is_blue_and_as_wide_as_it_was() -> None:
    found = boxes(drawn(PAIR))
    colours = {name: box.get_facecolor() for name, box in found.items()}
    red, blue, plain = (
        Rectangle((0, 0), 1, 1, facecolor=paint.light).get_facecolor()[:3]
        for paint in (VERMILION, BLUE, BAND)
    )
    assert {name for name, colour in colours.items() if colour[:3] == red} == {
        "all",
        ENTRY,
        CALL,
        "zap",
        "new",
    }
    assert {name for name, colour in colours.items() if colour[:3] == blue} == {"gone"}
    assert found["gone"].get_width() == 20
    assert found["all"].get_width() == 120
    unchanged = boxes(drawn({(ENTRY,): Cost(10, 10)}))
    assert unchanged[ENTRY].get_facecolor()[:3] == plain


def test_nothing_counted_is_no_picture() -> None:
    with pytest.raises(UsageError, match="no instructions"):
        chart.draw_calls({}, "title", "said")


def test_frames_too_narrow_to_see_are_left_out_but_counted() -> None:
    narrow = {**ALONE, (ENTRY, "tiny"): Cost(0.01)}
    assert tree(narrow).head == pytest.approx(100.01)
    assert "tiny" not in boxes(drawn(narrow))


def test_foreign_names_are_data_in_the_file(tmp_path: Path) -> None:
    name = '<script>"&|'
    figure = chart.draw_calls({(name,): Cost(100.0)}, "title", "said")
    chart.save(figure, tmp_path / "f.svg")
    titles = [
        each.text for each in ET.parse(tmp_path / "f.svg").iter("{http://www.w3.org/2000/svg}title")
    ]
    assert any(title is not None and title.startswith('<script>"&|: 100.0') for title in titles)
