# SPDX-License-Identifier: GPL-2.0-only
"""Record files: appended to, cut, and full disks."""

import contextlib
import gzip
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import limits
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from made_stream import a_stream
from places import TESTS

from zapbench import record
from zapbench.error import DiskFull, EnvironmentMissing, SchemaError
from zapbench.record import Context, Recording, Writer


def test_an_empty_file_is_truncated(tmp_path: Path) -> None:
    path = tmp_path / "records.jsonl.gz"
    path.write_bytes(b"")
    assert "before its first record" in (record.load(path).truncated or "")


@pytest.mark.parametrize("compress", [lambda text: text, gzip.compress])
def test_load_reads_plain_and_compressed_files(
    tmp_path: Path, compress: Callable[[bytes], bytes]
) -> None:
    path = tmp_path / "records"
    path.write_bytes(compress(b"".join(a_stream())))
    recording = record.load(path)
    assert recording == Recording(str(path), recording.records, None)
    assert len(recording.records) == 4


def test_load_says_what_a_file_is_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(SchemaError, match=r"cannot read .*No such file"):
        record.load(tmp_path / "absent")
    foreign = tmp_path / "foreign.gz"
    foreign.write_bytes(b"\x1f\x8bnot gzip at all")
    with pytest.raises(SchemaError, match="is damaged, and nothing in it can be kept"):
        record.load(foreign)
    foreign.write_bytes(os.urandom(100).replace(b"\x1f", b"\x00"))
    with pytest.raises(SchemaError, match="not a zapbench record file"):
        record.load(foreign)


def text_of(*boots: int) -> bytes:
    return b"".join(line for boot in boots for line in a_stream(boot))


def names(directory: Path) -> list[str]:
    return sorted(path.name for path in directory.iterdir())


def written(path: Path, *boots: int) -> None:
    with Writer(path) as writer:
        for boot in boots:
            for line in a_stream(boot):
                writer.write(line)


def test_records_are_plain_while_they_are_written_and_one_gzip_member_in_the_end(
    tmp_path: Path,
) -> None:
    path = tmp_path / "records.jsonl.gz"
    for boot in range(3):
        with Writer(path) as writer:
            for line in a_stream(boot):
                writer.write(line)
            writer.flush()
            assert (tmp_path / "records.jsonl").read_bytes() == text_of(*range(boot + 1))
            assert len(record.load(path).of(Context)) == boot + 1
        assert names(tmp_path) == ["records.jsonl.gz"]
    assert path.read_bytes() == gzip.compress(text_of(0, 1, 2), compresslevel=6, mtime=0)
    assert record.load(path).truncated is None


def test_a_second_writer_is_refused_while_the_first_one_writes(tmp_path: Path) -> None:
    path = tmp_path / "records.jsonl.gz"
    with Writer(path) as writer:
        writer.write(a_stream()[0])
        writer.flush()
        with pytest.raises(EnvironmentMissing, match=r"another run writes into .*: wait for it"):
            Writer(path)
    assert gzip.decompress(path.read_bytes()) == a_stream()[0]
    written(path, 1)


def old(*boots: int) -> bytes:
    """A file as it was written by members, one a boot."""
    return b"".join(gzip.compress(text_of(boot), mtime=0) for boot in boots)


@given(st.integers(1, 10_000))
@example(-1)
@example(-2)
def test_a_member_cut_by_a_crash_is_gone_on_with(
    tmp_path_factory: pytest.TempPathFactory, cut: int
) -> None:
    path = tmp_path_factory.mktemp("crash") / "records.jsonl.gz"
    whole = old(0, 1)
    left = len(whole) - cut % len(whole)
    path.write_bytes(whole[:left])
    kept = record.load(path)
    assert (kept.truncated is None) == (left in (len(old(0)), len(whole)))
    written(path, 2)
    after = record.load(path)
    assert after.of(Context)[-1].run.boot == 2
    assert after.records[: len(kept.records)] == kept.records


PLAIN, GZIP = "records.jsonl", "records.jsonl.gz"
BEFORE: dict[str, dict[str, bytes]] = {
    "nothing": {},
    "complete": {GZIP: gzip.compress(text_of(0))},
    "by members": {GZIP: old(0, 1)},
    "a cut member": {GZIP: old(0, 1)[:-20]},
    "a crash": {PLAIN: text_of(0) + a_stream(1)[0][:-30]},
    "a crash when gone on with": {PLAIN: text_of(0, 1), GZIP: old(0)},
    "a crash between renaming and removing": {PLAIN: text_of(0), GZIP: gzip.compress(text_of(0))},
    "a crash when compressing": {PLAIN: text_of(0), f".{GZIP}.1": gzip.compress(text_of(0))[:20]},
}


