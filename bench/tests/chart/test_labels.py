# SPDX-License-Identifier: GPL-2.0-only
"""Names next to a panel: apart, in the order of their points, in the colour of their curve."""

import itertools

import pytest
from matplotlib.colors import to_hex
from matplotlib.figure import Figure
from matplotlib.text import Annotation

from zapbench.chart.labels import Label, draw_labels, spread
from zapbench.chart.palette import GREY, VERMILION


def test_labels_move_apart_as_little_as_needed() -> None:
    assert spread([0.1, 0.5, 0.9], 0.05, 0, 1) == pytest.approx([0.1, 0.5, 0.9])
    assert spread([0.5, 0.5], 0.1, 0, 1) == pytest.approx([0.45, 0.55])
    assert spread([0.0, 0.01, 0.9], 0.1, 0, 1) == pytest.approx([0.0, 0.1, 0.9])
    assert spread([0.99, 1.0], 0.1, 0, 1) == pytest.approx([0.9, 1.0])
    crowd = spread([0.5] * 30, 0.1, 0, 1)
    assert crowd[0] == 0
    assert {round(b - a, 9) for a, b in itertools.pairwise(crowd)} == {0.1}


def test_a_label_is_painted_as_its_curve_and_its_leader_goes_to_the_point() -> None:
    axes = Figure().subplots()
    axes.set_ylim(0, 10)
    draw_labels(axes, [Label(8, 1, "plain"), Label(2, 3, "red", VERMILION, "bold")], 0.1)
    red, plain = (text for text in axes.texts if isinstance(text, Annotation))
    assert (red.get_text(), red.xy) == ("red", (3, 2))
    assert red.get_gid() == VERMILION.look["gid"]
    for label, color in ((red, VERMILION.light), (plain, GREY.light)):
        assert label.arrow_patch is not None
        assert to_hex(label.arrow_patch.get_edgecolor()) == color.lower()
    assert plain.get_gid() is None
    assert red.xyann[1] == pytest.approx(0.2)
    assert plain.xyann[1] == pytest.approx(0.8)
