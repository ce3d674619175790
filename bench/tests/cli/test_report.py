# SPDX-License-Identifier: GPL-2.0-only
"""``zapbench report``."""

from pathlib import Path

import pytest
from made_report import run, sample

from zapbench.result.store import RECORDS


@pytest.fixture
def results(tmp_path: Path) -> Path:
    return sample(tmp_path)


def test_command_makes_checks_and_lists(
    tmp_path: Path, results: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    where = tmp_path / "reports/2026-11-22-try"
    assert run("report", results, "-o", where) == 0
    assert run("report", "--check", "-o", where) == 0
    index = (tmp_path / "reports/README.md").read_text(encoding="utf-8")
    assert "[Try, 2026-11-22](2026-11-22-try/index.md)" in index
    assert run("report", results, "-o", where, "--title", "Better") == 0
    assert "[Better]" in (tmp_path / "reports/README.md").read_text(encoding="utf-8")
    (tmp_path / "reports/README.md").write_text("stale")
    assert run("report", "--check", "-o", where) == 1
    assert "is not the index" in capsys.readouterr().err
    assert run("report", "--csv", results) == 0
    assert capsys.readouterr().out.startswith("kernel,tier,")


def test_no_index_is_written_where_others_live(tmp_path: Path, results: Path) -> None:
    assert run("report", results, "-o", tmp_path / "elsewhere/x") == 0
    assert [path.name for path in (tmp_path / "elsewhere").iterdir()] == ["x"]


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["{results}"],
        ["--check"],
        ["--check", "-o", "{results}"],
        ["{tmp}/nowhere", "-o", "{tmp}/r"],
        ["{results}", "-o", "{results}"],
        ["--csv", "{results}", "-o", "{tmp}/r"],
    ],
    ids=" ".join,
)
def test_wrong_usage_is_one_line(
    tmp_path: Path, results: Path, arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    filled = [each.format(results=results, tmp=tmp_path) for each in arguments]
    assert run("report", *filled) == 2
    error = capsys.readouterr().err
    assert error.startswith("zapbench: ")
    assert error.count("\n") == 1
    assert (results / RECORDS).is_file()
