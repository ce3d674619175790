# SPDX-License-Identifier: GPL-2.0-only
"""The list of reports."""

from made_report import REPORTS

from zapbench.report.index import index_text


def test_committed_index_lists_the_committed_reports() -> None:
    text = (REPORTS / "README.md").read_text(encoding="utf-8")
    assert text == index_text(REPORTS)
