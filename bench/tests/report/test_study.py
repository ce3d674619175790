# SPDX-License-Identifier: GPL-2.0-only
"""Groups of streams: what is told apart, and what is said of them."""

from pathlib import Path

import msgspec
import synthetic
from drawn import FIGURES, written
from made_report import SHMEM, answer, made

from zapbench import report
from zapbench.record import Context, Samples, encode, load
from zapbench.report.source import read
from zapbench.report.study import study, version
from zapbench.result.store import RECORDS


def test_only_skips_make_a_report_with_their_reasons(tmp_path: Path) -> None:
    skips = [synthetic.skip(synthetic.run_of(), f"cycle/rwp/{SHMEM}", "no such feature")]
    where = made(tmp_path, written(tmp_path / "results", {}, *skips))
    assert "Nothing was measured: no case has a figure" in answer(where)
    assert "no such feature" in (where / "index.html").read_text(encoding="utf-8")
    assert "no such feature" in (where / "cover-letter.txt").read_text(encoding="utf-8")
    assert report.check(where) is None


def test_mixed_units_stand_apart(tmp_path: Path, results: Path) -> None:
    counted = written(tmp_path / "counted", FIGURES, tier="icount", unit="instructions")
    where = made(tmp_path, results, counted)
    page = (where / "index.html").read_text(encoding="utf-8")
    assert "Mixed units: figures in ns and in instructions" in page
    assert "From instructions to time" in page  # the bridge
    assert report.check(where) is None


def test_names_that_this_zapbench_does_not_know_are_shown(tmp_path: Path) -> None:
    more = {f"cycle/novel/{SHMEM}": (7, 8, 9), f"later/dontneed/{SHMEM}": (5, 6, 7)}
    where = made(tmp_path, written(tmp_path / "results", FIGURES | more))
    page = (where / "index.html").read_text(encoding="utf-8")
    assert f"cycle/novel/{SHMEM}" in page
    assert f"later/dontneed/{SHMEM}" in page


def test_boots_of_two_directories_are_told_apart(tmp_path: Path) -> None:
    one = written(tmp_path / "one", {f"cycle/dontneed/{SHMEM}": (10, 10, 10)})
    two = written(tmp_path / "two", {f"cycle/dontneed/{SHMEM}": (20, 20)})
    where = made(tmp_path, one, two)
    boots = {
        record.run.boot: record.values[0]
        for record in load(where / RECORDS).of(Samples)
        if record.values
    }
    assert boots == {0: 10, 1: 10, 2: 10, 3: 20, 4: 20}
    assert report.check(where) is None


def test_machines_are_told_apart(tmp_path: Path, results: Path) -> None:
    streams = []
    for record in load(results / RECORDS).records:
        new = (
            msgspec.structs.replace(record, cpu="another")
            if isinstance(record, Context)
            else record
        )
        streams.append(encode(new))
    other = tmp_path / "other"
    other.mkdir()
    (other / RECORDS).write_bytes(b"".join(streams))
    groups = study(read([results, other], "")).groups
    assert [group.machine for group in groups] == ["none", "another"]
    assert {len(group.results.contexts) for group in groups} == {3}


def test_kernels_are_ordered_by_their_numbers() -> None:
    names = ["7.3", "6.12.117", "6.1", "6.12"]
    assert sorted(names, key=version) == ["6.1", "6.12", "6.12.117", "7.3"]
