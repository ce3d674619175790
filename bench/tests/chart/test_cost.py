# SPDX-License-Identifier: GPL-2.0-only
"""Charts are read back from what was drawn; all figures here are made up."""

import itertools
from pathlib import Path

import pytest
import synthetic
from drawn import FIGURES, SMALL, bars, texts, written, xs, ys
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.text import Text

from zapbench import chart
from zapbench.chart.cost import CUT
from zapbench.chart.palette import PAPER
from zapbench.record import Unit, decode
from zapbench.result.stats import interval
from zapbench.result.store import RECORDS, Results
from zapbench.result.table import TIER_NOTES


def panels(figure: Figure) -> dict[str, Axes]:
    return {axes.get_title(loc="left"): axes for axes in figure.axes if axes.get_title(loc="left")}


def methods_of(axes: Axes) -> list[str]:
    return [label.get_text() for label in axes.get_yticklabels()]


def row(axes: Axes, name: str) -> int:
    return methods_of(axes).index(name)


def widths(axes: Axes) -> dict[str, float]:
    names = methods_of(axes.figure.axes[0])  # the names are on the left only
    return {names[round(bar.get_y() + bar.get_height() / 2)]: bar.get_width() for bar in bars(axes)}


def small(figure: Figure) -> Axes:
    return panels(figure)["shmem, 4k pages, 4k range"]


def test_bars_start_at_zero_and_are_as_long_as_the_medians(results: Results) -> None:
    figure = chart.draw(results, "cycle")
    axes = small(figure)
    assert axes.get_xlim()[0] == 0
    assert axes.get_xlabel() == "µs"
    lengths = widths(axes)
    assert lengths["dontneed"] == pytest.approx(1.0)
    assert lengths["madv_zap"] == pytest.approx(0.95)
    assert lengths["remap"] == pytest.approx(2.5)
    assert lengths["≠ mprotect"] == pytest.approx(0.5)
    assert widths(panels(figure)["hugetlb, 2m pages, 2m range"])["remap"] == pytest.approx(8)


def test_a_bar_beyond_the_axis_is_torn_and_says_its_figure(results: Results) -> None:
    axes = small(chart.draw(results, "cycle"))
    found = interval([2500.0, 2600.0, 2400.0])
    assert found is not None
    high = found[1] / 1000
    assert widths(axes)["≠ punch_hole"] == pytest.approx(CUT * high)
    labels = [text.get_text() for text in axes.texts]
    assert "90.0  90.0×" in labels
    white = [line for line in axes.lines if line.get_color() == PAPER.light]
    assert {round(sum(ys(line)) / 2) for line in white} == {row(axes, "≠ punch_hole")}


def test_intervals_are_those_of_the_boot_medians(results: Results) -> None:
    axes = small(chart.draw(results, "cycle"))
    drawn = [line for line in axes.lines if line.get_marker() == "|"]
    (remap,) = (line for line in drawn if ys(line)[0] == row(axes, "remap"))
    found = interval([2500.0, 2600.0, 2400.0])
    assert found is not None
    low, high = found
    assert xs(remap) == pytest.approx([low / 1000, high / 1000])
    assert low < 2500 < high


def test_one_boot_has_no_interval(tmp_path: Path) -> None:
    once = Results(written(tmp_path, {case: medians[:1] for case, medians in FIGURES.items()}))
    axes = small(chart.draw(once, "cycle"))
    assert not [line for line in axes.lines if line.get_marker() == "|"]


def test_what_is_not_equivalent_is_hatched_and_never_first(results: Results) -> None:
    axes = small(chart.draw(results, "cycle"))
    names = methods_of(axes)
    marked = [name.startswith("≠ ") for name in names]
    assert marked == sorted(marked)
    assert "≠ mprotect" in names  # the cheapest of all
    hatched = {bar.get_hatch() is not None for bar in bars(axes) if bar.get_width() < 0.9}
    assert hatched == {True}
    assert {bar.get_hatch() for bar in bars(axes) if 0.9 < bar.get_width() < 3} == {None}
    assert any("loses the data" in text for text in texts(axes.figure))


def test_a_broken_contract_takes_a_method_out_of_the_ranking(tmp_path: Path) -> None:
    broken = synthetic.contract(synthetic.run_of(), f"contract/remap/{SMALL}", broken="cache")
    overmap = {f"cycle/overmap/{SMALL}": (9000, 9000, 9000)}  # behind remap in the C table
    drawn = chart.draw(Results(written(tmp_path, FIGURES | overmap, broken)), "cycle")
    names = methods_of(small(drawn))
    assert names[:3] == ["madv_zap", "dontneed", "overmap"]
    assert "≠ remap" in names[3:]
    assert "≠ remap: promise cache broken" in "\n".join(texts(drawn))


