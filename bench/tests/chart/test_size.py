# SPDX-License-Identifier: GPL-2.0-only
"""Cost against size, read back from what was drawn."""

from pathlib import Path

import pytest
from drawn import written

from zapbench import chart
from zapbench.error import UsageError
from zapbench.result.store import Results

PAGES = {"4k": 1, "64k": 16, "2m": 512}


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
