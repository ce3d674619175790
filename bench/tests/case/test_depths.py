# SPDX-License-Identifier: GPL-2.0-only
"""The sweeps."""

import pytest

from zapbench import case
from zapbench.case import depth


@pytest.mark.parametrize("quick", [True, False])
def test_a_sweep_holds_each_case_once_and_no_mistake(quick: bool) -> None:
    cells = depth(quick=quick)
    names = [str(cell.case) for cell in cells]
    assert len(names) == len(set(names))
    wrong = [cell for cell in cells if cell.excluded == "not the name of a case"]
    assert wrong == []


def test_every_axis_of_the_sweeps_workloads_is_in_them() -> None:
    seen = {pair for cell in depth(quick=False) for pair in cell.case.axes}
    named = {
        "delivery",
        "topology",
        "place",
        "order",
        "access",
        "stamps",
        "uffd",
        "step",
        "wp",
        "wake",
        "by",
    }
    for axis in named:
        values = {value for key, value in seen if key == axis}
        assert values == set(case.axis_values(axis))
    assert {"threads", "handlers", "batch"} <= {key for key, _ in seen}
