# SPDX-License-Identifier: GPL-2.0-only
"""Colours and their roles."""

from matplotlib.figure import Figure

from zapbench.chart.palette import BLUE, CURVES, PAINTS, VERMILION, add_legend


def test_each_role_has_a_name_of_its_own() -> None:
    assert len({paint.name for paint in PAINTS}) == len(PAINTS)


def test_curves_are_told_apart_on_light_and_on_dark_paper() -> None:
    assert len({paint.light for paint in CURVES}) == len(CURVES)
    assert len({paint.dark or paint.light for paint in CURVES}) == len(CURVES)


def test_a_legend_has_the_roles_of_what_it_explains() -> None:
    axes = Figure().subplots()
    handles = [axes.plot([0, 1], [0, 1], **paint.look)[0] for paint in (BLUE, VERMILION)]
    add_legend(axes, handles)
    legend = axes.get_legend()
    assert legend is not None
    copies = [copy.get_gid() for copy in legend.legend_handles if copy is not None]
    assert copies == ["fill-blue stroke-blue", "fill-vermilion stroke-vermilion"]
