# SPDX-License-Identifier: GPL-2.0-only
"""Samples are found by who read the clock, and are what was recorded, or it is an error."""

from collections.abc import Sequence
from pathlib import Path

import made_trace
import pytest
import synthetic
from made_trace import USER, F, Seen, empties
from msgspec.structs import replace

from zapbench.error import Unexplained
from zapbench.explain.windows import Case, cases
from zapbench.record import CaseTotal, Histogram, Record, Samples

RUN = synthetic.run_of(tier="icount")
ZAP = "zap/madv_zap/shmem/4k/4k"


def record(name: str, values: tuple[int, ...], **fields: object) -> Samples:
    made = synthetic.samples(RUN, name, values, empty=10)
    return replace(made, **{"unit": "instructions", "case_total": None, **fields})


def round_of(value: int) -> list[Seen]:
    """Of `zap`: begin, end, and a look."""
    ends = [Seen("run", {USER: 1000}), Seen("run", {F: value - 2, USER: 2})]
    return [*ends, Seen("timing_look", {F: 3}), Seen("timing_look", {F: 50})]


def zap(*values: int, finish: bool = False) -> list[Seen]:
    rounds = [seen for value in (500, 400, *values) for seen in round_of(value)]
    return empties() + rounds + [Seen("timing_finish", {F: 7})] * finish


def found(directory: Path, marks: Sequence[Seen], *records: Record) -> list[Case]:
    return cases(made_trace.made(directory, marks), records, made_trace.PROGRAM)


def lengths(case: Case, marks: Sequence[Seen]) -> list[int]:
    sums = [sum(mark.counts.values()) for mark in marks]
    return [sum(sums[at] for window in each for at in window) for each in case.samples]


def test_warm_up_rounds_are_left_out(tmp_path: Path) -> None:
    marks = [Seen("run", {USER: 9}), *zap(300, 310), *zap(320)]
    first, second = found(tmp_path, marks, record(ZAP, (300, 310)), record(ZAP, (320,)))
    assert lengths(first, marks) == [300, 310]
    assert lengths(second, marks) == [320]
    assert sum(marks[at].counts[USER] for window in first.empty for at in window) == 10


def test_a_case_as_a_whole_has_no_looks(tmp_path: Path) -> None:
    marks = zap(300, 310, finish=True)
    total = 300 + 3 + (1000 + 310) + 3 + 7
    (case,) = found(tmp_path, marks, record(ZAP, (300, 310), case_total=CaseTotal(total, 2)))
    assert case.whole is not None
    assert sum(sum(marks[at].counts.values()) for each in case.whole for at in each) == total
    wrong = record(ZAP, (300, 310), case_total=CaseTotal(total + 1, 2))
    with pytest.raises(Unexplained, match=rf"the whole case was recorded as {total + 1} instr"):
        found(tmp_path, marks, wrong)


def test_a_cycle_leaves_out_what_was_looked_at(tmp_path: Path) -> None:
    five = [Seen("run", {F: 1}), Seen("run", {F: 20}), Seen("timing_look", {F: 2})]
    five += [Seen("timing_look", {F: 400}), Seen("run", {F: 5}), Seen("run", {F: 30})]
    five += [Seen("run", {F: 40})]
    marks = empties() + five * 2
    (case,) = found(tmp_path, marks, record("cycle/madv_zap/shmem/4k/4k", (90,)))
    assert lengths(case, marks) == [90]


def test_faults_of_two_threads_lie_across_each_other(tmp_path: Path) -> None:
    """Four pages, two each; the stack of the thread that was made first lies above."""

    def mark(thread: int, count: int) -> Seen:
        return Seen("faulters_work", {F: count}, stack=0x7000 - 0x1000 * thread)

    one = [mark(0, 1), mark(1, 2), mark(0, 10), Seen("handler_main", {F: 5}), mark(1, 20)]
    one += [mark(1, 30), mark(0, 40)]
    marks = empties() + one * 3  # to warm up, kept, to look at
    values = (2 + 10, 5 + 20 + 30 + 40, 10 + 5 + 20, 30)
    axes = {"threads": "2", "handlers": "1"}
    name = "minor_fault/madv_zap/shmem/4k/16k"
    made = record(name, values, axes=axes, workload="minor_fault", range_size=16 << 10)
    (case,) = found(tmp_path, marks, replace(made, page_size=4 << 10))
    assert lengths(case, marks) == list(values)


def test_a_pass_is_from_the_first_thread_to_the_last(tmp_path: Path) -> None:
    one = [Seen("member_main", {F: count}) for count in (1, 2, 30, 40)]
    marks = empties() + one * 2
    made = record("continue/-/shmem/4k/64k", (72, 72), axes={"threads": "2"})
    (case,) = found(tmp_path, marks, replace(made, workload="continue"))
    assert lengths(case, marks) == [72, 72]


def test_what_a_skipped_case_left_is_passed_over(tmp_path: Path) -> None:
    marks = zap(900) + zap(300)
    skip = synthetic.skip(RUN, "zap/remap/shmem/4k/4k/events=on")
    (case,) = found(tmp_path, marks, skip, record(ZAP, (300,)))
    assert lengths(case, marks) == [300]
    with pytest.raises(Unexplained):
        found(tmp_path, marks, record(ZAP, (300,)))


@pytest.mark.parametrize(
    ("values", "line"),
    [
        ((300, 311), "sample 1 was recorded as 311 instructions, counted were 310"),
        ((310, 300), "sample 0 was recorded as 310 instructions, counted were 300"),
        ((1,) * 5, "5 samples were recorded, the clock was read for 4"),
    ],
)
def test_what_differs_is_an_error(tmp_path: Path, values: tuple[int, ...], line: str) -> None:
    with pytest.raises(Unexplained, match=rf"^{ZAP}: {line}$"):
        found(tmp_path, zap(300, 310), record(ZAP, values))


def test_a_clock_that_was_never_read_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(Unexplained, match="no reading of the clock was seen"):
        found(tmp_path, [Seen("run", {F: 1})], record(ZAP, (300,)))


def test_an_empty_sample_of_another_cost_is_an_error(tmp_path: Path) -> None:
    made = replace(record(ZAP, (300,)), empty=11)
    with pytest.raises(Unexplained, match="an empty sample was recorded as 11 instructions"):
        found(tmp_path, zap(300), made)


def test_an_idle_cpu_is_said(tmp_path: Path) -> None:
    marks = zap(300)
    marks[-3] = Seen("run", {F: 290}, halts=1)
    with pytest.raises(Unexplained, match="counted were 290, the CPU being idle in it"):
        found(tmp_path, marks, record(ZAP, (300,)))


@pytest.mark.parametrize("most", [310, 311])
def test_a_histogram_is_compared(tmp_path: Path, most: int) -> None:
    buckets = ((256 + (300 - 256) // 2, 1), (256 + (310 - 256) // 2, 1))
    seen = Histogram(7, 300, most, 610, 2, buckets)
    made = replace(record(ZAP, (1,)), values=None, histogram=seen)
    if most == 310:
        (case,) = found(tmp_path, zap(300, 310), made)
        assert len(case.samples) == 2
    else:
        with pytest.raises(Unexplained, match="histogram is not that of what was counted"):
            found(tmp_path, zap(300, 310), made)
