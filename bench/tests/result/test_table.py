# SPDX-License-Identifier: GPL-2.0-only
"""Rows of minor faults and of bulk mapping; all figures here are made up."""

from typing import Any

import pytest
import synthetic
from made_faults import CONTINUE, COUNTED, FAULT, faults, table

from zapbench.record import Samples
from zapbench.result.stats import fault_rate
from zapbench.result.table import Row

PROCESS = f"{FAULT}/topology=process"


def rows(*samples: Samples) -> dict[str, Row]:
    (group,) = table(*samples).groups
    return {row.method: row for row in group.rows}


def test_threads_and_processes_stand_side_by_side_and_are_not_ranked() -> None:
    found = rows(faults(0, FAULT), faults(0, PROCESS))
    assert list(found) == ["dontneed", "dontneed topology=process"]
    assert [(row.best, row.ratio) for row in found.values()] == [(False, None)] * 2


def test_a_percentile_without_ten_samples_beyond_it_is_none() -> None:
    row = rows(faults(0, FAULT))["dontneed"]
    assert (row.p50, row.p90, row.p99, row.p999, row.p9999) == (1, 1, 100, None, None)
    assert row.maximum == 200
    more = rows(faults(0, FAULT, number=100_000))["dontneed"]
    assert more.p9999 is not None


def test_the_rate_is_the_median_of_the_boots() -> None:
    walls = (1_000_000, 2_000_000, 8_000_000)
    boots = [faults(boot, FAULT, wall=wall) for boot, wall in enumerate(walls)]
    assert fault_rate(boots) == pytest.approx(1000 / 2e-3)
    counted = synthetic.samples(
        synthetic.run_of(), FAULT, (1,), unit="instructions", faults=COUNTED
    )
    assert fault_rate([counted]) is None
    assert fault_rate([synthetic.samples(synthetic.run_of(), FAULT, (1,))]) is None


@pytest.mark.parametrize(
    ("counted", "note"),
    [
        ({}, ""),
        ({"oversubscribed": True}, "more threads than CPUs"),
        ({"strandings": 3, "eagain": 2}, "strandings: 3, eagain: 2"),
    ],
)
def test_what_was_counted_beside_the_faults_is_noted(counted: dict[str, Any], note: str) -> None:
    assert rows(faults(0, FAULT, **counted))["dontneed"].note == note


def test_mapping_in_bulk_is_set_against_populate() -> None:
    run = synthetic.run_of()
    found = rows(
        synthetic.samples(run, CONTINUE, (3200,) * 5),
        synthetic.samples(run, f"{CONTINUE}/by=populate", (1600,) * 5),
        synthetic.samples(run, f"{CONTINUE}/step=page", (6400,) * 5),
        synthetic.samples(run, f"{CONTINUE}/by=copy", (100,) * 5),
    )
    assert {name: row.of_populate for name, row in found.items()} == {
        "populate": 1,
        "continue": 0.5,
        "continue step=page": 0.25,
        "copy": 16,
    }
    assert found["continue"].pages_per_second == pytest.approx(16 / 3.2e-6)
    assert found["continue"].bytes_per_second == pytest.approx((64 << 10) / 3.2e-6)
    # It does more than the others, so that it is never the best of them.
    assert found["copy"].differs is not None
    assert found["populate"].best
