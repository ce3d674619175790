# SPDX-License-Identifier: GPL-2.0-only
"""What is said of a result in which a stream was cut off."""

from collections.abc import Sequence
from pathlib import Path

import pytest
import synthetic

from zapbench.record import collect
from zapbench.result import request, store
from zapbench.result.store import Results
from zapbench.result.whole import made_up

CASES = ("zap/dontneed/shmem/4k/4k", "zap/remap/shmem/4k/4k")
HALF, REST = CASES[:1], CASES[1:]


def stream(boot: int, cases: Sequence[str], *, cut: bool = False) -> list[bytes]:
    run = synthetic.run_of(boot)
    lines = synthetic.stream(run, *(synthetic.samples(run, case, (5, 6, 7)) for case in cases))
    return lines[:-1] if cut else lines


def written(directory: Path, *streams: list[bytes]) -> Path:
    directory.mkdir()
    text = b"".join(line for lines in streams for line in lines)
    (directory / "records.jsonl").write_bytes(text)
    return directory


def asked(directory: Path, boots: int | None, globs: tuple[str, ...] = CASES) -> None:
    request.keep(directory, "run", request.Asked(globs=globs, boots=boots))


@pytest.mark.parametrize(
    ("boots", "streams", "whole"),
    [
        (2, [stream(0, HALF, cut=True), stream(0, REST), stream(1, CASES)], True),
        (2, [stream(0, CASES), stream(1, CASES, cut=True)], True),
        (3, [stream(0, CASES), stream(1, CASES, cut=True)], False),
        (2, [stream(0, HALF, cut=True), stream(1, CASES)], False),
        (2, [stream(0, HALF, cut=True), stream(1, HALF)], False),
        (3, [stream(0, CASES), stream(1, CASES)], False),
        (2, [stream(0, CASES), stream(1, CASES)], True),
        (None, [stream(0, HALF, cut=True), stream(0, REST), stream(1, CASES)], True),
        (None, [stream(0, CASES), stream(1, CASES, cut=True)], False),
        (None, [stream(0, HALF, cut=True), stream(1, HALF)], False),
    ],
)
def test_what_was_cut_off_is_a_remark_until_all_that_was_asked_for_is_there(
    tmp_path: Path, boots: int | None, streams: list[list[bytes]], whole: bool
) -> None:
    directory = written(tmp_path / "a b", *streams)
    asked(directory, boots)
    said = Results(directory).recording.truncated
    if whole:
        assert said is None
    else:
        assert said is not None
        assert said.endswith(f"; go on with: zapbench run --resume -o '{directory}'")
        assert said.count("--resume") == 1


def test_where_nobody_knows_what_was_asked_for_no_boot_may_lack_what_another_has() -> None:
    cut = stream(0, HALF, cut=True)
    for streams, whole in (
        ((cut, stream(0, REST), stream(1, CASES)), True),
        ((cut, stream(1, CASES)), False),
        ((stream(0, CASES), stream(1, CASES, cut=True)), False),
    ):
        assert made_up(collect([line for lines in streams for line in lines])) is whole


def test_without_a_request_the_words_are_to_be_repeated(tmp_path: Path) -> None:
    directory = written(tmp_path / "r", stream(0, HALF, cut=True))
    said = Results(directory).recording.truncated or ""
    assert said.endswith(f"together with: zapbench run --resume -o {directory}")


def test_a_glob_that_matches_nothing_here_is_as_if_nobody_had_asked(tmp_path: Path) -> None:
    directory = written(tmp_path / "r", stream(0, HALF, cut=True), stream(0, REST))
    asked(directory, 1, ("zap/no_such_method/*",))
    assert Results(directory).recording.truncated is None


def test_a_damaged_file_is_one_until_it_is_cleaned(tmp_path: Path) -> None:
    directory = written(tmp_path / "r", stream(0, CASES), [b"garbage\n"], stream(1, CASES))
    asked(directory, 2)
    said = Results(directory).recording.truncated or ""
    assert said.endswith(f"left out; clean it with: zapbench repair {directory}")
    store.repair(directory)
    assert Results(directory).recording.truncated is None


def test_a_record_file_by_itself_is_given_no_advice(tmp_path: Path) -> None:
    directory = written(tmp_path / "r", stream(0, HALF, cut=True))
    said = Results(directory / "records.jsonl").recording.truncated or ""
    assert said.endswith("what is there was kept")


def test_a_campaign_that_goes_on_says_so(tmp_path: Path) -> None:
    directory = written(tmp_path / "base", stream(0, CASES))
    request.keep(directory, "campaign", request.Asked(globs=CASES, boots=2))
    said = Results(directory).recording.truncated or ""
    assert said.endswith(f"go on with: zapbench campaign next -o {tmp_path}")
