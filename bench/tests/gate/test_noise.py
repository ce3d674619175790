# SPDX-License-Identifier: GPL-2.0-only
"""The noise floor of a machine: worked out, kept, stale and damaged."""

import json
import math
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from looks import T1

from zapbench.error import DiskFull, EnvironmentMissing
from zapbench.gate import noise
from zapbench.gate.noise import Calibration

CASE, OTHER = "zap/dontneed/shmem/4k/4k", "zap/remap/shmem/4k/4k"
NOW = datetime(2026, 11, 22, tzinfo=UTC)
HERE = {"CPU": "one", "microcode": "1"}


@pytest.fixture(autouse=True)
def state(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    monkeypatch.setenv("ZAPBENCH_STATE", str(tmp_path / "state"))
    return tmp_path / "state"


def calibration(**fields: object) -> Calibration:
    legs = ({0: 100.0, 2: 102.0}, {1: 101.0, 3: 103.0})
    known: dict[str, Any] = {
        "tier": "native",
        "kernel": "6.12",
        "taken": NOW,
        "machine": HERE,
        "context": {"CPU": "one"},
        "figures": {"p50": {CASE: legs}},
    }
    return Calibration(**(known | fields))


def load(
    machine: Mapping[str, str] = HERE, now: datetime = NOW, *, needed: bool = True
) -> Calibration | None:
    return noise.load("native", machine, now, needed=needed)


def kept(machine: Mapping[str, str] = HERE) -> Calibration:
    found = load(machine)
    assert found is not None
    return found


def test_the_floor_by_hand() -> None:
    """Pairs e - 2 d and e + 2 d: |e| and the reach T1 2 d; their deviation is 2 d sqrt(2)."""
    d, e = 0.01, 0.005
    found = noise.of_legs([-d, d], [e + d, e - d], paired=True)
    assert found.spread is not None
    assert found.floor == pytest.approx(e + T1 * 2 * d)
    assert found.spread.error == pytest.approx(2 * d * math.sqrt(2))
    assert found.spread.freedom == 1


def test_boots_alone_have_the_spread_of_boots() -> None:
    """Each leg ± d: both together 4 d² on 2 degrees."""
    d = 0.01
    found = noise.of_legs([-d, d], [d, -d], paired=False)
    assert found.spread is not None
    assert found.spread.error == pytest.approx(d * math.sqrt(2))
    assert found.spread.freedom == 2


def test_a_ratio_in_one_boot_has_the_noise_of_the_ratio() -> None:
    """Both cases twice as dear in a boot: their ratio does not move."""
    legs = ({0: 100.0, 2: 200.0}, {1: 150.0, 3: 120.0})
    twice = tuple({boot: 2 * value for boot, value in leg.items()} for leg in legs)
    known = calibration(figures={"p50": {CASE: legs, OTHER: twice}})
    alone, ratio = known.noise("p50", CASE), known.noise("p50", CASE, OTHER)
    assert alone is not None
    assert alone.floor > 0.5
    assert ratio is not None
    assert ratio.floor == pytest.approx(0, abs=1e-12)
    assert known.noise("per_page", CASE) == known.noise("p50", CASE)


def test_what_was_not_measured_has_no_noise() -> None:
    known = calibration()
    assert known.noise("p50", OTHER) is None
    assert known.noise("p99", CASE) is None
    assert known.noise("p50", CASE, OTHER) is None
    one = calibration(figures={"p50": {CASE: ({0: 1.0}, {1: 1.0, 3: 1.0})}})
    assert one.noise("p50", CASE) is None


def test_it_is_kept_and_found_again() -> None:
    noise.save(calibration())
    assert load() == calibration()


def test_a_missing_one_is_said_in_one_line_if_it_is_needed() -> None:
    assert load(needed=False) is None
    with pytest.raises(EnvironmentMissing, match=r"is missing.*zapbench calibrate") as caught:
        load()
    assert "\n" not in str(caught.value)


def test_it_is_stale_after_30_days() -> None:
    noise.save(calibration())
    assert load(now=NOW + timedelta(days=30)) is not None
    with pytest.raises(EnvironmentMissing, match="2026-11-22, more than 30 days"):
        load(now=NOW + timedelta(days=30, seconds=1))


def test_it_is_stale_when_the_machine_changed() -> None:
    noise.save(calibration())
    with pytest.raises(EnvironmentMissing, match=r"microcode \(1 / 2\)"):
        load({**HERE, "microcode": "2"})


@pytest.mark.parametrize("text", ["", "{", "[]", '{"v": 2}', '{"v": 1}'])
def test_a_damaged_one_counts_as_missing(state: Path, text: str) -> None:
    state.mkdir()
    (state / "noise-native.json").write_text(text)
    with pytest.raises(EnvironmentMissing, match="is missing"):
        load()


def test_more_cases_are_added_to_what_is_kept_and_keep_its_date() -> None:
    noise.save(calibration())
    later = {"p50": {OTHER: ({0: 1.0, 2: 1.0}, {1: 1.0, 3: 1.0})}}
    noise.save(calibration(figures=later, taken=NOW + timedelta(days=9)))
    assert set(kept().figures["p50"]) == {CASE, OTHER}
    assert kept().taken == NOW


def test_the_same_cases_again_take_its_place() -> None:
    noise.save(calibration())
    noise.save(calibration(taken=NOW + timedelta(days=9)))
    assert kept().taken == NOW + timedelta(days=9)


def test_one_of_another_machine_takes_its_place() -> None:
    noise.save(calibration())
    figures = {"p50": {OTHER: ({0: 1.0, 2: 1.0}, {1: 1.0, 3: 1.0})}}
    noise.save(calibration(machine={"CPU": "two"}, figures=figures))
    assert set(kept({"CPU": "two"}).figures["p50"]) == {OTHER}


def test_what_cannot_be_kept_leaves_what_was(
    small_disk: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ZAPBENCH_STATE", str(small_disk / "state"))
    noise.save(calibration())
    (small_disk / "full").write_bytes(bytes(230 << 10))
    many = {"p50": {f"{CASE}/{n}": ({0: 1.0}, {1: 1.0}) for n in range(4000)}}
    with pytest.raises(DiskFull, match="No space left"):
        noise.save(calibration(figures=many))
    assert load() == calibration()


def test_the_file_is_plain_json(state: Path) -> None:
    noise.save(calibration())
    data = json.loads((state / "noise-native.json").read_text())
    assert data["figures"]["p50"][CASE][0] == {"0": 100.0, "2": 102.0}
