# SPDX-License-Identifier: GPL-2.0-only
"""The bridge against figures worked out by hand; all measurements here are made up."""

import math
from pathlib import Path

import pytest
import synthetic
from drawn import written
from made_bridge import COUNTED, PLACE, TIMED, bridge_of, figures

from zapbench.error import UsageError

# d = ln 1, ln 1.1, ln 0.7; r = sqrt((0.09531² + 0.35667²) / 3) = 0.21315; t(3) = 3.18245
FACTOR = math.exp(3.182446 * math.sqrt((math.log(1.1) ** 2 + math.log(0.7) ** 2) / 3))


def test_points_are_the_methods_of_both(native: Path, icount: Path) -> None:
    points = {point.method: point for point in bridge_of(native, icount).points}
    assert points.keys() == {"overmap", "remap", "dontunmap", "punch_hole"}
    assert points["remap"].icount.value == pytest.approx(2)
    assert points["remap"].native.value == pytest.approx(2.2)
    assert {name for name, point in points.items() if not point.equivalent} == {"punch_hole"}


def test_agreement_is_as_worked_out_by_hand(native: Path, icount: Path) -> None:
    bridge = bridge_of(native, icount)
    assert bridge.equivalent.points == 3
    assert bridge.equivalent.rank_correlation == pytest.approx(0.5)
    assert pytest.approx(1.9706, abs=1e-4) == FACTOR
    assert bridge.equivalent.factor == pytest.approx(FACTOR, rel=1e-6)
    assert bridge.all.points == 4
    assert bridge.all.rank_correlation == pytest.approx(0.8)  # 1 - 6 * 2 / (4 * 15)


def test_what_was_only_counted_is_estimated(native: Path, icount: Path) -> None:
    (estimate,) = bridge_of(native, icount).estimates
    assert (estimate.method, estimate.status) == ("madv_zap", "estimated")
    assert estimate.ratio.value == pytest.approx(0.9)
    assert estimate.value == pytest.approx(900)
    assert estimate.low == pytest.approx(900 / FACTOR, rel=1e-6)
    assert estimate.high == pytest.approx(900 * FACTOR, rel=1e-6)


def test_what_was_timed_is_a_point_and_no_estimate(tmp_path: Path, icount: Path) -> None:
    native = written(tmp_path / "patched", figures(TIMED | {"madv_zap": 0.95}, 1000))
    bridge = bridge_of(native, icount)
    assert "madv_zap" in {point.method for point in bridge.points}
    assert bridge.estimates == ()


def test_what_is_left_out_has_its_reason(native: Path, icount: Path) -> None:
    assert bridge_of(native, icount).left_out == {
        f"cycle/guard/{PLACE}": "not measured on 6+z (icount)"
    }


def test_a_broken_contract_on_one_side_makes_another_end_state(
    tmp_path: Path, icount: Path
) -> None:
    broken = synthetic.contract(synthetic.run_of(), f"contract/remap/{PLACE}", broken="cache")
    bridge = bridge_of(written(tmp_path / "b", figures(TIMED, 1000), broken), icount)
    assert bridge.equivalent.points == 2
    assert bridge.equivalent.factor is None
    assert bridge.estimates == ()  # without a residual there is nothing to say


def test_the_other_workload_can_be_asked_for(tmp_path: Path) -> None:
    native = written(tmp_path / "n", figures(TIMED, 1000, "zap"))
    counted = figures(COUNTED, 4000, "zap")
    icount = written(tmp_path / "i", counted, tier="icount", unit="instructions")
    assert bridge_of(native, icount, "zap").equivalent.points == 3
    with pytest.raises(UsageError, match="have no cycle case in common"):
        bridge_of(native, icount)


def test_the_baseline_is_related_at_the_same_place_only(tmp_path: Path, native: Path) -> None:
    elsewhere = {f"cycle/remap/{PLACE}": (1, 1), "cycle/dontneed/shmem/4k/64k": (1, 1)}
    icount = written(tmp_path / "e", elsewhere, tier="icount", unit="instructions")
    with pytest.raises(UsageError, match="that dontneed is there to relate to"):
        bridge_of(native, icount)
