# SPDX-License-Identifier: GPL-2.0-only
"""What is kept of damaged record files: every record that can be vouched for, and no other."""

import gzip
import itertools
import random
from collections.abc import Iterable
from pathlib import Path

import msgspec
import pytest
import synthetic
from hypothesis import given
from hypothesis import strategies as st

from zapbench import record
from zapbench.error import OtherVersion, SchemaError
from zapbench.record import Context, Record, Samples, Writer, decode, encode, finished
from zapbench.record.salvage import inflate, salvage

SIZES = ("4k", "64k", "2m")


def a_run(boot: int, build_id: str = "ab" * 20, value: int = 1, cases: int = 3) -> list[bytes]:
    """A whole stream of a boot, whose figures are all one value."""
    run = synthetic.run_of(boot)
    names = [f"zap/remap/shmem/4k/{size}" for size in SIZES[:cases]]
    first, *rest = synthetic.stream(run, *(synthetic.samples(run, n, (value,)) for n in names))
    context = msgspec.structs.replace(decode(first), build_id=build_id)
    return [encode(context), *rest]


def kept(lines: Iterable[bytes]) -> list[Record]:
    found, recording = salvage(list(lines), "it")
    assert [decode(line) for line in found] == list(recording.records)
    # What is kept is a file that is not damaged.
    assert record.collect(found).records == recording.records
    return list(recording.records)


def figures(records: Iterable[Record]) -> dict[tuple[int, str], int]:
    """The figure of each boot and case; each is there once."""
    samples = [each for each in records if isinstance(each, Samples)]
    assert len({(each.run.boot, each.case) for each in samples}) == len(samples)
    return {(each.run.boot, each.case): each.values[0] for each in samples if each.values}


def test_a_damaged_line_costs_its_stream_that_line_and_the_end() -> None:
    whole = [*a_run(0), *a_run(1)]
    damaged = [*whole]
    damaged[2] = damaged[2].replace(b'"values"', b'"valves"')
    assert kept(damaged) == [decode(line) for n, line in enumerate(whole) if n not in {2, 4}]


def test_lines_of_two_runs_go_to_their_boots() -> None:
    both = [line for pair in zip(a_run(0), a_run(1), strict=True) for line in pair]
    assert kept(both) == [decode(line) for line in (*a_run(0), *a_run(1))]


def test_of_two_runs_of_one_boot_each_case_is_kept_once() -> None:
    mixed = [line for pair in zip(a_run(0), a_run(0, value=2), strict=True) for line in pair]
    found = kept(mixed)
    assert set(figures(found)) == finished(decode(line) for line in a_run(0))
    assert [each.seed for each in found if isinstance(each, Context)] == [7, 7]


def test_a_stream_with_its_end_goes_before_one_that_was_cut_off() -> None:
    cut = a_run(0, value=1)[:-2]
    assert set(figures(kept([b"damaged\n", *cut, *a_run(0, value=2)])).values()) == {2}


def test_records_that_may_be_of_another_kernel_are_left_out() -> None:
    one, other = a_run(0, "01" * 20, value=1), a_run(0, "02" * 20, value=2)
    mixed = [*one[:2], *other[:2], *one[2:], *other[2:]]
    assert set(figures(kept(mixed)).values()) == {1}
    assert figures(kept(mixed)) == figures(decode(line) for line in one[:2])
    # One that was cut off, and the next of another kernel: nothing is mixed.
    after = kept([b"damaged\n", *one[:2], *other])
    assert set(figures(after).values()) == {2}


def test_records_without_a_context_are_left_out() -> None:
    assert kept([*a_run(0)[1:], *a_run(1)]) == [decode(line) for line in a_run(1)]
    assert salvage(a_run(0)[1:], "it")[0] == []


def test_a_record_of_another_version_is_not_taken_for_damage() -> None:
    other = a_run(1)[1].replace(b'"v":1', b'"v":9')
    with pytest.raises(OtherVersion, match="version 9"):
        salvage([*a_run(0), other, b"damaged\n"], "it")


@given(st.randoms(use_true_random=False), st.integers(1, 4), st.integers(0, 6))
def test_what_is_kept_is_what_was_written_and_not_damaged(
    rng: random.Random, writers: int, damages: int
) -> None:
    streams = [a_run(boot, value=boot) for boot in range(writers)]
    order = [boot for boot, stream in enumerate(streams) for _ in stream]
    rng.shuffle(order)
    lines = [iter(stream) for stream in streams]
    mixed = [next(lines[boot]) for boot in order]
    hit = set(rng.sample(range(len(mixed)), min(damages, len(mixed))))
    damaged = [
        line[: rng.randrange(len(line) - 1)] + b"\n" if n in hit else line
        for n, line in enumerate(mixed)
    ]
    good = [line for n, line in enumerate(mixed) if n not in hit]
    begun = {decode(line).run for line in good if isinstance(decode(line), Context)}
    wanted = [decode(line) for line in good if decode(line).run in begun]
    assert figures(kept(damaged)) == figures(wanted)


