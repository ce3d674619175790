# SPDX-License-Identifier: GPL-2.0-only
import gzip
import json
import os
from pathlib import Path

import jsonschema
import msgspec
import pytest
import synthetic
from hypothesis import given, settings
from hypothesis import strategies as st

import zapbench
from zapbench import record
from zapbench.error import DiskFull, SchemaError, Truncated
from zapbench.record import Context, End, Recording, Samples, Writer

SCHEMA = Path(zapbench.__file__).parent / "schema" / f"record-v{record.VERSION}.json"
CASE = "zap/dontneed/shmem/4k/4k"
RUN = synthetic.run_of()


def a_stream(boot: int = 0, values: tuple[int, ...] = (1, 2, 3)) -> list[bytes]:
    run = synthetic.run_of(boot)
    return synthetic.stream(run, synthetic.samples(run, CASE, values), synthetic.skip(run, "x"))


def test_every_kind_survives_encoding_and_decoding():
    kinds = (
        synthetic.context(RUN),
        synthetic.samples(RUN, CASE, (1, 2)),
        synthetic.contract(RUN, "contract/dontneed/shmem/4k/64k"),
        synthetic.skip(RUN, CASE),
        synthetic.error(RUN, CASE),
        End(1, 2, 3, 4, v=1, run=RUN),
    )
    for each in kinds:
        assert record.decode(record.encode(each)) == each


def test_committed_schema_is_that_of_the_structs():
    assert json.loads(SCHEMA.read_text()) == record.json_schema(), "run: make generate"


def test_schema_accepts_what_the_reader_accepts_and_refuses_what_it_refuses():
    schema = json.loads(SCHEMA.read_text())
    good = json.loads(a_stream()[1])
    jsonschema.validate(good, schema)
    for change in ({"v": 2}, {"kind": "sample"}, {"values": []}, {"values": [-1]}, {"more": 1}):
        bad = good | change
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate(bad, schema)
        with pytest.raises(SchemaError):
            record.decode(json.dumps(bad).encode())


def test_streams_are_read_in_order():
    recording = record.collect(a_stream(0) + a_stream(1))
    assert recording.truncated is None
    assert [context.run.boot for context in recording.of(Context)] == [0, 1]
    assert recording.of(Samples)[0].values == (1, 2, 3)


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (b"PNG\r\n", "not a zapbench record file"),
        (b'{"some": "json"}\n', "not a zapbench record file"),
        (b'{"v":2,"kind":"context"}\n', "version 2, this zapbench reads version 1"),
        (b'{"v":1,"kind":"context"}\n', "line 1: Object missing required field"),
        (b'{"v":1,"kind":"novel"}\n', "line 1: Invalid value 'novel'"),
    ],
)
def test_a_foreign_first_line_is_named_for_what_it_is(line, said):
    with pytest.raises(SchemaError, match=said):
        list(record.parse([line], "file"))


def test_a_damaged_line_is_named_by_its_number():
    lines = a_stream()
    lines[1] = lines[1].replace(b'"values":[1', b'"values":["1"')
    with pytest.raises(SchemaError, match=r"file: line 2: Expected `int`, got `str`"):
        list(record.parse(lines, "file"))
    lines[1] = b'{"v":1,\x00\n'
    with pytest.raises(SchemaError, match="line 2 is damaged"):
        list(record.parse(lines, "file"))


def test_a_lost_line_is_noticed():
    lines = a_stream()
    del lines[1]
    with pytest.raises(SchemaError, match="counts 1 samples records, 0 are there"):
        list(record.parse(lines, "file"))


def test_records_before_a_context_are_refused():
    with pytest.raises(SchemaError, match="expected a context"):
        list(record.parse(a_stream()[1:], "file"))


def test_a_stream_without_end_is_truncated_after_what_there_was():
    came = []
    with pytest.raises(Truncated, match="boot 0 on synthetic was cut off"):
        came.extend(record.parse(a_stream()[:-1]))
    recording = record.collect(a_stream()[:-1])
    assert len(recording.records) == 3
    assert "boot 0" in recording.truncated


def test_a_cut_stream_before_a_whole_one_is_still_reported():
    recording = record.collect(a_stream(0)[:-1] + a_stream(1))
    assert "boot 0" in recording.truncated
    assert len(recording.of(Context)) == 2


@given(st.integers(0, 10_000))
def test_a_cut_anywhere_is_truncated_and_never_damaged(cut):
    text = b"".join(a_stream())
    part = text[: cut % len(text)]
    recording = record.collect(part.splitlines(keepends=True))
    assert recording.truncated is not None
    assert len(recording.records) >= part.count(b"\n")


def test_an_empty_file_is_truncated(tmp_path):
    path = tmp_path / "records.jsonl.gz"
    path.write_bytes(b"")
    assert "before its first record" in record.load(path).truncated


@pytest.mark.parametrize("compress", [lambda text: text, gzip.compress])
def test_load_reads_plain_and_compressed_files(tmp_path, compress):
    path = tmp_path / "records"
    path.write_bytes(compress(b"".join(a_stream())))
    recording = record.load(path)
    assert recording == Recording(str(path), recording.records, None)
    assert len(recording.records) == 4


def test_load_says_what_a_file_is_that_cannot_be_read(tmp_path):
    with pytest.raises(SchemaError, match=r"cannot read .*No such file"):
        record.load(tmp_path / "absent")
    foreign = tmp_path / "foreign.gz"
    foreign.write_bytes(b"\x1f\x8bnot gzip at all")
    with pytest.raises(SchemaError, match="damaged after byte 0"):
        record.load(foreign)
    foreign.write_bytes(os.urandom(100).replace(b"\x1f", b"\x00"))
    with pytest.raises(SchemaError, match="not a zapbench record file"):
        record.load(foreign)


def test_the_writer_appends_members_that_any_gzip_reads(tmp_path):
    path = tmp_path / "records.jsonl.gz"
    for boot in range(3):
        with Writer(path) as writer:
            for line in a_stream(boot):
                writer.write(line)
    assert gzip.decompress(path.read_bytes()) == b"".join(a_stream(0) + a_stream(1) + a_stream(2))
    assert record.load(path).truncated is None


@settings(deadline=None)
@given(st.integers(1, 10_000))
def test_a_member_cut_by_a_crash_is_mended_when_writing_goes_on(tmp_path_factory, cut):
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


def test_a_full_disk_leaves_what_was_there(small_disk):
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


def test_a_device_that_is_always_full():
    writer = Writer(Path("/dev/full"))
    writer.write(b"line\n")
    with pytest.raises(DiskFull, match="cannot write /dev/full"):
        writer.close()


def test_finished_pairs_leave_out_what_was_interrupted():
    records = (
        synthetic.samples(RUN, "a/-/shmem/4k/4k", (1,)),
        synthetic.skip(RUN, "b"),
        synthetic.error(RUN, "c"),
        synthetic.error(RUN, "d", "interrupted", 125),
        synthetic.contract(RUN, "contract/dontneed/shmem/4k/64k"),
    )
    assert record.finished(records) == {(0, "a/-/shmem/4k/4k"), (0, "b"), (0, "c")}


def test_an_interrupted_case_is_no_failure_once_it_was_measured():
    interrupted = synthetic.error(RUN, CASE, "interrupted", 125)
    assert record.failures([interrupted]) == [interrupted]
    assert record.failures([interrupted, synthetic.samples(RUN, CASE, (1,))]) == []
