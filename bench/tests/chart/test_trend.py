# SPDX-License-Identifier: GPL-2.0-only
"""Costs over kernels, read back from what was drawn."""

import pytest
from drawn import texts, xs

from zapbench import chart
from zapbench.chart.trend import History, HistoryPoint, Step
from zapbench.error import UsageError


def history(steps: tuple[Step, ...] = ()) -> History:
    points = tuple(HistoryPoint(k, v) for k, v in (("6.1", 100.0), ("6.12", 101.0), ("7.2", 115.0)))
    return History("zap/dontneed/shmem/4k/4k", "instructions", points, steps)


def test_history_marks_steps_where_they_are() -> None:
    figure = chart.draw_kernels([history((Step("7.2", 1.14), Step("unknown", 2.0)))], "by hand")
    (axes,) = figure.axes
    assert [text.get_text() for text in axes.texts] == ["+14.0%"]
    marks = [xs(line)[0] for line in axes.lines if line.get_linestyle() == "--"]
    assert marks == [1.5]  # between 6.12 and 7.2
    assert axes.get_ylim()[0] == 0
    assert "by hand" in texts(figure)


def test_one_kernel_is_no_history() -> None:
    lonely = History("zap/x/shmem/4k/4k", "ns", (HistoryPoint("6.1", 1.0),))
    with pytest.raises(UsageError, match="two kernels"):
        chart.draw_kernels([lonely], "")
