# SPDX-License-Identifier: GPL-2.0-only
"""The rows that say how a workload is shown, and what holds for one that has none."""

from pathlib import Path

import pytest
import synthetic

from zapbench.case import is_harness, workloads
from zapbench.case.views import VIEWS
from zapbench.cli.results import COLUMNS, print_table
from zapbench.record import Recording, decode
from zapbench.result.store import Results


def results(*named: str, **fields: object) -> Results:
    """Of cases that cost 100 ns, 200 ns and so on; their workload need not exist."""
    run = synthetic.run_of()
    samples = [
        synthetic.samples(run, name, (100 * cost,) * 3, **fields)
        for cost, name in enumerate(named, 1)
    ]
    lines = synthetic.stream(run, *samples)
    return Results(Path("made up"), Recording("made up", tuple(map(decode, lines))))


def test_rows_are_of_workloads_and_their_columns_can_be_printed() -> None:
    assert VIEWS.keys() <= workloads().keys()
    assert {name for look in VIEWS.values() for name in look.columns} <= COLUMNS.keys()


def test_a_workload_without_a_row_is_ranked_and_printed(
    capsys: pytest.CaptureFixture[str],
) -> None:
    made = results("brandnew/remap/shmem/4k/4k", "brandnew/dontneed/shmem/4k/4k").table
    (group,) = made.groups
    assert [(row.method, row.best) for row in group.rows] == [("remap", True), ("dontneed", False)]
    assert group.rows[1].ratio is not None
    assert group.rows[1].ratio.value == pytest.approx(2)
    print_table(made, as_json=False)
    heading = next(line for line in capsys.readouterr().out.splitlines() if "p50" in line)
    assert heading.split("  ")[0] == "method"
    assert heading.rstrip().endswith("per page  ratio to best  boots")


def test_the_harness_s_own_share_is_one_case_and_nothing_is_taken_off_it() -> None:
    names = [name for name in workloads() if is_harness(name)]
    assert names == ["empty"]
    found = results("empty/-/shmem/4k/4k", "zap/remap/shmem/4k/4k", empty=10).timings
    assert [each.median for each in found.values()] == [100, 190]


def test_further_axes_are_rows_of_one_group_only_where_the_view_has_them_so() -> None:
    swept = results("continue/-/shmem/4k/4k", "continue/-/shmem/4k/4k/step=page")
    others = results("zap/remap/shmem/4k/4k", "zap/remap/shmem/4k/4k/events=on")
    assert [len(each.table.groups) for each in (swept, others)] == [1, 2]
