# SPDX-License-Identifier: GPL-2.0-only
"""Markdown for a merge request."""

import re

from gate_boots import Gate


def test_markdown_cells_hold_no_markup(gate: Gate, failing: list[str]) -> None:
    for line in gate(*failing, "--format", "markdown").out.splitlines():
        if line.startswith("| FAIL"):
            assert len(re.findall(r"(?<!\\)\|", line)) == 9
