# SPDX-License-Identifier: GPL-2.0-only
"""``zapbench chart``: what is drawn where, and what cannot be is one line."""

from pathlib import Path

import pytest
import synthetic
from command import fail
from drawn import SMALL, written

from zapbench import cli
from zapbench.result.store import RECORDS


def test_without_figures_there_is_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = synthetic.run_of()
    skips = [synthetic.skip(run, f"cycle/{name}/{SMALL}", "no such call") for name in ("rwp", "r")]
    skipped = written(tmp_path / "skipped", {}, *skips)
    broken = written(tmp_path / "broken", {}, synthetic.error(run, f"cycle/remap/{SMALL}"))
    other = written(tmp_path / "other", {f"zap/remap/{SMALL}": (1,)})
    for directory, said in (
        (skipped, "no cycle figures: 2 cases skipped (no such call)"),
        (broken, "no cycle figures: 1 cases failed (contract broken)"),
        (other, "no cycle figures: no such case was run"),
        (tmp_path / "absent", "does not exist"),
        (tmp_path, f"holds no {RECORDS}"),
    ):
        assert said in fail(capsys, "chart", directory, "-o", tmp_path / "c.svg")
    assert not (tmp_path / "c.svg").exists()


def test_mixed_units_are_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    timed = (written(tmp_path / "a") / RECORDS).read_bytes()
    counted = written(tmp_path / "b", tier="icount", unit="instructions")
    (counted / RECORDS).write_bytes(timed + (counted / RECORDS).read_bytes())
    line = fail(capsys, "chart", counted, "-o", tmp_path / "c.svg")
    assert "mixes synthetic (icount, instructions) and synthetic (native, ns)" in line


@pytest.mark.parametrize(
    ("file", "said"),
    [
        ("c.pdf", "must end in .svg or .png"),
        ("c", "must end in .svg or .png"),
        ("records.jsonl.gz/c.svg", "cannot write records.jsonl.gz/c.svg"),
        ("/proc/c.svg", "cannot write /proc/c.svg"),
    ],
)
def test_a_file_that_cannot_be_is_one_line(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    file: str,
    said: str,
) -> None:
    monkeypatch.chdir(written(tmp_path))
    assert said in fail(capsys, "chart", ".", "-o", file)


def test_a_chart_goes_where_there_was_no_directory(tmp_path: Path) -> None:
    file = tmp_path / "new/place/c.svg"
    with pytest.raises(SystemExit) as caught:
        cli.main(["chart", str(written(tmp_path)), "-o", str(file)])
    assert caught.value.code == 0
    assert file.read_text().startswith("<?xml")
