# SPDX-License-Identifier: GPL-2.0-only
"""KTAP."""

import re

from gate_boots import BUDGETS, Gate


def test_ktap_counts_its_results(gate: Gate, failing: list[str]) -> None:
    budgets = BUDGETS + '[[budget]]\ncases = "zap/*"\nlimit = "+1 %"\nreason = "r"\nkernel = "6*"\n'
    lines = gate(*failing, "--format", "ktap", budgets=budgets).out.splitlines()
    assert lines[:2] == ["KTAP version 1", "1..4"]
    results = [line for line in lines if not line.startswith("#")][2:]
    assert [
        found.groups() for line in results if (found := re.match(r"(ok|not ok) (\d+) ", line))
    ] == [
        ("not ok", "1"),
        ("not ok", "2"),
        ("not ok", "3"),
        ("ok", "4"),
    ]
    assert "# SKIP" in results[3]
