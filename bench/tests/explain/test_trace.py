# SPDX-License-Identifier: GPL-2.0-only
"""The plugin's file is read whole, or not at all."""

from pathlib import Path

import made_trace
import pytest
from made_trace import FIRST, SYSCALL, USER, F, G, Seen

from zapbench.error import EnvironmentMissing
from zapbench.explain import trace
from zapbench.explain.trace import By

MARKS = [
    Seen("run", {USER: 7, F: 5}, {1: 7, 3: 5}),
    Seen("run", {USER: 4, F: 100, G: 1}, {1: 4, 3: 90, 4: 1, 5: 10}),
    Seen("run", {F: 1}, {5: 1}, halts=2),
]
TREE = [(0, 0), (0, USER), (0, SYSCALL), (2, F), (3, G), (0, F)]


def test_windows_are_attributed(tmp_path: Path) -> None:
    found = made_trace.made(tmp_path, MARKS, by=By.PATH, tree=TREE)
    known = made_trace.known()
    assert found.clock == (12, 117, 118)
    assert [mark.halts for mark in found.marks] == [0, 0, 2]
    both = trace.window(0, 2)
    assert found.functions([trace.window(0, 1)], known) == {"(user)": 4, "f": 100, "g": 1}
    assert found.functions([both], known) == {"(user)": 4, "f": 101, "g": 1}
    assert found.functions([both, both], known) == {"(user)": 8, "f": 202, "g": 2}
    assert found.paths([both], known) == {
        ("(user)",): 4,
        ("entry_SYSCALL_64", "f"): 90,
        ("entry_SYSCALL_64", "f", "g"): 1,
        ("f",): 11,
    }


def test_a_count_in_pieces_is_one(tmp_path: Path) -> None:
    """More than a word holds; see output_part()."""
    data = made_trace.content([Seen("run", {F: 2**32 - 1, F + 100: 5})])
    data = data.replace((F + 100).to_bytes(4, "little"), F.to_bytes(4, "little"))
    (tmp_path / "trace").write_bytes(data)
    found = trace.read(tmp_path / "trace")
    assert found.functions([range(1)], made_trace.known()) == {"f": 2**32 + 4}


def test_a_file_that_was_cut_off_anywhere_is_one_line(tmp_path: Path) -> None:
    data = made_trace.content(MARKS, By.PATH, TREE)
    for size in range(len(data)):
        (tmp_path / "trace").write_bytes(data[:size])
        with pytest.raises(EnvironmentMissing, match="left no whole file at"):
            trace.read(tmp_path / "trace")
    with pytest.raises(EnvironmentMissing, match="left no whole file at"):
        trace.read(tmp_path / "none")


def test_counters_of_functions_follow_the_others() -> None:
    assert len({USER, SYSCALL, F, G}) == 4
    assert min(SYSCALL, F, G) == FIRST == len(("user", "other"))