def members(count: int) -> tuple[list[bytes], list[bytes]]:
    texts = [b"".join(a_run(boot, value=boot)) for boot in range(count)]
    return texts, [gzip.compress(text, mtime=0) for text in texts]


def test_only_members_with_a_right_check_sum_are_inflated() -> None:
    texts, packed = members(4)
    assert inflate(b"".join(packed)).text == b"".join(texts)
    for position in range(10, len(packed[1]) - 4):
        flipped = bytearray(packed[1])
        flipped[position] ^= 4
        found = inflate(packed[0] + bytes(flipped) + packed[2] + packed[3])
        assert found.text == texts[0] + texts[2] + texts[3]
        assert found.damaged == len(packed[0])


@pytest.mark.parametrize("gap", [bytes(5000), b"\x1f\x8b\x08" * 99, b"half a line"])
def test_what_lies_between_members_is_skipped(gap: bytes) -> None:
    texts, packed = members(3)
    found = inflate(gap + packed[0] + gap + packed[1] + packed[2][:-9])
    assert found.text.startswith(texts[0] + texts[1])
    assert texts[2].startswith(found.text[len(texts[0] + texts[1]) :])
    assert (found.damaged, found.cut) == (0, 2 * len(gap) + len(packed[0]) + len(packed[1]))


def test_a_long_file_that_is_damaged_in_one_place_loses_little(tmp_path: Path) -> None:
    path = tmp_path / "records.jsonl.gz"
    with Writer(path) as writer:
        for boot in range(4000):
            for line in a_run(boot, value=boot):
                writer.write(line)
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    recording = record.load(path)
    assert recording.truncated is not None
    assert "is damaged" in recording.truncated
    found = figures(recording.records)
    assert 10_000 < len(found) < 12_000
    assert all(value == boot for (boot, _), value in found.items())


def test_a_damaged_file_is_gone_on_with_and_kept_as_it_was(tmp_path: Path) -> None:
    path, plain = tmp_path / "records.jsonl.gz", tmp_path / "records.jsonl"
    damaged = [*a_run(0)[:2], b"{}\n", *a_run(1)]
    for number, where in enumerate((plain, path), 1):
        text = b"".join(damaged)
        where.write_bytes(text if where == plain else gzip.compress(text))
        before = where.read_bytes()
        assert record.load(path).truncated is not None
        with Writer(path) as writer:
            for line in a_run(2):
                writer.write(line)
        assert writer.damaged is not None
        assert writer.damaged.read_bytes() == before
        after = record.load(path)
        assert set(figures(after.records)) == {(0, "zap/remap/shmem/4k/4k")} | {
            (boot, f"zap/remap/shmem/4k/{size}") for boot, size in itertools.product((1, 2), SIZES)
        }
        assert len(list(tmp_path.glob("damaged-*"))) == number
        with Writer(path) as writer:
            assert writer.damaged is None


def test_a_file_in_which_nothing_is_left_says_so(tmp_path: Path) -> None:
    path = tmp_path / "records.jsonl.gz"
    data = bytearray(gzip.compress(b"".join(a_run(0))))
    data[40] ^= 1
    path.write_bytes(data)
    with pytest.raises(SchemaError, match="is damaged, and nothing in it can be kept"):
        record.load(path)
    assert path.read_bytes() == data


def text(*streams: list[bytes]) -> bytes:
    return b"".join(itertools.chain(*streams))


WHOLE = text(a_run(0), a_run(1))
AFTER_A_CRASH = {
    "an empty one": b"",
    "one of zeros": bytes(4096),
    "one that was cut": WHOLE[: len(WHOLE) // 3],
    "one of another run": text(a_run(5)),
}


@pytest.mark.parametrize("left", AFTER_A_CRASH.values(), ids=AFTER_A_CRASH)
def test_a_plain_file_that_a_crash_left_hides_no_compressed_one(
    tmp_path: Path, left: bytes
) -> None:
    path, plain = tmp_path / "records.jsonl.gz", tmp_path / "records.jsonl"
    path.write_bytes(gzip.compress(WHOLE))
    plain.write_bytes(left)
    whole = record.collect(WHOLE.splitlines(keepends=True))
    assert record.load(path).records == whole.records
    with Writer(path) as writer:
        for line in a_run(2):
            writer.write(line)
    assert record.load(path).records[: len(whole.records)] == whole.records
    kept = writer.damaged
    if WHOLE.startswith(left):
        assert kept is None  # the other holds it all
    else:
        assert kept is not None
        assert kept.read_bytes() == left
