# SPDX-License-Identifier: GPL-2.0-only
"""``zapbench repair`` on what older versions, crashes and bad disks left."""

import gzip
from pathlib import Path

import pytest
from command import DATA, Command
from made_stream import a_stream

from zapbench import record
from zapbench.record import only_writer
from zapbench.result import store

RECORDED = (DATA / "small.jsonl").read_bytes().splitlines(keepends=True)


@pytest.fixture(autouse=True)
def here(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)


def damaged(directory: Path, *lines: bytes) -> bytes:
    directory.mkdir()
    data = gzip.compress(b"".join(lines))
    (directory / store.RECORDS).write_bytes(data)
    return data


def test_damaged_results_can_be_read_with_a_remark_and_repaired(
    zapbench: Command, tmp_path: Path
) -> None:
    before = damaged(tmp_path / "r", *RECORDED[:7], b"garbage\n", *RECORDED[7:])
    seen = zapbench("compare", "r", "r")
    assert "incomplete: r/records.jsonl.gz is damaged" in seen.out
    done = zapbench("repair", "r")
    assert done.status == 0
    assert done.out.startswith("r: kept figures of ")
    kept = tmp_path / "r" / "damaged-1-records.jsonl.gz"
    assert done.out.endswith(f"as it was, the file is r/{kept.name}\n")
    assert kept.read_bytes() == before
    assert (tmp_path / "r" / store.SUITE).is_file()
    assert "is damaged" not in zapbench("compare", "r", "r").out
    assert zapbench("repair", "r").out.startswith("r: not damaged, figures of ")


def test_nothing_is_lost_of_records_that_are_whole(zapbench: Command, tmp_path: Path) -> None:
    damaged(tmp_path / "r", *RECORDED)
    assert zapbench("repair", "r").status == 0
    assert record.load(tmp_path / "r" / store.RECORDS).records == record.collect(RECORDED).records


def test_what_cannot_be_repaired_is_one_line_and_untouched(
    zapbench: Command, tmp_path: Path
) -> None:
    data = damaged(tmp_path / "r", b"garbage\n", *a_stream()[1:])
    done = zapbench("repair", "r")
    assert done.status == 2
    assert "is not a zapbench record file" in done.line
    assert (tmp_path / "r" / store.RECORDS).read_bytes() == data


def test_results_that_are_being_written_are_not_repaired(zapbench: Command, tmp_path: Path) -> None:
    damaged(tmp_path / "r", *RECORDED)
    with only_writer(tmp_path / "r"):
        done = zapbench("repair", "r")
    assert done.status == 2
    assert "another run writes into r: wait for it" in done.line


@pytest.mark.parametrize("compressed", [True, False])
def test_of_a_file_that_was_cut_off_nothing_is_thrown_away(
    zapbench: Command, tmp_path: Path, *, compressed: bool
) -> None:
    whole = damaged(tmp_path / "r", *RECORDED)
    name = store.RECORDS
    if not compressed:
        (tmp_path / "r" / name).unlink()
        name, whole = "records.jsonl", b"".join(RECORDED)
    data = whole[: len(whole) // 2]
    (tmp_path / "r" / name).write_bytes(data)
    assert b"".join(RECORDED).find(data[-20:] + b"\n") == -1, "cut between two records"
    done = zapbench("repair", "r")
    assert done.status == 0
    assert done.out.startswith("r: cut off, kept figures of ")
    assert "; incomplete: r/records.jsonl" in done.out
    kept = tmp_path / "r" / f"damaged-1-{name}"
    assert done.out.endswith(f"; as it was, the file is r/{kept.name}\n")
    assert kept.read_bytes() == data
    again = zapbench("repair", "r").out
    assert again.startswith("r: not whole, figures of ")
    assert "as it was" not in again


def test_a_file_that_was_cut_off_between_two_records_is_not_whole(
    zapbench: Command, tmp_path: Path
) -> None:
    damaged(tmp_path / "r", *RECORDED[:-1])
    done = zapbench("repair", "r")
    assert done.out.startswith("r: not whole, figures of ")
    assert "was cut off" in done.out
    assert "together with: zapbench run --resume -o r" in done.out
    assert "as it was" not in done.out