@pytest.mark.parametrize("before", BEFORE.values(), ids=BEFORE)
def test_killed_at_any_step_a_writer_loses_and_doubles_nothing(
    tmp_path: Path, before: dict[str, bytes]
) -> None:
    template, place, lines = tmp_path / "template", tmp_path / "place", tmp_path / "lines"
    template.mkdir()
    for name, content in before.items():
        (template / name).write_bytes(content)
    lines.write_bytes(text_of(7))
    script = [sys.executable, str(TESTS / "killed_writer.py")]
    subprocess.run([*script, template, place, lines], check=True, timeout=limits.seconds(120))
    kept = record.load(template / GZIP).records if before else ()
    wanted = [*kept, *record.collect(a_stream(7)).records]
    steps = [path for path in place.iterdir() if path.is_dir()]
    assert len(steps) > 50
    for directory in steps:
        told = directory.with_name(f"{directory.name}.told")
        least = len(kept) + (told.stat().st_size if told.exists() else 0)
        if before or record.is_there(directory / GZIP):
            found = list(record.load(directory / GZIP).records)
            assert found == wanted[: len(found)], directory
            assert len(found) >= least, directory
        written(directory / GZIP, 8)
        assert names(directory) == [GZIP]
        text = gzip.decompress((directory / GZIP).read_bytes())
        assert text.endswith(text_of(8))
        records = [record.decode(line) for line in text.removesuffix(text_of(8)).splitlines()]
        assert records == wanted[: len(records)], directory
        assert len(records) >= least, directory
    assert record.load(place / str(len(steps)) / GZIP).of(Context)[-2].run.boot == 7


def test_what_is_dropped_does_not_come_back(tmp_path: Path) -> None:
    path = tmp_path / GZIP
    written(path, 0, 1, 2)
    with Writer(path) as writer:
        writer.drop(range(1, 3))
        assert (tmp_path / PLAIN).read_bytes() == text_of(0)
        killed_now = tmp_path / "killed"
        shutil.copytree(tmp_path, killed_now)
        for line in a_stream(2):
            writer.write(line)
    assert gzip.decompress(path.read_bytes()) == text_of(0, 2)
    assert [each.run.boot for each in record.load(killed_now / GZIP).of(Context)] == [0]


def test_on_a_full_disk_nothing_is_dropped(small_disk: Path) -> None:
    path = small_disk / GZIP
    written(path, 0, 1)
    with Writer(path) as writer:
        fill(small_disk, 0)
        with pytest.raises(DiskFull, match=r"records.jsonl: No space left.*holds what it held"):
            writer.drop(range(1, 2))
        (small_disk / "ballast").unlink()
        writer.drop(range(1))
    assert [each.run.boot for each in record.load(path).of(Context)] == [1]


def fill(disk: Path, left: int) -> None:
    """Take all of the space on a disk but so many bytes."""
    ballast = disk / "ballast"
    with contextlib.suppress(OSError), ballast.open("wb", buffering=0) as file:
        while file.write(bytes(4096)) == 4096:
            pass
    os.truncate(ballast, ballast.stat().st_size // 4096 * 4096 - left)


def test_a_full_disk_leaves_what_was_there(small_disk: Path) -> None:
    path = small_disk / "records.jsonl.gz"
    written(path, 0)
    writer = Writer(path)
    with pytest.raises(DiskFull, match=r"records.jsonl: No space left.*finished before: make room"):
        writer.write(text_of(1) + bytes(1 << 20))
    assert (small_disk / "records.jsonl").read_bytes() == text_of(0, 1)  # the lines that fitted
    writer.close()
    assert gzip.decompress(path.read_bytes()) == text_of(0, 1)


def test_a_disk_too_full_to_compress_on_keeps_the_plain_text(small_disk: Path) -> None:
    path = small_disk / "records.jsonl.gz"
    writer = Writer(path)
    for line in a_stream():
        writer.write(line)
    writer.flush()
    fill(small_disk, 0)
    said = r"records.jsonl.gz: No space left.*; records.jsonl holds what was finished: make room"
    with pytest.raises(DiskFull, match=said):
        writer.close()
    assert names(small_disk) == ["ballast", "records.jsonl"]
    assert record.load(path).records == record.collect(a_stream()).records
    (small_disk / "ballast").unlink()
    written(path, 1)
    assert gzip.decompress(path.read_bytes()) == text_of(0, 1)


def test_a_disk_too_full_to_decompress_on_keeps_the_compressed(small_disk: Path) -> None:
    path = small_disk / "records.jsonl.gz"
    written(path, 0)
    fill(small_disk, 0)
    with pytest.raises(DiskFull, match=r"cannot write .*No space left"):
        Writer(path)
    assert names(small_disk) == ["ballast", "records.jsonl.gz"]
    assert gzip.decompress(path.read_bytes()) == text_of(0)


def test_a_device_that_is_always_full() -> None:
    writer = Writer(Path("/dev/full"))
    writer.write(b"line\n")
    with pytest.raises(DiskFull, match="cannot write /dev/full"):
        writer.close()
