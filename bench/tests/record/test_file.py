# SPDX-License-Identifier: GPL-2.0-only
"""Record files: appended to, cut, and full disks."""

import gzip
import os
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from made_stream import a_stream

from zapbench import record
from zapbench.error import DiskFull, SchemaError
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
    with pytest.raises(SchemaError, match="damaged after byte 0"):
        record.load(foreign)
    foreign.write_bytes(os.urandom(100).replace(b"\x1f", b"\x00"))
    with pytest.raises(SchemaError, match="not a zapbench record file"):
        record.load(foreign)


def test_the_writer_appends_members_that_any_gzip_reads(tmp_path: Path) -> None:
    path = tmp_path / "records.jsonl.gz"
    for boot in range(3):
        with Writer(path) as writer:
            for line in a_stream(boot):
                writer.write(line)
    assert gzip.decompress(path.read_bytes()) == b"".join(a_stream(0) + a_stream(1) + a_stream(2))
    assert record.load(path).truncated is None


@settings(deadline=None)
@given(st.integers(1, 10_000))
def test_a_member_cut_by_a_crash_is_mended_when_writing_goes_on(
    tmp_path_factory: pytest.TempPathFactory, cut: int
) -> None:
    path = tmp_path_factory.mktemp("crash") / "records.jsonl.gz"
    sizes = []
    for boot in range(2):
        with Writer(path) as writer:
            for line in a_stream(boot):
                writer.write(line)
        sizes.append(path.stat().st_size)
    whole = path.read_bytes()
    left = len(whole) - cut % len(whole)
    path.write_bytes(whole[:left])
    kept = record.load(path)
    assert (kept.truncated is None) == (left in sizes)
    with Writer(path) as writer:
        for line in a_stream(2):
            writer.write(line)
    after = record.load(path)
    assert after.of(Context)[-1].run.boot == 2
    assert after.records[: len(kept.records)] == kept.records


def test_a_full_disk_leaves_what_was_there(small_disk: Path) -> None:
    path = small_disk / "records.jsonl.gz"
    with Writer(path) as writer:
        for line in a_stream():
            writer.write(line)
    before = path.read_bytes()
    writer = Writer(path)
    noise = msgspec.json.encode(os.urandom(1 << 20).hex())  # does not compress to nothing
    with pytest.raises(DiskFull, match=r"No space left.*make room"):
        writer.write(noise + b"\n")
    writer.close()
    assert path.read_bytes()[: len(before)] == before
    text = gzip.decompress(path.read_bytes())
    assert text.startswith(b"".join(a_stream()))


def test_a_device_that_is_always_full() -> None:
    writer = Writer(Path("/dev/full"))
    writer.write(b"line\n")
    with pytest.raises(DiskFull, match="cannot write /dev/full"):
        writer.close()
