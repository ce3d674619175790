# SPDX-License-Identifier: GPL-2.0-only
"""Streams of records, whole and damaged."""

import pytest
import synthetic
from hypothesis import given
from hypothesis import strategies as st
from made_stream import CASE, RUN, a_stream

from zapbench import record
from zapbench.error import SchemaError, Truncated
from zapbench.record import Context, Samples


def test_streams_are_read_in_order() -> None:
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
def test_a_foreign_first_line_is_named_for_what_it_is(line: bytes, said: str) -> None:
    with pytest.raises(SchemaError, match=said):
        list(record.parse([line], "file"))


def test_a_damaged_line_is_named_by_its_number() -> None:
    lines = a_stream()
    lines[1] = lines[1].replace(b'"values":[1', b'"values":["1"')
    with pytest.raises(SchemaError, match=r"file: line 2: Expected `int`, got `str`"):
        list(record.parse(lines, "file"))
    lines[1] = b'{"v":1,\x00\n'
    with pytest.raises(SchemaError, match="line 2 is damaged"):
        list(record.parse(lines, "file"))


def test_a_lost_line_is_noticed() -> None:
    lines = a_stream()
    del lines[1]
    with pytest.raises(SchemaError, match="counts 1 samples records, 0 are there"):
        list(record.parse(lines, "file"))


def test_records_before_a_context_are_refused() -> None:
    with pytest.raises(SchemaError, match="expected a context"):
        list(record.parse(a_stream()[1:], "file"))


def test_a_stream_without_end_is_truncated_after_what_there_was() -> None:
    came: list[record.Record] = []
    with pytest.raises(Truncated, match="boot 0 on synthetic was cut off"):
        came.extend(record.parse(a_stream()[:-1]))
    recording = record.collect(a_stream()[:-1])
    assert len(recording.records) == 3
    assert "boot 0" in (recording.truncated or "")


def test_a_cut_stream_before_a_whole_one_is_still_reported() -> None:
    recording = record.collect(a_stream(0)[:-1] + a_stream(1))
    assert "boot 0" in (recording.truncated or "")
    assert len(recording.of(Context)) == 2


@given(st.integers(0, 10_000))
def test_a_cut_anywhere_is_truncated_and_never_damaged(cut: int) -> None:
    text = b"".join(a_stream())
    part = text[: cut % len(text)]
    recording = record.collect(part.splitlines(keepends=True))
    assert recording.truncated is not None
    assert len(recording.records) >= part.count(b"\n")


def test_finished_pairs_leave_out_what_was_interrupted() -> None:
    records = (
        synthetic.samples(RUN, "a/-/shmem/4k/4k", (1,)),
        synthetic.skip(RUN, "b"),
        synthetic.error(RUN, "c"),
        synthetic.error(RUN, "d", "interrupted", 125),
        synthetic.contract(RUN, "contract/dontneed/shmem/4k/64k"),
    )
    assert record.finished(records) == {(0, "a/-/shmem/4k/4k"), (0, "b"), (0, "c")}


def test_an_interrupted_case_is_no_failure_once_it_was_measured() -> None:
    interrupted = synthetic.error(RUN, CASE, "interrupted", 125)
    assert record.failures([interrupted]) == [interrupted]
    assert record.failures([interrupted, synthetic.samples(RUN, CASE, (1,))]) == []