def test_a_missing_figure_says_why(results: Results) -> None:
    figure = chart.draw(results, "cycle")
    words = {text.get_position()[1]: text.get_text() for text in small(figure).texts}
    assert words[row(small(figure), "overmap")] == "failed, see the table"
    huge = panels(figure)["hugetlb, 2m pages, 2m range"]
    words = {text.get_position()[1]: text.get_text() for text in huge.texts}
    assert words[row(small(figure), "madv_zap")] == "skipped, see the table"
    assert "No figure of rwp: skipped, the" in "\n".join(texts(figure))


@pytest.mark.parametrize("tier", TIER_NOTES)
def test_the_title_says_kernel_tier_and_boots(tmp_path: Path, tier: str) -> None:
    unit: Unit = "instructions" if tier == "icount" else "ns"
    figure = chart.draw(Results(written(tmp_path, tier=tier, unit=unit)), "cycle")
    said = " ".join("\n".join(texts(figure)).split())
    assert f"Linux synthetic; {tier}: {TIER_NOTES[tier]}; 3 " in said
    assert ("virtual machine" in said or "emulated" in said) == (tier != "native")
    assert small(figure).get_xlabel() == ("thousand instructions" if tier == "icount" else "µs")


def test_no_text_leaves_the_figure_or_lies_on_another(results: Results) -> None:
    figure = chart.draw(results, "cycle")
    renderer = FigureCanvasAgg(figure).get_renderer()
    figure.draw(renderer)
    seen = [t for t in figure.findobj(Text) if t.get_text().strip() and t.get_visible()]
    boxes = {text: text.get_window_extent(renderer) for text in seen}
    for text, box in boxes.items():
        assert figure.bbox.x0 <= box.x0, text
        assert box.x1 <= figure.bbox.x1, text
        assert figure.bbox.y0 <= box.y0, text
    for (one, left), (two, right) in itertools.combinations(boxes.items(), 2):
        over = min(left.x1, right.x1) - max(left.x0, right.x0)
        side = min(left.y1, right.y1) - max(left.y0, right.y0)
        assert over < 1 or side < 1, (one, two)


def test_places_beyond_the_quick_grid_are_drawn_if_there_are_no_others(tmp_path: Path) -> None:
    figures = {"cycle/dontneed/anon/4k/64k": (5000, 5000), "cycle/remap/anon/4k/64k": (6000, 6000)}
    figure = chart.draw(Results(written(tmp_path, figures)), "cycle")
    assert list(panels(figure)) == ["anon, 4k pages, 64k range"]


@pytest.mark.parametrize("kind", ["cycle", "zap"])
def test_bars_are_drawn_of_either_workload(tmp_path: Path, kind: str) -> None:
    figures = {case.replace("cycle/", f"{kind}/"): medians for case, medians in FIGURES.items()}
    figure = chart.draw(Results(written(tmp_path, figures)), kind)
    assert widths(small(figure))["dontneed"] == pytest.approx(1.0)


def test_figures_of_zero_are_drawn_without_a_ratio(tmp_path: Path) -> None:
    figures = {f"cycle/dontneed/{SMALL}": (0, 0), f"cycle/remap/{SMALL}": (0, 0)}
    axes = small(chart.draw(Results(written(tmp_path, figures)), "cycle"))
    assert set(widths(axes).values()) == {0}


def test_a_cut_off_measurement_is_said_to_be_incomplete(tmp_path: Path) -> None:
    lines = (written(tmp_path) / RECORDS).read_bytes().splitlines(keepends=True)
    (tmp_path / RECORDS).write_bytes(b"".join(lines[:-1]))
    assert incomplete(Results(tmp_path))
    *before, last, _ = lines
    run = synthetic.run_of(max(each.run.boot for each in Results(tmp_path).contexts))
    resumed = synthetic.stream(run, decode(last))
    (tmp_path / RECORDS).write_bytes(b"".join([*before, *resumed]))
    assert not incomplete(Results(tmp_path))


def incomplete(results: Results) -> bool:
    said = " ".join(" ".join(texts(chart.draw(results, "cycle"))).split())
    return "incomplete: the measurement was cut off" in said
