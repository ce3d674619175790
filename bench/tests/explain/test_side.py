# SPDX-License-Identifier: GPL-2.0-only
"""What a boot gave of a case, and what is said of one that it gave nothing of."""

import dataclasses
from pathlib import Path

import made_trace
import pytest
import synthetic
from made_trace import USER, F, G, Seen
from msgspec.structs import replace

from zapbench.error import CaseFailed, Unsupported, UsageError
from zapbench.explain.attribution import explained
from zapbench.explain.side import Booted, by_cost, side
from zapbench.explain.trace import By
from zapbench.record import Histogram

RUN = synthetic.run_of(tier="icount")
CASE = "zap/madv_zap/shmem/4k/4k"
SKIPPED, BROKEN = "zap/dontneed/shmem/4k/4k", "zap/remap/shmem/4k/4k"
TREE = [(0, 0), (0, USER), (0, F), (2, G)]


@pytest.fixture
def booted(tmp_path: Path) -> Booted:
    """Three samples of 30, 50 and 40 instructions, 10 of each the harness's."""
    marks = [Seen(each.who, each.counts, {1: each.counts[USER]}) for each in made_trace.empties()]
    for cost in (20, 40, 30):
        marks.append(Seen("run", {USER: 1}, {1: 1}))
        marks.append(Seen("run", {USER: 10, F: cost}, {1: 10, 2: cost}))
    trace = made_trace.made(tmp_path, marks, by=By.PATH, tree=TREE)
    record = synthetic.samples(RUN, CASE, (30, 50, 40), empty=10)
    record = replace(record, unit="instructions")
    found = explained(trace, [record], made_trace.PROGRAM, made_trace.known())
    others = synthetic.skip(RUN, SKIPPED, "no such call"), synthetic.error(RUN, BROKEN, "it broke")
    return Booted(side("6.12"), (record, *others), {CASE: found[0]})


def test_all_samples_one_of_them_and_the_one_in_the_middle(booted: Booted) -> None:
    figures, known = booted.samples(CASE)
    assert (figures.total, figures.operations) == (120, 3)
    assert {"f", "g"} <= set(known)
    assert booted.median(CASE) == 30
    assert booted.side.recorded(CASE) is None
    number, dearest = booted.sample(CASE, None)
    assert (number, dearest.figures.total) == (1, 50)
    assert booted.sample(CASE, 0)[1].figures.total == 30
    number, middle = booted.median_sample(CASE)
    assert (number, middle.figures.total) == (2, 40)
    assert by_cost((3, 1, 3, 2)) == [1, 3, 0, 2]


def test_what_is_not_there_is_a_line(booted: Booted) -> None:
    with pytest.raises(UsageError, match=f"^{CASE} has samples 0 to 2, and no 3$"):
        booted.sample(CASE, 3)
    with pytest.raises(UsageError, match="explain it without --deferred"):
        booted.whole(CASE)
    found = booted.explained[CASE]
    histogram = Histogram(4, 30, 50, 120, 3, ((30, 1),))
    record = replace(found.case.record, values=None, histogram=histogram)
    found = dataclasses.replace(found, case=dataclasses.replace(found.case, record=record))
    with pytest.raises(UsageError, match="only their histogram is recorded"):
        dataclasses.replace(booted, explained={CASE: found}).median_sample(CASE)


def test_a_case_without_samples_has_the_guests_reason(booted: Booted) -> None:
    with pytest.raises(Unsupported, match=f"^{SKIPPED} was skipped on 6.12: no such call$"):
        booted.samples(SKIPPED)
    with pytest.raises(CaseFailed, match=f"^{BROKEN} failed on 6.12: it broke$"):
        booted.samples(BROKEN)
    with pytest.raises(CaseFailed, match="gave no samples"):
        booted.samples("zap/overmap/shmem/4k/4k")
