# SPDX-License-Identifier: GPL-2.0-only
"""Markdown for a merge request."""

import re


def test_markdown_cells_hold_no_markup(gate, failing):
    for line in gate(*failing, "--format", "markdown").out.splitlines():
        if line.startswith("| FAIL"):
            assert len(re.findall(r"(?<!\\)\|", line)) == 9
