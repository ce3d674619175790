# SPDX-License-Identifier: GPL-2.0-only
"""``zapbench bridge``."""

import json
from pathlib import Path

import pytest
from command import fail
from drawn import written
from made_bridge import figures

from zapbench import cli


def run(capsys: pytest.CaptureFixture[str], *arguments: object) -> str:
    with pytest.raises(SystemExit) as caught:
        cli.main([str(argument) for argument in arguments])
    out: str
    out, err = capsys.readouterr()
    assert caught.value.code == 0, err
    return out


def test_the_command_prints_and_draws(
    native: Path, icount: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
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


def test_the_json_says_the_same(
    native: Path, icount: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = json.loads(run(capsys, "bridge", native, icount, "--json"))
    assert data["estimates"][0]["status"] == "estimated"
    assert data["equivalent"]["rank_correlation"] == pytest.approx(0.5)
    assert len(data["points"]) == 4


def test_a_bridge_of_few_points_is_drawn_without_a_residual(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    few = {"dontneed": 1, "remap": 2}
    native = written(tmp_path / "n", figures(few, 1000))
    icount = written(tmp_path / "i", figures(few, 10), tier="icount", unit="instructions")
    out = run(capsys, "bridge", native, icount, "-o", tmp_path / "new/b.png")
    assert "1 point: too few for a rank correlation or a residual" in out
    assert "estimated" not in out
    assert (tmp_path / "new/b.png").read_bytes().startswith(b"\x89PNG")


def test_wrong_directories_are_one_line(
    native: Path, icount: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert "was measured by icount, not native" in fail(capsys, "bridge", icount, native)
    assert "was measured by native, not icount" in fail(capsys, "bridge", native, native)
    assert "does not exist" in fail(capsys, "bridge", native, tmp_path / "absent")
    line = fail(capsys, "bridge", native, icount, "-o", tmp_path / "b.gif")
    assert "must end in .svg or .png" in line
