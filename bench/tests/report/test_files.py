# SPDX-License-Identifier: GPL-2.0-only
"""Reports are what their records make, and can be made again."""

import gzip
import itertools
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from drawn import FIGURES, written
from limits import seconds
from made_report import REPORTS, SHMEM, made, run

from zapbench import report
from zapbench.error import UsageError
from zapbench.report import files as written_files
from zapbench.result.store import RECORDS, SUITE

COMMITTED = sorted(path.parent for path in REPORTS.glob("*/report.json"))


def test_made_again_it_is_the_same(tmp_path: Path, results: Path) -> None:
    first = made(tmp_path / "a", results)
    second = made(tmp_path / "b", results)
    assert {p.name: p.read_bytes() for p in first.iterdir()} == {
        p.name: p.read_bytes() for p in second.iterdir()
    }
    assert report.check(first) is None


def test_check_does_not_need_the_results(tmp_path: Path, results: Path) -> None:
    where = made(tmp_path, results)
    (results / RECORDS).unlink()
    assert report.check(where) is None


def test_results_that_a_crash_left_plain_make_the_same_report(
    tmp_path: Path, results: Path
) -> None:
    first = made(tmp_path / "a", results)
    (results / RECORDS).rename(results / "records.jsonl")
    second = made(tmp_path / "b", results)
    assert (first / RECORDS).read_bytes() == (second / RECORDS).read_bytes()
    assert (first / "index.md").read_bytes() == (second / "index.md").read_bytes()


def spoil(where: Path, name: str, change: Callable[[bytes], bytes]) -> None:
    (where / name).write_bytes(change((where / name).read_bytes()))


@pytest.mark.parametrize("name", ["index.html", "index.md", "cover-letter.txt", "report.json"])
def test_check_names_a_changed_file(tmp_path: Path, results: Path, name: str) -> None:
    where = made(tmp_path, results)
    spoil(where, name, lambda data: data.replace(b"dontneed", b"DONTNEED", 1))
    if name == "report.json":  # a title of one's own is made again; what it says is not
        assert f"{name} differs" in str(report.check(where))
    else:
        assert re.search(rf"{name} differs .* line \d+", str(report.check(where)))


def test_check_names_a_missing_and_a_foreign_file(tmp_path: Path, results: Path) -> None:
    where = made(tmp_path, results)
    chart_file = min(where.glob("*.svg"))
    drawn = chart_file.read_bytes()
    chart_file.unlink()
    assert f"{chart_file.name} is missing" in str(report.check(where))
    chart_file.write_bytes(drawn)
    (where / "extra.txt").touch()
    assert "extra.txt does not belong" in str(report.check(where))


def test_archives_are_compared_by_what_they_hold(tmp_path: Path, results: Path) -> None:
    where = made(tmp_path, results)
    for name in (RECORDS, SUITE):
        spoil(where, name, lambda data: gzip.compress(gzip.decompress(data), 1))
    assert report.check(where) is None
    spoil(where, SUITE, lambda data: gzip.compress(gzip.decompress(data) + b" "))
    assert SUITE in str(report.check(where))
    spoil(where, SUITE, lambda data: data[: len(data) // 2])
    assert f"{SUITE} is damaged" in str(report.check(where))


def test_changed_figures_are_noticed(tmp_path: Path, results: Path) -> None:
    where = made(tmp_path, results)
    old, new = b"[2500,2500,2500]", b"[2400,2400,2400]"
    spoil(where, RECORDS, lambda data: gzip.compress(gzip.decompress(data).replace(old, new)))
    assert "differs" in str(report.check(where))


def test_a_report_is_made_anew_from_itself(tmp_path: Path, results: Path) -> None:
    (tmp_path / "void").mkdir()
    where = report.make([results, tmp_path / "void"], tmp_path / "reports/x", "A title")
    before = {path.name: path.read_bytes() for path in where.iterdir()}
    (where / "index.html").write_text("made by an older zapbench")
    assert run("report", "-o", where) == 0
    assert {path.name: path.read_bytes() for path in where.iterdir()} == before


@pytest.mark.parametrize("path", COMMITTED, ids=lambda path: path.name)
def test_committed_report_is_what_its_records_make(path: Path) -> None:
    assert report.check(path) is None


def test_a_foreign_directory_is_not_replaced(tmp_path: Path, results: Path) -> None:
    mine = tmp_path / "mine"
    mine.mkdir()
    (mine / "thesis.txt").write_text("years of work")
    with pytest.raises(UsageError, match="no report"):
        report.make([results], mine)
    assert (mine / "thesis.txt").read_text() == "years of work"


def test_what_stands_beside_a_report_is_kept(tmp_path: Path, results: Path) -> None:
    where = made(tmp_path, results)
    (where / "NOTES.md").write_text("by hand\n")
    (where / "results/icount").mkdir(parents=True)
    assert report.check(where) is None
    report.make([], where)
    assert (where / "NOTES.md").read_text() == "by hand\n"
    assert (where / "results/icount").is_dir()


STEPS = {"os.rename", "os.link", "os.mkdir", "os.rmdir", "os.remove", "ctypes.dlsym"}


def killed_at(step: int, where: Path, made: dict[str, bytes]) -> bool:
    """Write a report in a process that ends when it changes a directory for the n-th time."""
    pid = os.fork()
    if pid == 0:
        steps = itertools.count(1)

        def hook(event: str, _: object) -> None:
            if event in STEPS and next(steps) == step:
                os._exit(9)

        sys.addaudithook(hook)
        written_files._write(made, where)
        os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) != 0


def test_killed_at_any_step_a_report_is_whole_and_nothing_next_to_it_is_lost(
    tmp_path: Path,
) -> None:
    where = tmp_path / "r"
    old, new = ({f"{n}.svg": text for n in range(3)} for text in (b"old", b"new"))
    written_files._write(old, where)
    (where / "results/icount").mkdir(parents=True)
    (where / "results/icount/figures.json").write_text("measured")
    step = 1
    while killed_at(step, where, new if step % 2 else old):
        assert (where / "results/icount/figures.json").read_text() == "measured"
        assert {path.read_bytes() for path in where.glob("*.svg")} in ({b"old"}, {b"new"})
        step += 1
    assert step > 6
    assert [path.name for path in tmp_path.iterdir()] == ["r"]


def test_pyperf_reads_the_suite_of_several_kernels(tmp_path: Path, results: Path) -> None:
    counted = written(tmp_path / "c", FIGURES, tier="icount", unit="instructions")
    where = made(tmp_path, results, counted)
    for command in ("show", "stats"):
        done = subprocess.run(
            [sys.executable, "-m", "pyperf", command, str(where / SUITE)],
            capture_output=True, text=True, check=True, timeout=seconds(60),
        )  # fmt: skip
        assert f"Linux synthetic (icount): cycle/remap/{SHMEM}" in done.stdout
        assert f"Linux synthetic (native): cycle/remap/{SHMEM}" in done.stdout
