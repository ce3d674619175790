# SPDX-License-Identifier: GPL-2.0-only
"""The charts of a report, read back from what was drawn; all figures here are made up."""

from pathlib import Path

import pytest
import synthetic
from matplotlib.patches import Rectangle
from matplotlib.text import Text
from test_chart import written

from zapbench import chart
from zapbench.chart.contract import BROKEN, KEPT, LOST, SIGNS, UNKNOWN, seen
from zapbench.chart.fit import fit_line
from zapbench.chart.trend import History, HistoryPoint, Step
from zapbench.error import UsageError
from zapbench.result.store import Results

PAGES = {"4k": 1, "64k": 16, "2m": 512}


def texts(figure) -> list[str]:
    return [text.get_text() for text in figure.findobj(Text) if text.get_text().strip()]


def test_fit_finds_the_fixed_and_the_marginal_cost() -> None:
    line = fit_line([1, 16, 512], [1050, 1800, 26_600])
    assert line is not None
    assert (line.fixed, line.marginal) == (pytest.approx(1000), pytest.approx(50))
    assert line.worst == pytest.approx(0, abs=1e-9)
    assert line.at(100) == pytest.approx(6000)


def test_fit_says_how_far_off_it_is_at_worst() -> None:
    line = fit_line([1, 2, 4], [100, 100, 400])
    assert line is not None
    assert line.worst == pytest.approx(
        max(abs(line.at(n) - cost) / cost for n, cost in ((1, 100), (2, 100), (4, 400)))
    )
    assert line.worst > 0.1


@pytest.mark.parametrize(
    ("costs", "part"), [([10, 1000], "fixed"), ([1000, 10], "marginal")], ids=["steep", "falling"]
)
def test_no_part_of_a_cost_is_negative(costs: list[float], part: str) -> None:
    line = fit_line([1, 10], costs)
    assert line is not None
    assert getattr(line, part) == 0
    assert min(line.fixed, line.marginal) >= 0


def test_fit_needs_two_sizes_and_positive_costs() -> None:
    assert fit_line([4, 4], [10, 11]) is None
    with pytest.raises(ValueError, match="positive"):
        fit_line([1, 2], [0, 1])


def test_size_chart_names_each_curve_with_its_fit(tmp_path: Path) -> None:
    figures = {
        f"zap/{method}/shmem/4k/{size}": (fixed + each * PAGES[size],) * 3
        for method, fixed, each in (("dontneed", 1000, 50), ("remap", 8000, 50))
        for size in PAGES
    }
    figure = chart.draw(Results(written(tmp_path, figures)), "size")
    (axes,) = figure.axes
    labels = [text.get_text() for text in axes.texts]
    assert labels == ["dontneed  1k + 50 a page", "remap  8k + 50 a page"]
    assert (axes.get_xscale(), axes.get_yscale()) == ("log", "log")
    assert [label.get_text() for label in axes.get_xticklabels()] == list(PAGES)


def test_size_chart_needs_more_than_one_size(tmp_path: Path) -> None:
    once = Results(written(tmp_path, {"zap/dontneed/shmem/4k/4k": (5, 5)}))
    with pytest.raises(UsageError, match="several sizes"):
        chart.draw(once, "size")


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
    cells = [patch for patch in axes.patches if isinstance(patch, Rectangle)]
    best, dear, other = (cell.get_facecolor() for cell in cells)
    assert best[0] > dear[0] > 0  # less red: more blue
    assert other[3] == 0  # no colour at all
    assert [text.get_text() for text in axes.texts] == ["100\n1×", "500\n5×", "900\n9×"]


def test_contract_takes_the_worst_of_all_boots() -> None:
    name = "contract/dontneed/shmem/4k/4k"
    good = synthetic.contract(synthetic.run_of(0), name)
    bad = synthetic.contract(synthetic.run_of(1), name, broken="cache")
    words = {"cache": KEPT, "cow": UNKNOWN, "vmas": LOST}
    place = ("shmem", 4096)
    assert seen([good]) == {place: {"dontneed": words}}
    assert (
        seen([good, bad]) == seen([bad, good]) == {place: {"dontneed": words | {"cache": BROKEN}}}
    )


def test_contract_matrix_has_a_sign_for_each_promise(tmp_path: Path) -> None:
    run = synthetic.run_of()
    contracts = [
        synthetic.contract(run, f"contract/{name}/shmem/4k/4k") for name in ("remap", "dontneed")
    ]
    figure = chart.draw(Results(written(tmp_path, {}, *contracts)), "contract")
    (axes,) = figure.axes
    assert [label.get_text() for label in axes.get_yticklabels()] == ["dontneed", "remap"]
    signs = [text.get_text() for text in axes.texts]
    assert (signs.count(SIGNS[KEPT]), signs.count(SIGNS[LOST])) == (2, 2)


def test_result_without_contracts_has_no_matrix(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no contract"):
        chart.draw(Results(written(tmp_path, {"zap/remap/shmem/4k/4k": (1,)})), "contract")


def history(steps: tuple[Step, ...] = ()) -> History:
    points = tuple(HistoryPoint(k, v) for k, v in (("6.1", 100.0), ("6.12", 101.0), ("7.2", 115.0)))
    return History("zap/dontneed/shmem/4k/4k", "instructions", points, steps)


def test_history_marks_steps_where_they_are() -> None:
    figure = chart.draw_kernels([history((Step("7.2", 1.14), Step("unknown", 2.0)))], "by hand")
    (axes,) = figure.axes
    assert [text.get_text() for text in axes.texts] == ["+14.0%"]
    marks = [line.get_xdata()[0] for line in axes.lines if line.get_linestyle() == "--"]
    assert marks == [1.5]  # between 6.12 and 7.2
    assert axes.get_ylim()[0] == 0
    assert "by hand" in texts(figure)


def test_one_kernel_is_no_history() -> None:
    lonely = History("zap/x/shmem/4k/4k", "ns", (HistoryPoint("6.1", 1.0),))
    with pytest.raises(UsageError, match="two kernels"):
        chart.draw_kernels([lonely], "")
