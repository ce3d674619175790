# SPDX-License-Identifier: GPL-2.0-only
"""Charts in a report."""

from pathlib import Path

import pytest
from made_report import made

from zapbench import chart


def test_whatever_chart_there_is_is_shown(
    tmp_path: Path, results: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    row = chart.Chart("a chart of another kind", chart.CHARTS["cycle"].draw)
    monkeypatch.setitem(chart.CHARTS, "later", row)
    page = (made(tmp_path, results) / "index.html").read_text(encoding="utf-8")
    assert "a chart of another kind" in page
