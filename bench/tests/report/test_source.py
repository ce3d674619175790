# SPDX-License-Identifier: GPL-2.0-only
"""What a report is made from, whole or damaged."""

import gzip
import re
from pathlib import Path

import msgspec
import synthetic
from drawn import FIGURES, written
from made_report import SHMEM, answer, made

from zapbench import report
from zapbench.record import Context, Run, encode, load
from zapbench.report.source import parameters, without_directories
from zapbench.result.store import RECORDS


def test_a_directory_without_data_is_said_so(tmp_path: Path, results: Path) -> None:
    (tmp_path / "void").mkdir()
    alone = made(tmp_path, tmp_path / "void")
    assert "Nothing was measured: there are no records" in answer(alone)
    assert "void holds no records.jsonl.gz" in (alone / "index.md").read_text().replace("\\", "")
    assert report.check(alone) is None
    both = made(tmp_path, tmp_path / "void", results, name="both")
    assert "void holds no" in (both / "index.html").read_text(encoding="utf-8")
    assert report.check(both) is None


def test_an_empty_record_file_is_said_so(tmp_path: Path) -> None:
    (tmp_path / "begun").mkdir()
    (tmp_path / "begun" / RECORDS).touch()
    where = made(tmp_path, tmp_path / "begun")
    assert "begun holds no finished measurement" in (where / "index.html").read_text()
    assert report.check(where) is None


def test_a_record_in_another_unit_than_its_stream_is_left_out(tmp_path: Path) -> None:
    odd = synthetic.samples(synthetic.run_of(), f"zap/remap/{SHMEM}", (7, 7), unit="instructions")
    where = made(tmp_path, written(tmp_path / "results", FIGURES, odd))
    page = (where / "index.html").read_text(encoding="utf-8")
    assert "1 record in another unit than ns left out" in page
    assert f"zap/remap/{SHMEM}" not in page


def test_a_stream_that_was_cut_off_is_said_so(tmp_path: Path, results: Path) -> None:
    lines = (results / RECORDS).read_bytes().splitlines(keepends=True)
    (results / RECORDS).write_bytes(b"".join(lines[:-1]))
    where = made(tmp_path, results)
    assert "1 stream of 3 cut off" in (where / "index.html").read_text(encoding="utf-8")
    assert report.check(where) is None


def test_paths_of_the_machine_are_not_published(tmp_path: Path) -> None:
    run = synthetic.run_of()
    plain = synthetic.context(run)
    private = msgspec.structs.replace(
        plain,
        argv=("/home/someone/zapbench-guest", "--cases", "/tmp/secret/cases-1", "cycle/a/b/4k/4k"),
        cmdline="mitigations=auto rdinit=/secret_init hugepages=4 vendor.x=1 -- --listen 1",
    )
    skip = synthetic.skip(run, f"zap/rwp/{SHMEM}", "cannot open /srv/secret/file: no")
    lines = synthetic.stream(run, skip)
    directory = tmp_path / "results"
    directory.mkdir()
    (directory / RECORDS).write_bytes(b"".join([encode(private), *lines[1:]]))
    where = made(tmp_path, directory)
    text = gzip.decompress((where / RECORDS).read_bytes()).decode()
    assert "secret" not in text.replace("secret/", "")
    assert not re.search(r"/(home|tmp|srv)\b", text)
    (context,) = load(where / RECORDS).of(Context)
    assert context.argv == ("zapbench-guest", "--cases", "cases-1", "cycle/a/b/4k/4k")
    assert context.cmdline == "mitigations=auto hugepages=4"
    assert (plain.boot_id, context.boot_id) == ("boot-0", None)
    assert context.start == plain.start


def test_words_leave_case_names_alone() -> None:
    case = "cycle/dontneed/shmem/4k/4k/state=fresh"
    assert without_directories(f"{case}: /a/b.c failed") == f"{case}: b.c failed"
    assert (
        without_directories(without_directories("/a/b/c")) == without_directories("/a/b/c") == "c"
    )


def test_boot_parameters_of_a_virtual_machine_are_ours(tmp_path: Path) -> None:
    context = synthetic.context(Run("6.12", "icount", 0))
    context = msgspec.structs.replace(context, cmdline="console=ttyS0 odd=1 -- init")
    assert parameters(context) == "console=ttyS0 odd=1"
