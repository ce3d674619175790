# SPDX-License-Identifier: GPL-2.0-only
"""The bridge against figures worked out by hand; all measurements here are made up."""

import json
import math
from pathlib import Path

import pytest
import synthetic
from test_chart import fail, texts, written

from zapbench import chart, cli, target
from zapbench.cli import where
from zapbench.error import LostVm, UsageError
from zapbench.record import Samples
from zapbench.result.bridge import build_bridge
from zapbench.result.stats import interval, prediction_factor, rank_correlation
from zapbench.result.store import RECORDS, Results
from zapbench.target import Replay

PLACE = "shmem/4k/4k"
# Ratios to dontneed.  Ranks of the equivalent ones: overmap 1 and 1, remap 2 and 3,
# dontunmap 3 and 2.
COUNTED = {
    "dontneed": 1,
    "overmap": 1.5,
    "remap": 2,
    "dontunmap": 3,
    "punch_hole": 10,
    "madv_zap": 0.9,
}
TIMED = {
    "dontneed": 1,
    "overmap": 1.5,
    "remap": 2.2,
    "dontunmap": 2.1,
    "punch_hole": 20,
    "guard": 4,
}
# d = ln 1, ln 1.1, ln 0.7; r = sqrt((0.09531² + 0.35667²) / 3) = 0.21315; t(3) = 3.18245
FACTOR = math.exp(3.182446 * math.sqrt((math.log(1.1) ** 2 + math.log(0.7) ** 2) / 3))


def figures(ratios: dict[str, float], base: int, workload: str = "cycle") -> dict[str, tuple]:
    return {
        f"{workload}/{method}/{PLACE}": (round(base * ratio),) * 2
        for method, ratio in ratios.items()
    }


@pytest.fixture
def native(tmp_path: Path) -> Path:
    return written(tmp_path / "native", figures(TIMED, 1000))


@pytest.fixture
def icount(tmp_path: Path) -> Path:
    counted = figures(COUNTED, 4000)
    return written(tmp_path / "icount", counted, tier="icount", unit="instructions", kernel="6+z")


def bridge_of(native: Path, icount: Path, workload: str = "cycle"):
    return build_bridge(Results(native), Results(icount), workload)


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


def test_a_broken_contract_on_one_side_makes_another_end_state(tmp_path, icount) -> None:
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


def test_interval_is_student_s_on_the_logarithms() -> None:
    # ln 1, ln 4: mean ln 2, s = ln 4 / sqrt 2, s / sqrt 2 = ln 2, t(1) = 12.7062
    low, high = interval([1.0, 4.0])
    assert low == pytest.approx(math.exp(math.log(2) * (1 - 12.7062)), rel=1e-4)
    assert high == pytest.approx(math.exp(math.log(2) * (1 + 12.7062)), rel=1e-4)
    assert interval([1.0]) is None
    assert interval([0.0, 1.0]) is None
    assert interval([7.0, 7.0]) == pytest.approx((7.0, 7.0))


def test_rank_correlation_shares_ranks_and_knows_when_there_is_none() -> None:
    assert rank_correlation([1, 2, 3], [30, 20, 10]) == pytest.approx(-1)
    # ranks 1.5, 1.5, 3 and 1, 2, 3: covariance 1.5 over sqrt(1.5 * 2)
    assert rank_correlation([1, 1, 2], [1, 2, 3]) == pytest.approx(1.5 / math.sqrt(3))
    assert rank_correlation([1, 2], [1, 2]) is None
    assert rank_correlation([1, 1, 1], [1, 2, 3]) is None


def test_a_bias_widens_the_factor() -> None:
    assert prediction_factor([1, 2, 3], [1, 2, 3]) == pytest.approx(1)
    biased = prediction_factor([1, 2, 3], [2, 4, 6])
    assert biased == pytest.approx(2**3.182446, rel=1e-4)
    assert prediction_factor([1, 2], [1, 2]) is None


def run(capsys, *arguments: object) -> str:
    with pytest.raises(SystemExit) as caught:
        cli.main([str(argument) for argument in arguments])
    out, err = capsys.readouterr()
    assert caught.value.code == 0, err
    return out


def test_the_command_prints_and_draws(native, icount, tmp_path, capsys) -> None:
    drawn = tmp_path / "b.svg"
    out = run(capsys, "bridge", native, icount, "-o", drawn)
    (line,) = (line for line in out.splitlines() if "madv_zap" in line)
    assert line.split()[-1] == "estimated"
    assert "900 ns" in line
    assert "≠  cycle/punch_hole" in out
    assert "rank correlation 0.50, residual a factor of 1.97" in out
    words = drawn.read_text()
    assert "madv_zap shmem 4k/4k, estimated" in words
    assert "6+z, icount (a virtual machine)" in words
    assert "same end state: 3 points, ρ = 0.50, residual ×/÷ 1.97" in words


def test_the_json_says_the_same(native, icount, capsys) -> None:
    data = json.loads(run(capsys, "bridge", native, icount, "--json"))
    assert data["estimates"][0]["status"] == "estimated"
    assert data["equivalent"]["rank_correlation"] == pytest.approx(0.5)
    assert len(data["points"]) == 4


