# SPDX-License-Identifier: GPL-2.0-only
"""What null kernels differ by: the table that comes with the tool, and how it is read."""

import json
from importlib import resources

import pytest
from places import ROOT

from zapbench.case import Case
from zapbench.gate import floors
from zapbench.gate.budget import load
from zapbench.gate.noise import Noise
from zapbench.gate.plan import cases
from zapbench.result.timings import STATISTICS
from zapbench.result.welch import Spread

TABLE = json.loads(resources.files("zapbench.gate").joinpath(floors.FILE).read_text())
QUIET, NOISY = "zap/dontneed/shmem/4k/4k", "zap/overmap/shmem/2m/2m"


def test_the_table_says_what_it_is_of() -> None:
    assert TABLE["kernel"].startswith("6.12.")
    assert len(TABLE["nulls"]) == 5
    assert TABLE["freedom"] >= 10
    assert set(TABLE["floors"]) <= set(STATISTICS)
    for measured in TABLE["floors"].values():
        for case, (floor, deviation) in measured.items():
            assert str(Case.parse(case)) == case
            assert deviation >= 0
            assert floor >= 0


def test_what_the_budgets_are_about_was_measured() -> None:
    budgets = load(ROOT / "bench/budgets.toml").budgets
    judged = cases(each for each in budgets if "icount" in each.tiers)
    measured = TABLE["floors"]["p50"]
    missing = {case for case in judged if case not in measured and "madv_zap" not in case}
    assert not missing - {case for case in judged if "events=on" in case}


def test_a_ratio_moves_by_no_more_than_both_do() -> None:
    both = floors.noise("p50", QUIET, NOISY, paired=False)
    alone = [floors.noise("p50", case, paired=False).floor for case in (QUIET, NOISY)]
    assert alone[1] > alone[0]
    assert both.floor == pytest.approx(sum(alone))
    assert both.spread is None


def test_a_page_has_the_noise_of_its_case_and_what_is_unknown_none() -> None:
    assert floors.noise("per_page", NOISY, paired=True) == floors.noise("p50", NOISY, paired=True)
    assert floors.noise("p50", NOISY, paired=True).spread is not None
    assert floors.noise("p50", "zap/mine/shmem/4k/4k", paired=True) == floors.NONE
    assert floors.noise("p99", NOISY, paired=True) == floors.NONE


def test_several_null_kernels_by_hand() -> None:
    """Deviations 3 and 4 on 2 and 8 degrees: sqrt((9 2 + 16 8) / 10) = 3.8210."""
    found = floors.together([Noise(0.1, Spread(3, 2)), Noise(0.3, Spread(4, 8))])
    assert found.floor == 0.3
    assert found.spread is not None
    assert found.spread.error == pytest.approx(3.8210, rel=1e-4)
    assert found.spread.freedom == 10
