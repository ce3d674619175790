# SPDX-License-Identifier: GPL-2.0-only
"""Sums are exact, and the harness is a part of its own."""

from fractions import Fraction
from pathlib import Path

import made_trace
import pytest
import synthetic
from made_trace import SYSCALL, USER, F, G, Seen
from msgspec.structs import replace

from zapbench.error import Unexplained
from zapbench.explain.attribution import HARNESS, Explained, explained
from zapbench.explain.trace import By
from zapbench.record import CaseTotal

RUN = synthetic.run_of(tier="icount")
CASE = "zap/madv_zap/shmem/4k/4k"
TREE = [(0, 0), (0, USER), (0, SYSCALL), (2, F), (3, G)]


def one(directory: Path, *, last: int = 20) -> Explained:
    """Two samples of two operations each: 13 and 33 of them the user's, 10 the harness's."""
    begin = Seen("run", {USER: 100}, {1: 100})
    marks = [
        *(Seen(each.who, each.counts, {1: each.counts[USER]}) for each in made_trace.empties()),
        *(begin, Seen("run", {USER: 13, SYSCALL: 5, F: 40}, {1: 13, 2: 5, 3: 40})),
        *(begin, Seen("run", {USER: 33, F: 40, G: 20}, {1: 33, 3: 40, 4: last})),
        Seen("timing_finish", {G: 1}, {4: 1}),
    ]
    trace = made_trace.made(directory, marks, by=By.PATH, tree=TREE)
    record = synthetic.samples(RUN, CASE, (58, 93), empty=10, ops_per_sample=2)
    whole = CaseTotal(58 + 100 + 93 + 1, 4)
    record = replace(record, unit="instructions", case_total=whole)
    (found,) = explained(trace, [record], made_trace.PROGRAM, made_trace.known())
    return found


def test_all_samples(tmp_path: Path) -> None:
    found = one(tmp_path).samples()
    assert (found.case, found.operations, found.total, found.harness) == (CASE, 4, 151, 20)
    assert found.functions == {
        "(user)": 26,
        HARNESS: 20,
        "entry_SYSCALL_64": 5,
        "f": 80,
        "g": 20,
    }
    assert found.paths == {
        ("(user)",): 26,
        (HARNESS,): 20,
        ("entry_SYSCALL_64",): 5,
        ("entry_SYSCALL_64", "f"): 80,
        ("entry_SYSCALL_64", "f", "g"): 20,
    }
    assert sum(found.functions.values()) == sum(found.paths.values()) == found.total
    assert found.each(found.total) == Fraction(151, 4)


def test_some_samples(tmp_path: Path) -> None:
    found = one(tmp_path).samples([0])
    assert (found.operations, found.total, found.harness) == (2, 58, 10)
    assert found.functions == {"(user)": 3, HARNESS: 10, "entry_SYSCALL_64": 5, "f": 40}


def test_the_case_as_a_whole(tmp_path: Path) -> None:
    found = one(tmp_path).whole()
    assert found is not None
    assert (found.operations, found.total, found.harness) == (4, 252, 0)
    assert found.functions == {"(user)": 146, "entry_SYSCALL_64": 5, "f": 80, "g": 21}


def test_paths_that_do_not_add_up_are_an_error(tmp_path: Path) -> None:
    with pytest.raises(Unexplained, match=rf"^{CASE}: g has 20 instructions, its call paths 19$"):
        one(tmp_path, last=19).samples()