def test_points_stand_where_their_ratios_are(native: Path, icount: Path) -> None:
    figure = chart.draw_bridge(bridge_of(native, icount))
    fair, every = figure.axes
    dots = {
        (round(line.get_xdata()[0], 3), round(line.get_ydata()[0], 3))
        for line in fair.lines
        if line.get_marker() == "o"
    }
    assert dots == {(1.5, 1.5), (2.0, 2.2), (3.0, 2.1)}
    (star,) = (line for line in fair.lines if line.get_marker() == "*")
    assert star.get_xdata()[0] == star.get_ydata()[0] == pytest.approx(0.9)
    assert not [line for line in every.lines if line.get_marker() == "*"]
    assert {axes.get_xscale() for axes in figure.axes} == {"log"}
    assert "dontunmap shmem 4k/4k" in texts(figure)


def test_a_bridge_drawn_twice_is_the_same(native, icount, tmp_path) -> None:
    for name in ("a.svg", "b.svg"):
        chart.save(chart.draw_bridge(bridge_of(native, icount)), tmp_path / name)
    assert (tmp_path / "a.svg").read_bytes() == (tmp_path / "b.svg").read_bytes()


def test_a_bridge_of_few_points_is_drawn_without_a_residual(tmp_path, capsys) -> None:
    few = {"dontneed": 1, "remap": 2}
    native = written(tmp_path / "n", figures(few, 1000))
    icount = written(tmp_path / "i", figures(few, 10), tier="icount", unit="instructions")
    out = run(capsys, "bridge", native, icount, "-o", tmp_path / "new/b.png")
    assert "1 point: too few for a rank correlation or a residual" in out
    assert "estimated" not in out
    assert (tmp_path / "new/b.png").read_bytes().startswith(b"\x89PNG")


def test_wrong_directories_are_one_line(native, icount, tmp_path, capsys) -> None:
    assert "was measured by icount, not native" in fail(capsys, "bridge", icount, native)
    assert "was measured by native, not icount" in fail(capsys, "bridge", native, native)
    assert "does not exist" in fail(capsys, "bridge", native, tmp_path / "absent")
    line = fail(capsys, "bridge", native, icount, "-o", tmp_path / "b.gif")
    assert "must end in .svg or .png" in line


@pytest.fixture
def here(monkeypatch, tmp_path, native):
    """The running kernel is a recording, and there is no QEMU."""
    empty = tmp_path / "bin"
    empty.mkdir()
    monkeypatch.setenv("PATH", str(empty))
    monkeypatch.setattr(where, "Native", lambda: Replay(native / RECORDS))
    monkeypatch.setattr(where, "require_userfaultfd", lambda: None)
    monkeypatch.chdir(tmp_path)


def survey(capsys, *arguments: str) -> tuple[int, str, str]:
    with pytest.raises(SystemExit) as caught:
        cli.main(["survey", f"cycle/*/{PLACE}", "--boots", "2", "-o", "s", *arguments])
    return caught.value.code, *capsys.readouterr()


def test_a_survey_without_qemu_does_the_native_part(here, capsys, tmp_path) -> None:
    status, out, err = survey(capsys)
    assert status == 0
    (line,) = (line for line in err.splitlines() if line.startswith("zapbench: icount: "))
    assert "qemu-system-x86_64" in line
    assert "cycle: shmem, 4k pages, 4k range" in out
    made = sorted(path.name for path in (tmp_path / "s").iterdir())
    assert made == ["native", "native-cycle.png", "native-cycle.svg", "report"]


def test_a_survey_is_gone_on_with(here, capsys, tmp_path) -> None:
    def timed() -> int:
        return len(Results(tmp_path / "s/native").recording.of(Samples))

    survey(capsys)
    before = timed()
    assert "s/native is not empty" in survey(capsys)[2]
    (tmp_path / "s/native-cycle.svg").unlink()
    assert survey(capsys, "--resume")[0] == 0
    assert (tmp_path / "s/native-cycle.svg").exists()
    assert timed() == before > 0


def test_a_survey_tells_what_broke_after_drawing(here, capsys, monkeypatch, tmp_path) -> None:
    def lost(*_, **__):
        raise LostVm("the machine died")

    monkeypatch.setattr("zapbench.vm.VmTarget", lost)
    status, _, err = survey(capsys)
    assert status == 1
    assert "zapbench: icount: the machine died" in err
    assert (tmp_path / "s/native-cycle.svg").exists()


def test_a_survey_where_nothing_can_run_fails(here, capsys, monkeypatch, tmp_path) -> None:
    def refused() -> None:
        raise where.EnvironmentMissing("userfaultfd is refused")

    monkeypatch.setattr(where, "require_userfaultfd", refused)
    status, _, err = survey(capsys)
    assert status == 2
    assert err.splitlines()[-1].startswith("zapbench: neither part could be measured")


def test_a_survey_of_an_unknown_case_is_one_line(here, capsys) -> None:
    line = fail(capsys, "survey", "cycle/nonsense/*", "-o", "s")
    assert "no case matches" in line


def test_a_survey_draws_the_bridge(here, capsys, monkeypatch, tmp_path, icount) -> None:
    class Machine(target.Replay):
        def __init__(self, *_, **__) -> None:
            super().__init__(icount / RECORDS)

    monkeypatch.setattr("zapbench.vm.VmTarget", Machine)
    status, out, _ = survey(capsys)
    assert status == 0
    assert "measured nowhere" in out
    made = sorted(path.name for path in (tmp_path / "s").glob("*.*"))
    names = ("bridge", "icount-cycle", "native-cycle")
    assert made == [f"{name}{suffix}" for name in names for suffix in (".png", ".svg")]
