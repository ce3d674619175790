# SPDX-License-Identifier: GPL-2.0-only
"""docs/budgets.md names every key and every reason there is."""

import pytest
from places import ROOT

from zapbench.gate.budget import BudgetTable, WaiverTable
from zapbench.gate.judgement import SETTLED, Status
from zapbench.gate.verdict import Because, Verdict

TEXT = (ROOT / "docs/budgets.md").read_text()
BUDGET, WAIVER, REASONS, _, _, STATUSES, _ = TEXT.split("\n## ")[1:]


@pytest.mark.parametrize(("table", "part"), [(BudgetTable, BUDGET), (WaiverTable, WAIVER)])
def test_the_reference_has_every_key(table: type, part: str) -> None:
    rows = [line.split("|")[1].strip(" `") for line in part.splitlines() if line[:3] == "| `"]
    assert sorted(rows) == sorted(table.__struct_fields__)  # type: ignore[attr-defined]


def test_the_reference_has_every_reason() -> None:
    rows = [line.split("|")[1:3] for line in REASONS.splitlines() if line.startswith("| ")]
    found = {why.strip(): verdict.strip() for verdict, why in rows[1:]}
    assert set(found) == set(Because)
    assert {each: Verdict(found[each]) for each in SETTLED} == SETTLED


def test_the_reference_has_every_status() -> None:
    for status in Status:
        assert f"\n| {int(status)} |" in STATUSES
