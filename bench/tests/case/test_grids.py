# SPDX-License-Identifier: GPL-2.0-only
"""The grids."""

import pytest

from zapbench import case
from zapbench.case import Case, depth, grid


@pytest.mark.parametrize("quick", [True, False])
def test_a_grid_holds_each_case_once_under_its_canonical_name(quick: bool) -> None:
    names = [str(cell.case) for cell in grid(quick=quick)]
    assert len(names) == len(set(names))
    assert all(str(Case.parse(name)) == name for name in names)


@pytest.mark.parametrize("quick", [True, False])
def test_no_cell_of_a_grid_is_malformed(quick: bool) -> None:
    """What is excluded is excluded by the tables, not by the grid's own mistake."""
    malformed = [cell for cell in grid(quick=quick) if cell.excluded == "not the name of a case"]
    assert malformed == []


def test_every_method_and_timed_workload_is_in_the_quick_grids() -> None:
    cases = [cell.case for cell in grid(quick=True)]
    assert {each.method for each in cases} == {*case.methods(), case.NO_METHOD}
    assert {each.workload for each in cases} == {"empty", "zap", "cycle", "continue"}
    timed = {name for name, workload in case.workloads().items() if workload.timed}
    deeper = {cell.case.workload for cell in depth(quick=True)}
    assert {each.workload for each in cases} | deeper == timed


def test_every_backing_is_in_the_full_grid_and_allowed_somewhere() -> None:
    allowed = {cell.case.backing for cell in grid(quick=False) if cell.excluded is None}
    assert allowed == set(case.backings())


def test_what_loses_data_is_not_measured_at_1g() -> None:
    cells = {str(cell.case): cell for cell in grid(quick=False)}
    assert cells["zap/punch_hole/shmem/4k/1g"].excluded
    assert cells["zap/dontneed/shmem/4k/1g"].excluded is None
