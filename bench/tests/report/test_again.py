# SPDX-License-Identifier: GPL-2.0-only
"""The commands of a report are run as they are printed."""

import re
import shlex
from collections.abc import Iterable
from pathlib import Path

import pytest
from drawn import FIGURES, written
from made_report import made, run

from zapbench.case import Cell, choose, depth, grid, select
from zapbench.report.again import globs
from zapbench.result import request


def commands(where: Path) -> list[list[str]]:
    page = (where / "index.md").read_text(encoding="utf-8").partition("## To make it again")[2]
    blocks = re.findall(r"```\n(.*?)```", page, re.DOTALL)
    lines = "".join(blocks).splitlines()
    return [shlex.split(line) for line in lines if not line.startswith("#")]


def measured(where: Path) -> list[str]:
    (found,) = (words for words in commands(where) if words[:2] == ["zapbench", "run"])
    return found


def test_the_commands_of_a_report_work_where_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    where = made(tmp_path, written(tmp_path / "r", FIGURES), name="it's here")
    elsewhere = tmp_path / "moved" / "its name"
    elsewhere.parent.mkdir()
    where.rename(elsewhere.with_name(where.name))
    monkeypatch.chdir(elsewhere.with_name(where.name))
    tried = [words[1:] for words in commands(Path()) if words[1:3] != ["run", "-o"]]
    here = [words for words in tried if words[-1] == "."]
    assert [words[:2] for words in here] == [["report", "--check"], ["report", "--csv"]]
    assert [run(*words) for words in here] == [0, 0]


def test_a_report_is_measured_anew_by_what_was_asked_for(tmp_path: Path) -> None:
    results = written(tmp_path / "r", FIGURES)
    request.keep(results, "run", request.Asked(globs=("cycle/*",), boots=9))
    where = made(tmp_path, results)
    words = measured(where)
    assert words[2] == "cycle/*"
    assert words[3] == "--boots"
    assert run("report", "--check", "-o", where) == 0
    assert measured(where) == words
    assert run("report", "-o", where) == 0
    assert measured(where) == words


def test_what_does_not_choose_what_was_measured_is_not_repeated(tmp_path: Path) -> None:
    results = written(tmp_path / "r", FIGURES)
    request.keep(results, "run", request.Asked(globs=("zap/*",)))
    assert "zap/*" not in measured(made(tmp_path, results))


def names(cells: Iterable[Cell]) -> frozenset[str]:
    return frozenset(str(cell.case) for cell in cells if cell.excluded is None)


@pytest.mark.parametrize("quick", [True, False])
@pytest.mark.parametrize(
    "asked",
    [
        (),
        ("zap/*/shmem/4k/4k",),
        ("zap/*/shmem/4k/*k", "zap/*/hugetlb/2m/2m"),
        ("minor_fault/*", "continue/*"),
        ("cycle/madv_zap/*", "cycle/dontneed/*"),
        ("*/hugetlb/*",),
    ],
)
def test_globs_choose_what_was_measured_and_nothing_else(
    asked: tuple[str, ...], *, quick: bool
) -> None:
    tried = names(choose(asked, quick=quick))
    found = globs(tried, quick=quick)
    assert names(select(grid(quick=quick), found, depth(quick=quick))) == tried
    assert len(found) <= max(12, len(tried) / 4), found


def test_one_case_less_is_chosen_too() -> None:
    whole = names(grid(quick=True))
    tried = whole - {"cycle/dontneed/shmem/4k/4k"}
    found = globs(tried, quick=True)
    assert names(choose(found, quick=True)) == tried
